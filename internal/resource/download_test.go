package resource_test

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestDownload(t *testing.T) {
	wanted := resource.Download{Path: at, URL: "https://example.org/a", SHA256: recipe.Digest([]byte("text\n"))}
	gone := resource.Download{Path: at, Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "download /etc/a"},
		{name: "same", wanted: wanted, found: isFile},
		{name: "another", wanted: wanted, found: one(foundFile(at, "b", 0o600)), kind: recipe.Update, steps: "download /etc/a",
			deltas: "mode 0600→0644; sha256 " + recipe.Digest([]byte("b"))[:12] + "→" + wanted.SHA256[:12]},
		{name: "mode", wanted: wanted, found: one(foundFile(at, "text\n", 0o600)), kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0600→0644"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link to /b, not a file"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a file"},
		{name: "gone, none", wanted: gone},
		{name: "gone, there", wanted: gone, found: isFile, kind: recipe.Delete, steps: "remove /etc/a"},
	})
	with := func(change func(*resource.Download)) resource.Download {
		bad := wanted
		change(&bad)
		return bad
	}
	for name, bad := range map[string]resource.Download{
		"no digest":       with(func(d *resource.Download) { d.SHA256 = "" }),
		"a short digest":  with(func(d *resource.Download) { d.SHA256 = strings.Repeat("a", 63) }),
		"a loud digest":   with(func(d *resource.Download) { d.SHA256 = strings.Repeat("A", 64) }),
		"no URL":          with(func(d *resource.Download) { d.URL = "" }),
		"a file's URL":    with(func(d *resource.Download) { d.URL = "file:///etc/shadow" }),
		"no host":         with(func(d *resource.Download) { d.URL = "https:///x" }),
		"a space":         with(func(d *resource.Download) { d.URL = "https://x/a b" }),
		"a password":      with(func(d *resource.Download) { d.URL = "https://me:hunter2@x/a" }),
		"a relative path": with(func(d *resource.Download) { d.Path = "x" }),
		"a mode":          with(func(d *resource.Download) { d.Mode = 644 }),
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: shown: %v", name, err)
		}
	}
}
