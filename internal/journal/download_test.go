package journal_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// serving gives the machine a place for what apt's helper fetches, and a server to fetch from.
func (m *machine) serving(t *testing.T, files map[string]string) string {
	t.Helper()
	m.write(t, m.dir+"/archives/lock", "")
	open(t, m.dir+"/archives")
	m.setup += "mount --bind " + m.dir + "/archives /var/cache/apt/archives || exit 99\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, there := files[r.URL.Path]; there {
			w.Write([]byte(text))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestDownload(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	url := m.serving(t, map[string]string{"/tool": "tool one", "/two%20it's": "", "/two it's": "tool two"})
	c := m.begin(t)
	download := resource.Download{Path: m.root + "/it's a tool", URL: url + "/tool", SHA256: recipe.Digest([]byte("tool one")), Attributes: recipe.Attributes{Mode: 0o755, Group: "daemon"}}
	c.becomes(t, download)
	if got := read(t, download.Path); got != "tool one" {
		t.Errorf("the file holds %q", got)
	}
	download.URL, download.SHA256, download.Mode = url+"/two%20it's", recipe.Digest([]byte("tool two")), 0o700
	c.becomes(t, download)
	// What is not there, or is another, is told, and changes nothing.
	for problem, bad := range map[string]resource.Download{
		"404":      {Path: download.Path, URL: url + "/none", SHA256: recipe.Digest([]byte("x"))},
		"mismatch": {Path: download.Path, URL: url + "/tool", SHA256: recipe.Digest([]byte("x"))},
	} {
		change, err := bad.Diff(recipe.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, problem) {
			t.Errorf("%s: said %q", problem, failed.Output)
		}
	}
	if got := read(t, download.Path); got != "tool two" {
		t.Errorf("the file holds %q", got)
	}
	if names := m.left(t, m.dir+"/archives/partial"); len(names) > 0 {
		t.Errorf("there is %q", names)
	}
	download.Absent = true
	c.becomes(t, download)
	c.finish(t)
	m.noTemporaries(t)
}

// Who talks to the network may become anybody's: that its file is another when root takes it is seen.
func TestDownloadThatBecomesAnother(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	url := m.serving(t, map[string]string{"/tool": "tool one"})
	m.write(t, m.root+"/secret", "root's")
	for name, becomes := range map[string]string{
		"another": `echo evil >"$target"`, "a link": `ln -sf ` + m.root + `/secret "$target"`,
	} {
		m.write(t, m.dir+"/helper", "#!/bin/sh\nfor word; do target=$last last=$word; done\n"+becomes+"\n")
		m.setup += "chmod 0755 " + m.dir + "/helper; mount --bind " + m.dir + "/helper /usr/lib/apt/apt-helper || exit 99\n"
		c := m.begin(t)
		change, err := resource.Download{Path: m.root + "/tool", URL: url + "/tool", SHA256: recipe.Digest([]byte("tool one"))}.Diff(recipe.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		c.fails(t, change.Steps...)
		if exists(m.root + "/tool") {
			t.Errorf("%s: taken: %q", name, read(t, m.root+"/tool"))
		}
		c.finish(t)
		m.noTemporaries(t)
	}
}
