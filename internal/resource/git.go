package resource

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"

	"provision/internal/recipe"
)

// Git is a directory with a commit of a repository of git. Another commit takes the place of the whole
// directory at once; what others have put into it goes then. A directory with anything in it that this
// did not check out is refused, as a clone that somebody works in. It needs the package git.
//
//	Git{Path: "/srv/shop", URL: "https://example.org/shop.git", Commit: "3f2a…"}
//
// The host fetches it itself; by ssh it logs in with root's own key. Which commit is there it reads from
// .git/HEAD: a file of it that somebody changes is not seen. See git-fetch(1).
type Git struct {
	Path   string
	URL    string // https, http or ssh, and no password in it
	Commit string // its whole name, of 40 letters and digits: a branch is another tomorrow
	Owner  string // default root
	Group  string // default root
	Absent bool   // the directory goes with all that is in it
}

// ID implements recipe.Resource. It is the ID of a directory, so that two tasks cannot want one in two
// ways.
func (g Git) ID() string { return "directory:" + g.Path }

// Place implements recipe.Placed.
func (g Git) Place() string { return g.Path }

func (g Git) head() string { return g.Path + "/" + recipe.GitHead }

// Probes implements recipe.Resource.
func (g Git) Probes() []recipe.Probe {
	probes := wholeProbes(g.Path)
	if g.Absent {
		return probes
	}
	return append(probes, recipe.Probe{Key: recipe.PathKey(g.head()), Digest: true})
}

var (
	gitCommit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	gitURL    = regexp.MustCompile(`^(https?|ssh)://[!-~]+$`)
)

// Validate refuses what cannot be meant.
func (g Git) Validate() error {
	what := "git " + g.Path
	if err := checkPath("git", g.Path); err != nil || g.Absent {
		return err
	}
	if err := checkOwn(what, g.Path); err != nil {
		return err
	}
	if err := checkOwners(what, g.Owner, g.Group); err != nil {
		return err
	}
	if !gitCommit.MatchString(g.Commit) {
		return fmt.Errorf("%s: %q is no commit's whole name: git rev-parse HEAD prints it", what, g.Commit)
	}
	parsed, err := url.Parse(g.URL)
	if err != nil || !gitURL.MatchString(g.URL) || parsed.Host == "" || parsed.Host[0] == '-' {
		return fmt.Errorf("%s: wants a URL of https, http or ssh", what)
	}
	if _, password := parsed.User.Password(); password || parsed.Scheme != "ssh" && parsed.User != nil {
		return fmt.Errorf("%s: a URL with a password in it would be seen by every account of the host", what)
	}
	return nil
}

// Diff implements recipe.Resource.
func (g Git) Diff(facts recipe.Facts) (recipe.Change, error) {
	if g.Absent {
		return wholeGone(g.Path, facts)
	}
	found := facts.Path(g.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathDirectory {
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a directory", g.Path, found.Type)
	}
	wanted := recipe.Attributes{Mode: 0o755, Owner: cmp.Or(g.Owner, "root"), Group: cmp.Or(g.Group, "root")}
	head := facts.Path(g.head())
	if head.SHA256 == recipe.Digest([]byte(g.Commit+"\n")) && head.Owner == wanted.Owner && head.Group == wanted.Group {
		return attributesChange(g.Path, found, wanted, false), nil
	}
	if err := inTheWay(g.Path, facts.Tree(g.Path)); err != nil {
		return recipe.Change{}, err
	}
	if err := othersIn(g.Path, facts); err != nil {
		return recipe.Change{}, err
	}
	change := recipe.Change{
		Kind: recipe.Create, Summary: fmt.Sprintf("commit %.12s of %s, %s", g.Commit, g.URL, describeAttributes(wanted)),
		Steps: []recipe.Step{recipe.CheckOut{Path: g.Path, URL: g.URL, Commit: g.Commit, Owner: wanted.Owner, Group: wanted.Group}},
	}
	if found.Type == recipe.PathDirectory {
		change.Kind = recipe.Update
		change.Deltas = append(attributeDeltas(wanted, found), recipe.Delta{Name: "commit", Before: "another", After: fmt.Sprintf("%.12s", g.Commit)})
		change.Deltas = append(change.Deltas, goes(g.Path, facts)...)
	}
	return change, nil
}

// Trace implements recipe.Remembered.
func (g Git) Trace() recipe.Trace { return recipe.Trace{Kind: "tree", Name: g.Path, Gone: g.Absent} }

// Stood implements recipe.Remembered.
func (g Git) Stood(facts recipe.Facts) recipe.Before { return stoodAt(g.Path, facts) }

// Whole implements recipe.Whole.
func (g Git) Whole() bool { return true }
