package acceptance

import (
	_ "embed"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
)

//go:embed testdata/site-pages.mjs
var sitePagesScript string

// The documentation's site is built, and each page is right in a browser: wide and narrow, light and dark,
// with a search, and without a request to anybody else.
func TestSite(t *testing.T) {
	onItsDays(t, 5)
	t.Parallel()
	turn(t)
	modules := clientModules(t)
	site := filepath.Join(t.TempDir(), "site")
	if output, err := exec.CommandContext(t.Context(), "../packaging/site/build", site).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	pages := builtPages(t, site)
	server := httptest.NewServer(http.FileServer(http.Dir(site)))
	defer server.Close()
	script := filepath.Join(modules, "site.mjs")
	if err := os.WriteFile(script, []byte(sitePagesScript), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "node", append([]string{script, server.URL, t.TempDir(), site}, pages...)...)
	c.Dir = modules
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// builtPages are all of the site, those of files outside of docs that pages lead to among them.
func builtPages(t *testing.T, site string) []string {
	t.Helper()
	var pages []string
	err := filepath.WalkDir(site, func(file string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(file, ".html") {
			pages = append(pages, strings.TrimPrefix(file, site+"/"))
		}
		return err
	})
	if err != nil || len(pages) < 120 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	return pages
}

// TestGuides goes the way of pages that show how something is used, command by command: web1 is a lab host.
func TestGuides(t *testing.T) {
	onItsDays(t, 5)
	t.Parallel()
	l := labtest.Open(t)
	hosts := boot(t, l, "bookworm", "labguide")
	home := t.TempDir()
	ownLab1(t)
	environment := readerHome(t, l, home, hosts, readerLab(t, "guide"))
	for _, page := range []string{"guarded-changes", "lab", "secrets"} {
		follow(t, "../docs/"+page+".md", home, environment)
	}
}
