package proof

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// stores is where what programs write while they run has its place (hier(7)).
var stores = regexp.MustCompile(`^/(srv|home|var/(lib|log|cache|spool|backups|mail))/`)

// keptByDaemons are the directories where what packages brought keeps its data: they came with the
// packages, and belong to another account than root.
func keptByDaemons(bare, premises State) []string {
	var kept []string
	for thing, is := range premises {
		if thing.Kind == "file" && bare[thing] == "" && stores.MatchString(thing.Name) && strings.HasPrefix(is, "d") && !strings.Contains(is, " 0:") {
			kept = append(kept, thing.Name+"/")
		}
	}
	return kept
}

// data reports whether something that was left is data of the task: new, in a directory that it has or
// in a person's home, or anything where its packages' daemons keep theirs, and none of its resources.
// A directory stays with the data in it.
func (p *prover) data(d Difference, after State) bool {
	switch {
	case d.Kind == "file" && d.Before == "" && p.Task.Releases != "" && strings.HasPrefix(d.Name+"/", p.Task.Releases+"/"):
		return true // deployed, and in no memory: for a purge alone
	case d.Kind != "file" || !stores.MatchString(d.Name):
		return false
	case !p.owns(d.Name):
		return slices.ContainsFunc(p.kept, func(kept string) bool { return strings.HasPrefix(d.Name, kept) }) ||
			d.Before == "" && slices.ContainsFunc(p.items(), func(item recipe.Item) bool { return within(item.Resource, d.Name) })
	case d.Before != "":
		return false
	}
	for thing := range after {
		if thing.Kind == "file" && strings.HasPrefix(thing.Name, d.Name+"/") && strings.HasPrefix(d.After, "d") {
			return true
		}
	}
	return false
}

// within reports whether a path is where a resource lets others write: in a directory, or in the home
// that is made for a person.
func within(wanted recipe.Resource, path string) bool {
	switch wanted := wanted.(type) {
	case resource.Directory:
		return !wanted.Absent && strings.HasPrefix(path, wanted.Path+"/")
	case resource.User:
		home := cmp.Or(wanted.Home, "/home/"+wanted.Name)
		return wanted.Login && !wanted.Absent && strings.HasPrefix(path+"/", home+"/")
	}
	return false
}

// owns reports whether a resource of the task is at a path.
func (p *prover) owns(path string) bool {
	return slices.ContainsFunc(p.items(), func(item recipe.Item) bool {
		placed, ok := item.Resource.(recipe.Placed)
		return ok && placed.Place() == path
	})
}

// certificate reports whether a path is that of a certificate of the task, or of its key, or a directory that
// they are in: a removal leaves both, and says so, and a purge takes them (resource.OnPurge).
func (p *prover) certificate(path string) bool {
	return slices.ContainsFunc(p.items(), func(item recipe.Item) bool {
		certificate, ok := item.Resource.(resource.Certificate)
		return ok && slices.ContainsFunc(certificate.Places(), func(place string) bool {
			return place == path || strings.HasPrefix(place, path+"/")
		})
	})
}

// rewritten reports whether a difference is what a daemon wrote into its own configuration, as Redis and
// its Sentinel do (CONFIG REWRITE): the file belongs to an account that is not root, the task has nothing
// of it but lines and blocks, and kind, mode and owner are as they were.
func (p *prover) rewritten(d Difference) bool {
	if d.Kind != "file" || d.Before == "" || d.After == "" || outline(d.Before) != outline(d.After) || strings.Contains(d.After, " 0:") {
		return false
	}
	ours := false
	for _, item := range p.items() {
		if placed, ok := item.Resource.(recipe.Placed); ok && placed.Place() == d.Name {
			switch item.Resource.(type) {
			case resource.Line, resource.Block:
				ours = true
			default:
				return false
			}
		}
	}
	return ours
}
