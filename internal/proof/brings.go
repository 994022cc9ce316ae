package proof

import (
	"slices"
	"strings"

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

// brings compares the host that has the packages and accounts alone with the bare one. What no package
// is known for is the last one's.
func (p *prover) brings(premises State) {
	said := map[recipe.Key]bool{}
	var packages []recipe.Item
	for _, item := range p.items() {
		if wanted, ok := item.Resource.(resource.Package); ok && !wanted.Absent {
			packages = append(packages, item)
			for _, key := range wanted.Brings {
				said[key] = true
			}
		}
	}
	if len(packages) == 0 {
		return
	}
	var missing []string
	for _, item := range p.items() {
		switch wanted := item.Resource.(type) {
		case resource.Service:
			if thing := (Thing{"unit", wanted.Unit}); p.bare[thing] == "" && premises[thing] != "" && !said[recipe.UnitKey(wanted.Unit)] {
				missing = append(missing, wanted.Unit)
			}
		case recipe.Placed:
			path := wanted.Place()
			if thing := (Thing{"file", path}); p.bare[thing] != premises[thing] && !said[recipe.PathKey(path)] {
				if _, directory := item.Resource.(resource.Directory); !directory { // there before the package, or as the package makes it
					missing = append(missing, path)
				}
			}
		}
	}
	if len(missing) == 0 {
		return
	}
	last := packages[len(packages)-1]
	p.Brings = append(p.Brings, Brings{strings.TrimPrefix(last.Resource.ID(), "package:"), last.At, slices.Compact(missing)})
}
