package resource

import (
	"fmt"

	"provision/internal/recipe"
)

// Secret is a random text that is made on the host, once, and never leaves it.
type Secret struct {
	Path              string
	recipe.Attributes     // default 0600 root:root
	Length            int // letters and digits; default 40, about 238 bits
	Absent            bool
}

// ID implements recipe.Resource. It is the ID of a file, so that two tasks cannot want
// one path in two ways.
func (s Secret) ID() string { return "file:" + s.Path }

// Place implements recipe.Placed.
func (s Secret) Place() string { return s.Path }

// Probes implements recipe.Resource.
func (s Secret) Probes() []recipe.Probe { return []recipe.Probe{{Key: recipe.PathKey(s.Path)}} }

// Validate refuses what cannot be meant.
func (s Secret) Validate() error {
	if err := checkPath("secret", s.Path); err != nil {
		return err
	}
	if s.Length < 0 || s.Length > 1024 {
		return fmt.Errorf("secret %s: length %d is not between 1 and 1024", s.Path, s.Length)
	}
	return checkAttributes("secret "+s.Path, s.Attributes)
}

// Diff implements recipe.Resource.
func (s Secret) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(s.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathFile {
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a file", s.Path, found.Type)
	}
	exists := found.Type == recipe.PathFile
	wanted := attributes(s.Attributes, 0o600)
	switch {
	case s.Absent:
		return File{Path: s.Path, Secret: true, Absent: true}.Diff(facts)
	case exists:
		return attributesChange(s.Path, found, wanted, true), nil
	}
	length := s.Length
	if length == 0 {
		length = 40
	}
	return recipe.Change{
		Kind: recipe.Create, Summary: "random, made on the host, " + describeAttributes(wanted),
		Steps: []recipe.Step{recipe.MakeSecret{Path: s.Path, Length: length, Attributes: wanted}},
	}, nil
}

// Trace implements recipe.Remembered.
func (s Secret) Trace() recipe.Trace {
	return recipe.Trace{Kind: "secret", Name: s.Path, Gone: s.Absent, Secret: true}
}

// Stood implements recipe.Remembered.
func (s Secret) Stood(facts recipe.Facts) recipe.Before { return stoodAt(s.Path, facts) }

// leave implements leaver.
func (Secret) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	if t.Gone {
		return Former{Path: t.Name, Ours: t.Before.Nothing, Gone: true, Secret: true}, ""
	}
	return l.dear(t, Former{Path: t.Name, Ours: true, Secret: true})
}
