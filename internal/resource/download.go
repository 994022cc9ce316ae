package resource

import (
	"fmt"
	"net/url"
	"regexp"

	"provision/internal/recipe"
)

// Download is a file from the network, known by its digest: a host that has it does not fetch it again.
//
//	Download{Path: "/usr/local/bin/tool", URL: "https://example.org/tool", SHA256: "9f86d081…", Attributes: recipe.Attributes{Mode: 0o755}}
//
// The host fetches it itself, with apt's own helper (apt.conf(5), Acquire), which is on every Debian:
// many hosts do not go through the controller's line, and apt's proxies are theirs. https needs the
// package ca-certificates.
type Download struct {
	Path              string
	recipe.Attributes        // default 0644 root:root
	URL               string // http or https, and no password in it
	SHA256            string // as sha256sum prints it
	Absent            bool
}

// ID implements recipe.Resource. It is the ID of a file, so that two tasks cannot want one path in two
// ways.
func (d Download) ID() string { return "file:" + d.Path }

// Place implements recipe.Placed.
func (d Download) Place() string { return d.Path }

// Probes implements recipe.Resource.
func (d Download) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.PathKey(d.Path), Digest: !d.Absent}}
}

var sha256Digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// checkURL refuses what a host cannot fetch, and a password, which would be in argv.
func checkURL(what, text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || !sourceURI.MatchString(text) || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https":
		return fmt.Errorf("%s: wants a URL of http or https", what)
	case parsed.User != nil:
		return fmt.Errorf("%s: a URL with a name and a password in it would be seen by every account of the host", what)
	}
	return nil
}

// Validate refuses what cannot be meant.
func (d Download) Validate() error {
	what := "download " + d.Path
	if err := checkPath("download", d.Path); err != nil || d.Absent {
		return err
	}
	if !sha256Digest.MatchString(d.SHA256) {
		return fmt.Errorf("%s: %q is no SHA-256: 64 digits and letters from a to f, as sha256sum prints", what, d.SHA256)
	}
	if err := checkURL(what, d.URL); err != nil {
		return err
	}
	return checkAttributes(what, d.Attributes)
}

// Diff implements recipe.Resource.
func (d Download) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(d.Path)
	if d.Absent || found.Type != recipe.PathAbsent && found.Type != recipe.PathFile {
		return File{Path: d.Path, Absent: d.Absent}.Diff(facts)
	}
	wanted := attributes(d.Attributes, 0o644)
	if found.SHA256 == d.SHA256 {
		return attributesChange(d.Path, found, wanted, false), nil
	}
	change := recipe.Change{
		Kind: recipe.Create, Summary: "download " + d.URL + ", " + describeAttributes(wanted),
		Steps: []recipe.Step{recipe.Download{Path: d.Path, URL: d.URL, SHA256: d.SHA256, Attributes: wanted}},
	}
	if found.Type == recipe.PathFile {
		change.Kind = recipe.Update
		change.Deltas = append(attributeDeltas(wanted, found), recipe.Delta{Name: "sha256", Before: fmt.Sprintf("%.12s", found.SHA256), After: fmt.Sprintf("%.12s", d.SHA256)})
	}
	return change, nil
}

// Trace implements recipe.Remembered.
func (d Download) Trace() recipe.Trace {
	return recipe.Trace{Kind: "file", Name: d.Path, Gone: d.Absent}
}

// Stood implements recipe.Remembered.
func (d Download) Stood(facts recipe.Facts) recipe.Before { return stoodAt(d.Path, facts) }
