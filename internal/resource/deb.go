package resource

import (
	"fmt"
	"regexp"

	"provision/internal/recipe"
)

// Deb is a package that is no repository's: a file on the controller's disk, that is sent to the
// hosts which have another version. What it depends on comes from apt's sources. As with Package, no
// service starts while it is installed.
//
//	Deb{Name: "shop", Version: "1.4.2", Artifact: artifact}
//
// Name and Version are those of its control file: dpkg-deb -f FILE Package Version. See
// apt-get(8), install.
type Deb struct {
	Name     string
	Version  string
	Artifact recipe.Artifact
	Brings   []recipe.Key // as of Package
	Restarts []string     // the units that run what it holds, and go on with the old of it after an upgrade
	Absent   bool         // purged, with what cannot be there without it
}

// ID implements recipe.Resource. It is the ID of a package, so that two tasks cannot want one in two
// ways.
func (d Deb) ID() string { return "package:" + d.Name }

// Restarted implements recipe.Notifier.
func (d Deb) Restarted() []string { return d.Restarts }

// Unconfined implements recipe.Unconfined.
func (d Deb) Unconfined() string {
	return Package{Name: d.Name, Brings: d.Brings, Absent: d.Absent}.Unconfined()
}

func (d Deb) absent() Package { return Package{Name: d.Name, Brings: d.Brings, Absent: true} }

// Probes implements recipe.Resource.
func (d Deb) Probes() []recipe.Probe {
	if d.Absent {
		return d.absent().Probes()
	}
	return []recipe.Probe{{Key: recipe.PackageKey(d.Name)}}
}

// PackageOf is the package that a resource wants on the host, whether it comes from apt's sources or from a file.
func PackageOf(wanted recipe.Resource) (Package, bool) {
	switch wanted := wanted.(type) {
	case Package:
		return wanted, !wanted.Absent
	case Deb:
		return Package{Name: wanted.Name, Brings: wanted.Brings, Restarts: wanted.Restarts}, !wanted.Absent
	}
	return Package{}, false
}

// As Debian Policy 5.6.12 has it.
var packageVersion = regexp.MustCompile(`^([0-9]+:)?[0-9][A-Za-z0-9.+~-]*$`)

// Validate refuses what cannot be meant.
func (d Deb) Validate() error {
	if !d.Absent && !packageVersion.MatchString(d.Version) {
		return fmt.Errorf("package %s: %q is no version", d.Name, d.Version)
	}
	return checkName("package", d.Name, packageName)
}

// Diff implements recipe.Resource.
func (d Deb) Diff(facts recipe.Facts) (recipe.Change, error) {
	if d.Absent {
		return d.absent().Diff(facts)
	}
	found := facts.Package(d.Name)
	if found.Installed() && found.Version == d.Version {
		return recipe.Change{}, nil
	}
	// Where apt keeps such files: apt-get clean takes away what a run that died left.
	file := fmt.Sprintf("/var/cache/apt/archives/%s_%.12s.deb", d.Name, d.Artifact.SHA256)
	change := recipe.Change{
		Kind:    recipe.Create,
		Summary: fmt.Sprintf("install %s from a file of %.1f MB", d.Version, float64(d.Artifact.Size)/1e6),
		Steps: []recipe.Step{
			recipe.Upload{Path: file, Artifact: d.Artifact, Attributes: attributes(recipe.Attributes{}, 0o644)},
			recipe.InstallDeb{Path: file, Name: d.Name, Version: d.Version, Brings: d.Brings, Restarts: d.Restarts},
			// No copy is kept of it.
			recipe.Exec{Name: "remove " + file, Script: "rm -f " + file, Outcome: []recipe.Effect{recipe.Known(recipe.PathKey(file), recipe.Path{})}},
		},
	}
	if found.Installed() {
		change.Kind = recipe.Update
		change.Deltas = []recipe.Delta{{Name: "version", Before: found.Version, After: d.Version}}
	}
	return change, nil
}

// Trace implements recipe.Remembered.
func (d Deb) Trace() recipe.Trace {
	return recipe.Trace{Kind: "package", Name: d.Name, Gone: d.Absent}
}

// Stood implements recipe.Remembered.
func (d Deb) Stood(facts recipe.Facts) recipe.Before { return Package{Name: d.Name}.Stood(facts) }
