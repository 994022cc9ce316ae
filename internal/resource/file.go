package resource

import (
	"fmt"
	"strings"

	"provision/internal/recipe"
)

// File is a regular file with its whole content. A symbolic link in its place is refused,
// never followed: whoever made the link has to decide.
type File struct {
	Path              string
	Content           string
	recipe.Attributes                   // default 0644 root:root
	Secret            bool              // the content is never shown
	Fill              map[string]string // placeholder in Content → path of a Secret on the host
	Absent            bool

	// Hides are paths of which none may be there: the file would go before what is.
	Hides []string
}

// ID implements recipe.Resource.
func (f File) ID() string { return "file:" + f.Path }

// Place implements recipe.Placed.
func (f File) Place() string { return f.Path }

// Probes implements recipe.Resource.
func (f File) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(f.Path), Digest: !f.Absent, Unfill: f.Fill}}
	for _, hidden := range f.Hides {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(hidden)})
	}
	return probes
}

// Validate refuses what cannot be meant.
func (f File) Validate() error {
	if err := checkPath("file", f.Path); err != nil {
		return err
	}
	// What fills in goes by lines: see internal/script.
	if len(f.Fill) > 0 && (!strings.HasSuffix(f.Content, "\n") || strings.Contains(f.Content, "\x00")) {
		return fmt.Errorf("file %s: content that is filled in must be text that ends with a newline", f.Path)
	}
	for placeholder, secret := range f.Fill {
		if placeholder == "" || strings.ContainsAny(placeholder, "\n\x00") {
			return fmt.Errorf("file %s: placeholder %q is not one", f.Path, placeholder)
		}
		if err := checkPath("secret", secret); err != nil {
			return err
		}
	}
	return checkAttributes("file "+f.Path, f.Attributes)
}

// Diff implements recipe.Resource.
func (f File) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(f.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathFile {
		if found.Type == recipe.PathLink {
			return recipe.Change{}, fmt.Errorf("%s: is a link to %s, not a file: remove it, or manage its target", f.Path, found.Target)
		}
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a file", f.Path, found.Type)
	}
	if f.Absent {
		return f.remove(found), nil
	}
	for _, hidden := range f.Hides {
		if facts.Path(hidden).Type != recipe.PathAbsent {
			return recipe.Change{}, fmt.Errorf("%s: %s is there, and this would go before it: choose another name", f.Path, hidden)
		}
	}
	wanted := attributes(f.Attributes, 0o644)
	write := recipe.WriteFile{Path: f.Path, Content: []byte(f.Content), Attributes: wanted, Secret: f.hidden(), Fill: f.Fill}
	diff := &recipe.FileDiff{Path: f.Path, Exists: found.Type == recipe.PathFile, After: write.Content, Secret: f.hidden()}
	if !diff.Exists {
		return recipe.Change{Kind: recipe.Create, Summary: describeAttributes(wanted), Diff: diff, Steps: []recipe.Step{write}}, nil
	}
	deltas := attributeDeltas(wanted, found)
	if found.SHA256 != recipe.Digest(write.Content) {
		return recipe.Change{Kind: recipe.Update, Summary: "content differs", Deltas: deltas, Diff: diff, Steps: []recipe.Step{write}}, nil
	}
	return attributesChange(f.Path, found, wanted, f.hidden()), nil
}

// hidden reports whether the content must not be shown: what is on the host may hold a
// secret that was made there, and never leaves it.
func (f File) hidden() bool { return f.Secret || len(f.Fill) > 0 }

func (f File) remove(found recipe.Path) recipe.Change {
	if found.Type == recipe.PathAbsent {
		return recipe.Change{}
	}
	return recipe.Change{
		Kind:    recipe.Delete,
		Summary: "no longer wanted",
		Diff:    &recipe.FileDiff{Path: f.Path, Exists: true, Secret: f.hidden()},
		Steps:   []recipe.Step{recipe.Remove{Path: f.Path, Secret: f.hidden()}},
	}
}

func attributesChange(path string, found recipe.Path, wanted recipe.Attributes, secret bool) recipe.Change {
	deltas := attributeDeltas(wanted, found)
	if len(deltas) == 0 {
		return recipe.Change{}
	}
	return recipe.Change{
		Kind:   recipe.Update,
		Deltas: deltas,
		Steps:  []recipe.Step{recipe.SetAttributes{Path: path, Found: found, Attributes: wanted, Secret: secret}},
	}
}

// Hidden is the file with nothing of it shown, and no copy kept of what it replaces.
func (f File) Hidden() recipe.Resource {
	f.Secret = true
	return f
}

// Trace implements recipe.Remembered.
func (f File) Trace() recipe.Trace {
	return recipe.Trace{Kind: "file", Name: f.Path, Gone: f.Absent, Secret: f.hidden()}
}

// Stood implements recipe.Remembered.
func (f File) Stood(facts recipe.Facts) recipe.Before { return stoodAt(f.Path, facts) }
