package resource

import (
	"cmp"
	"fmt"

	"provision/internal/recipe"
)

// Archive is a directory with what is in a tar archive from the network, known by its digest. Another
// archive takes the place of the whole directory at once; what others have put into it goes then. A
// directory that was never unpacked, with anything in it, is refused.
//
//	Archive{Path: "/opt/tool", URL: "https://example.org/tool-1.2.tar.gz", SHA256: "9f86d081…", Strip: 1}
//
// The host fetches it itself, as a Download. It is unpacked as tar(1) does, by whatever it is compressed
// with that the host knows; its digest is in .archive.sha256 there, by which it is known again: a file
// of it that somebody changes is not seen.
type Archive struct {
	Path   string
	URL    string // http or https, and no password in it
	SHA256 string // of the archive, as sha256sum prints it
	Strip  int    // so many directories are left out at the start of each name in it
	Owner  string // default root
	Group  string // default root
	Absent bool   // the directory goes with all that is in it
}

// ID implements recipe.Resource. It is the ID of a directory, so that two tasks cannot want one in two
// ways.
func (a Archive) ID() string { return "directory:" + a.Path }

// Place implements recipe.Placed.
func (a Archive) Place() string { return a.Path }

func (a Archive) digest() string { return a.Path + "/" + recipe.ArchiveDigest }

// Probes implements recipe.Resource.
func (a Archive) Probes() []recipe.Probe {
	probes := wholeProbes(a.Path)
	if a.Absent {
		return probes
	}
	return append(probes, recipe.Probe{Key: recipe.PathKey(a.digest()), Digest: true})
}

// Validate refuses what cannot be meant.
func (a Archive) Validate() error {
	what := "archive " + a.Path
	if err := checkPath("archive", a.Path); err != nil || a.Absent {
		return err
	}
	if err := checkOwn(what, a.Path); err != nil {
		return err
	}
	if err := checkOwners(what, a.Owner, a.Group); err != nil {
		return err
	}
	if !sha256Digest.MatchString(a.SHA256) {
		return fmt.Errorf("%s: %q is no SHA-256: 64 digits and letters from a to f, as sha256sum prints", what, a.SHA256)
	}
	if a.Strip < 0 || a.Strip > 100 {
		return fmt.Errorf("%s: %d directories cannot be left out", what, a.Strip)
	}
	return checkURL(what, a.URL)
}

// Diff implements recipe.Resource.
func (a Archive) Diff(facts recipe.Facts) (recipe.Change, error) {
	if a.Absent {
		return wholeGone(a.Path, facts)
	}
	found := facts.Path(a.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathDirectory {
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a directory", a.Path, found.Type)
	}
	wanted := recipe.Attributes{Mode: 0o755, Owner: cmp.Or(a.Owner, "root"), Group: cmp.Or(a.Group, "root")}
	unpacked := facts.Path(a.digest())
	if unpacked.SHA256 == recipe.Digest([]byte(a.SHA256+"\n")) && unpacked.Owner == wanted.Owner && unpacked.Group == wanted.Group {
		return attributesChange(a.Path, found, wanted, false), nil
	}
	if err := inTheWay(a.Path, facts.Tree(a.Path)); err != nil {
		return recipe.Change{}, err
	}
	if err := othersIn(a.Path, facts); err != nil {
		return recipe.Change{}, err
	}
	change := recipe.Change{
		Kind: recipe.Create, Summary: "unpack " + a.URL + ", " + describeAttributes(wanted),
		Steps: []recipe.Step{recipe.Unpack{Path: a.Path, URL: a.URL, SHA256: a.SHA256, Strip: a.Strip, Owner: wanted.Owner, Group: wanted.Group}},
	}
	if found.Type == recipe.PathDirectory {
		change.Kind = recipe.Update
		change.Deltas = append(attributeDeltas(wanted, found), recipe.Delta{Name: "archive", Before: "another", After: fmt.Sprintf("sha256 %.12s", a.SHA256)})
		change.Deltas = append(change.Deltas, goes(a.Path, facts)...)
	}
	return change, nil
}

// Trace implements recipe.Remembered.
func (a Archive) Trace() recipe.Trace {
	return recipe.Trace{Kind: "tree", Name: a.Path, Gone: a.Absent}
}

// Stood implements recipe.Remembered.
func (a Archive) Stood(facts recipe.Facts) recipe.Before { return stoodAt(a.Path, facts) }

// Whole implements recipe.Whole.
func (a Archive) Whole() bool { return true }
