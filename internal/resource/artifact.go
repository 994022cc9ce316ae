package resource

import (
	"fmt"

	"provision/internal/recipe"
)

// Artifact is a big file that comes from the controller's disk: a release's binary. A host
// that has it already is not sent it again.
type Artifact struct {
	Path              string
	recipe.Attributes // default 0755 root:root
	Artifact          recipe.Artifact
	Secret            bool // neither its content nor its digest is shown
}

// ID implements recipe.Resource.
func (a Artifact) ID() string { return "file:" + a.Path }

// Place implements recipe.Placed.
func (a Artifact) Place() string { return a.Path }

// Probes implements recipe.Resource.
func (a Artifact) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.PathKey(a.Path), Digest: true}}
}

// Validate refuses what cannot be meant.
func (a Artifact) Validate() error {
	if err := checkPath("artifact", a.Path); err != nil {
		return err
	}
	return checkAttributes("artifact "+a.Path, a.Attributes)
}

// Diff implements recipe.Resource.
func (a Artifact) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(a.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathFile {
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a file", a.Path, found.Type)
	}
	wanted := attributes(a.Attributes, 0o755)
	if found.Type == recipe.PathFile && found.SHA256 == a.Artifact.SHA256 {
		return attributesChange(a.Path, found, wanted, a.Secret), nil
	}
	upload := recipe.Upload{Path: a.Path, Artifact: a.Artifact, Attributes: wanted, Secret: a.Secret}
	digest := fmt.Sprintf("sha256 %.12s", a.Artifact.SHA256)
	if a.Secret {
		digest = "secret"
	}
	change := recipe.Change{
		Kind:    recipe.Create,
		Summary: fmt.Sprintf("upload %.1f MB, %s, %s", float64(a.Artifact.Size)/1e6, digest, describeAttributes(wanted)),
		Steps:   []recipe.Step{upload},
	}
	if found.Type == recipe.PathFile {
		change.Kind = recipe.Update
	}
	if found.Type == recipe.PathFile && !a.Secret {
		change.Deltas = []recipe.Delta{{Name: "sha256", Before: fmt.Sprintf("%.12s", found.SHA256), After: fmt.Sprintf("%.12s", a.Artifact.SHA256)}}
	}
	return change, nil
}

// Hidden is the artifact likewise: see File.Hidden.
func (a Artifact) Hidden() recipe.Resource {
	a.Secret = true
	return a
}

// Trace implements recipe.Remembered.
func (a Artifact) Trace() recipe.Trace {
	return recipe.Trace{Kind: "file", Name: a.Path, Secret: a.Secret}
}

// Stood implements recipe.Remembered.
func (a Artifact) Stood(facts recipe.Facts) recipe.Before { return stoodAt(a.Path, facts) }
