package resource

import (
	"time"

	"provision/internal/recipe"
)

// UpgradeListsMaxAge is the age at which apt's package lists are fetched again before an
// upgrade: they decide what there is to upgrade to.
const UpgradeListsMaxAge = time.Hour

// Upgraded returns a recipe that also brings its packages to the versions that apt would
// install, by lists that are new enough. What the packages themselves depend on is upgraded
// only as far as their new versions need it.
func Upgraded(wanted recipe.Recipe) recipe.Recipe {
	var upgraded recipe.Recipe
	lists := packageLists{}
	for _, item := range wanted.Items {
		if p, ok := item.Resource.(Package); ok && !p.Absent {
			p.Upgrade = true
			item.Resource = p
			decides := append([]recipe.Key{recipe.CandidateKey(p.Name)}, p.Brings...)
			for _, unit := range p.Restarts {
				decides = append(decides, recipe.PendingKey(unit))
			}
			lists.decides = union(lists.decides, decides)
		}
		upgraded.Items = append(upgraded.Items, item)
	}
	if len(lists.decides) == 0 {
		return upgraded
	}
	for i, item := range upgraded.Items {
		if repository, ok := item.Resource.(Repository); ok { // what it fetches decides too
			repository.decides = lists.decides
			upgraded.Items[i].Resource = repository
		}
	}
	upgraded.Items = append([]recipe.Item{{Resource: lists, Task: "apt"}}, upgraded.Items...)
	return upgraded
}

// packageLists are apt's, not older than UpgradeListsMaxAge.
type packageLists struct {
	decides []recipe.Key // what is known only by the new lists
}

// ID implements recipe.Resource.
func (packageLists) ID() string { return "lists:apt" }

// Probes implements recipe.Resource.
func (packageLists) Probes() []recipe.Probe { return []recipe.Probe{{Key: recipe.ListsKey()}} }

// Diff implements recipe.Resource.
func (l packageLists) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Lists()
	if found.Known && found.Age <= UpgradeListsMaxAge {
		return recipe.Change{}, nil
	}
	why := "fetch: there are none of apt's sources as they are"
	if found.Known {
		why = "fetch: over an hour old" // and not how old: it would be another change every second
	}
	return recipe.Change{Kind: recipe.Act, Summary: why, Steps: []recipe.Step{recipe.FetchLists{Decides: l.decides}}}, nil
}
