package resource

import (
	"fmt"
	"regexp"
	"strings"

	"provision/internal/recipe"
)

// Repository is a source of packages beside Debian's own, in a file of its own in
// /etc/apt/sources.list.d. Its lists are fetched at once, so that it is known to work.
//
//	Repository{
//		Name: "postgresql", URIs: []string{"https://apt.postgresql.org/pub/repos/apt"},
//		Suites: []string{"bookworm-pgdg"}, Components: []string{"main"}, Key: key,
//	}
//
// See sources.list(5), DEB822-STYLE FORMAT. The key is in the file too, as it says of Signed-By: so
// a source and its key come and go together, and the key vouches for no other source.
type Repository struct {
	Name          string   // of the file
	URIs          []string // https needs the package ca-certificates
	Suites        []string // "bookworm", or a path that ends with a slash
	Components    []string // "main"; none with a path as the suite
	Architectures []string // default the host's
	Key           string   // its public key, in ASCII ("-----BEGIN PGP PUBLIC KEY BLOCK-----"), or the path of a keyring on the host
	Absent        bool

	decides []recipe.Key // what is known only by its lists: see Upgraded
}

// ID implements recipe.Resource.
func (r Repository) ID() string { return "repository:" + r.Name }

// Place implements recipe.Placed.
func (r Repository) Place() string { return r.file().Path }

func (r Repository) file() File {
	return File{Path: "/etc/apt/sources.list.d/" + r.Name + ".sources", Content: r.content(), Absent: r.Absent}
}

// content is the file. What follows a field's first line is indented, and an empty line is a full
// stop (deb822(5)).
func (r Repository) content() string {
	var s strings.Builder
	field := func(name string, values []string) {
		if len(values) > 0 {
			s.WriteString(name + ": " + strings.Join(values, " ") + "\n")
		}
	}
	field("Types", []string{"deb"})
	field("URIs", r.URIs)
	field("Suites", r.Suites)
	field("Components", r.Components)
	field("Architectures", r.Architectures)
	if strings.HasPrefix(r.Key, "/") {
		field("Signed-By", []string{r.Key})
		return s.String()
	}
	s.WriteString("Signed-By:\n")
	for line := range strings.Lines(strings.TrimSpace(r.Key)) {
		if line = strings.TrimSpace(line); line == "" {
			line = "."
		}
		s.WriteString(" " + line + "\n")
	}
	return s.String()
}

// Probes implements recipe.Resource.
func (r Repository) Probes() []recipe.Probe {
	return append(r.file().Probes(), recipe.Probe{Key: recipe.ListsKey()})
}

var (
	// As apt takes for the name of a file in sources.list.d (sources.list(5)).
	sourceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	sourceURI  = regexp.MustCompile(`^(https?|file|cdrom|mirror|mirror\+https?)://?[!-~]+$`)
	sourceWord = regexp.MustCompile(`^[A-Za-z0-9./][A-Za-z0-9_.~+/-]*$`)
	publicKey  = regexp.MustCompile(`^-----BEGIN PGP PUBLIC KEY BLOCK-----\n(.*\n)*-----END PGP PUBLIC KEY BLOCK-----$`)
)

// Validate refuses what cannot be meant.
func (r Repository) Validate() error {
	if err := checkName("repository", r.Name, sourceName); err != nil || r.Absent {
		return err
	}
	if len(r.URIs) == 0 || len(r.Suites) == 0 {
		return fmt.Errorf("repository %s: wants a URI and a suite", r.Name)
	}
	for _, uri := range r.URIs {
		if !sourceURI.MatchString(uri) {
			return fmt.Errorf("repository %s: %q is no URI that apt fetches from", r.Name, uri)
		}
	}
	for _, words := range [][]string{r.Suites, r.Components, r.Architectures} {
		for _, word := range words {
			if !sourceWord.MatchString(word) {
				return fmt.Errorf("repository %s: %q is no suite, component or architecture", r.Name, word)
			}
		}
	}
	if strings.HasPrefix(r.Key, "/") {
		return checkPath("keyring", r.Key)
	}
	if !publicKey.MatchString(strings.TrimSpace(r.Key)) {
		return fmt.Errorf("repository %s: its key is neither an ASCII-armored public key of OpenPGP nor the path of a keyring", r.Name)
	}
	return nil
}

// Diff implements recipe.Resource.
func (r Repository) Diff(facts recipe.Facts) (recipe.Change, error) {
	change, err := r.file().Diff(facts)
	switch {
	case err != nil:
		return recipe.Change{}, err
	case change.Empty() && r.Absent, change.Empty() && facts.Lists().Known:
		return recipe.Change{}, nil
	case change.Empty():
		change = recipe.Change{Kind: recipe.Act, Summary: "fetch its lists"}
	}
	change.Steps = append(change.Steps, recipe.FetchLists{Decides: r.decides})
	return change, nil
}

// Trace implements recipe.Remembered: what leaves is the file.
func (r Repository) Trace() recipe.Trace { return r.file().Trace() }

// Stood implements recipe.Remembered.
func (r Repository) Stood(facts recipe.Facts) recipe.Before { return r.file().Stood(facts) }
