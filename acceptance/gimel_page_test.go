package acceptance

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

//go:embed testdata/gimel-page.mjs
var pageScript string

// pages opens a real page with the real client in Debian's chromium: the events are
// counted and its queue is empty; with Redis stopped it keeps the event, which is counted
// once when Redis is back.
func (g gimelHost) pages(t *testing.T) {
	modules := clientModules(t)
	files := http.FileServer(http.Dir(filepath.Join(modules, "node_modules", "alephbet", "dist")))
	mux := http.NewServeMux()
	mux.Handle("/dist/", http.StripPrefix("/dist/", files))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><title>page</title><script src="/dist/alephbet.min.js"></script>`)
	})
	// The page asks for these when Redis shall stop and be back.
	mux.HandleFunc("/redis/{verb}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := g.try("systemctl "+r.PathValue("verb")+" redis-server", ""); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer g.run(t, "systemctl start redis-server")

	script := filepath.Join(modules, "page.mjs")
	if err := os.WriteFile(script, []byte(pageScript), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Run("dashboard", func(t *testing.T) { g.clicks(t, modules) })
	for _, adapter := range []string{"GimelAdapter", "LamedAdapter"} {
		t.Run(adapter, func(t *testing.T) {
			experiment := "button of " + adapter
			c := exec.CommandContext(t.Context(), "node", script, server.URL, adapter, g.site()+"/choice", experiment)
			c.Dir = modules
			output, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, output, g.run(t, "tail -n 5 /var/log/nginx/gimel.access.log; journalctl -u gimel -u redis-server -n 30 --no-pager"))
			}
			t.Log(strings.TrimSpace(string(output)))
			// One visitor; the first goal, the one that was kept, and the one after it are
			// three visits of a goal that is not unique: each counted once.
			trials, successes := g.counts(t, "alephbet", experiment)
			if trials != 1 || successes != 3 {
				t.Errorf("%d participants and %d conversions, want 1 and 3", trials, successes)
			}
		})
	}
}

//go:embed testdata/gimel-dashboard.mjs
var gimelDashboardScript string

// clicks goes through the dashboard as who runs an experiment does: calculates, declares, changes,
// notes, archives, exports and deletes, with no script on the page.
func (g gimelHost) clicks(t *testing.T, modules string) {
	script := filepath.Join(modules, "dashboard.mjs")
	if err := os.WriteFile(script, []byte(gimelDashboardScript), 0o644); err != nil {
		t.Fatal(err)
	}
	password := strings.TrimSpace(g.run(t, "cat /etc/provision/secrets/gimel-password"))
	for again := 0; ; again++ {
		c := exec.CommandContext(t.Context(), "node", script, g.site())
		c.Dir, c.Env = modules, append(os.Environ(), "PASSWORD="+password)
		output, err := c.CombinedOutput()
		if err == nil {
			t.Log(strings.TrimSpace(string(output)))
			return
		}
		// An interface that comes to the machine, or goes, ends chromium's requests: see gimel-page.mjs.
		if again == 2 || !strings.Contains(string(output), "ERR_NETWORK_CHANGED") {
			t.Fatalf("%v\n%s", err, output)
		}
	}
}

var modulesOnce sync.Mutex

// clientModules installs AlephBet and the driver of chromium from npm.
func clientModules(t *testing.T) string {
	t.Helper()
	modulesOnce.Lock()
	defer modulesOnce.Unlock()
	for _, program := range []string{"npm", "node", "chromium"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("no %s here: apt-get install %s", program, program)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "alephbet@0.27.0", "playwright-core@1")
	c.Dir = dir
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return dir
}
