package proof

import (
	"context"
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

// brings compares the host that has the packages and accounts alone with the bare one: what the task
// asks about behind a package, for nothing before it is changed by that. What no package of the task has is
// the last one's before it; what one behind it has is brought by none.
func (p *prover) brings(premises State, owners map[string]string) {
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
			by := len(all) - 1
			if owner := owners[thing.Name]; p.wantsPackage(owner) {
				by = slices.IndexFunc(all, func(one Brings) bool { return one.Package == owner })
			}
			if by >= 0 {
				all[by].Brings = append(all[by].Brings, thing.Name)
			}
		}
	}
	for _, one := range all {
		if len(one.Brings) > 0 {
			p.Brings = append(p.Brings, one)
		}
	}
}

// wantsPackage reports whether a resource of the task is a package of that name.
func (p *prover) wantsPackage(name string) bool {
	return slices.ContainsFunc(p.items(), func(item recipe.Item) bool {
		wanted, ok := resource.PackageOf(item.Resource)
		return ok && wanted.Name == name
	})
}

// owners are the packages that have the paths of the task among their files (dpkg-query(1), -S).
func (p *prover) owners(ctx context.Context) (map[string]string, error) {
	var paths []string
	for _, item := range p.items() {
		if place := placeOf(item); place != "" {
			paths = append(paths, place)
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	said, err := p.Host.Run(ctx, "dpkg-query -S -- "+quoted(paths)+" 2>/dev/null || :", "") // it fails where one path is nobody's
	owners := map[string]string{}
	for line := range strings.Lines(said) {
		if names, path, found := strings.Cut(strings.TrimSpace(line), ": "); found && !strings.Contains(names, ",") { // a directory has several
			owners[path], _, _ = strings.Cut(names, ":") // without the architecture
		}
	}
	return owners, err
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
