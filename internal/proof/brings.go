package proof

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Brings is a package with what it was seen to bring of what the task asks about, where the task does
// not say so.
type Brings struct {
	Package string
	At      recipe.Position
	Brings  []string // paths and units, all of them
}

// brings compares the host that has the packages and accounts alone with the bare one: what the task
// asks about behind a package, for nothing before it is changed by that. What no package is known for is
// the last one's before it.
func (p *prover) brings(premises State) {
	said := map[recipe.Key]bool{}
	var all []Brings
	for _, item := range p.items() {
		if wanted, ok := resource.PackageOf(item.Resource); ok {
			all = append(all, Brings{Package: wanted.Name, At: item.At})
			for _, key := range wanted.Brings {
				said[key] = true
			}
			continue
		}
		if thing, key := asked(item.Resource); len(all) > 0 && thing.Name != "" && p.bare[thing] != premises[thing] && !said[key] {
			last := &all[len(all)-1]
			last.Brings = append(last.Brings, thing.Name)
		}
	}
	for _, one := range all {
		if len(one.Brings) > 0 {
			p.Brings = append(p.Brings, one)
		}
	}
}

// asked is the unit or the path that a resource asks about, and how brings names it; nothing of a
// directory, which is there before the package, or as the package makes it.
func asked(wanted recipe.Resource) (Thing, recipe.Key) {
	switch wanted := wanted.(type) {
	case resource.Directory:
	case resource.Service:
		return Thing{"unit", wanted.Unit}, recipe.UnitKey(wanted.Unit)
	case recipe.Placed:
		return Thing{"file", wanted.Place()}, recipe.PathKey(wanted.Place())
	}
	return Thing{}, recipe.Key{}
}
