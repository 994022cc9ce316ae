package acceptance

import (
	_ "embed"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
)

//go:embed testdata/dashboard-page.mjs
var dashboardScript string

// ownDashboard is one with something, with nothing, and with something old.
const ownDashboard = `dashboard.panels=[{dashboard: Shop, title: Orders, target: "alias(shop.orders, 'orders')", unit: "/s", style: area}, ` +
	`{dashboard: Shop, title: Nothing, target: "shop.nothing"}, {dashboard: Shop, title: Old, target: "shop.old"}]`

// The seed's giraffe: dashboards over Graphite's render API, drawn in the browser, which say what is
// wrong instead of showing an empty graph.
func TestDashboardIsDrawnInABrowser(t *testing.T) {
	onItsDays(t, 1)
	t.Parallel()
	onEach(t, today(t), "labdash", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		provision(t, "install", "dashboard", "-y", "-e", ownDashboard, "-H", host.Name).exits(t, 0)
		now := time.Now().Unix()
		host.send(t, "shop.orders 42 %d\nshop.old 7 %d", now-10, now-600)
		host.run(t, `python3 -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1/events/", b"{\"what\": \"the shop was deployed\", \"tags\": [\"deploy\"]}")'`)
		web := host.web(t)
		eventually(t, "the metric", 10*time.Second, func() bool { return web.hasValue(t, "shop.orders", "42.0") })

		nobody := web
		nobody.password = ""
		if status, _ := nobody.get(t, "/dashboards/"); status != http.StatusUnauthorized {
			t.Errorf("without the password: %d", status)
		}
		dashboardInBrowser(t, host, web)
		if drawn := provision(t, "graph", "alias(shop.orders, 'orders')", "-H", host.Name).exits(t, 0); !strings.Contains(drawn.stdout, "orders") || !strings.Contains(drawn.stdout, " 42 ") {
			t.Errorf("graph draws\n%s", drawn.stdout)
		}

		// verify sees what users would.
		host.run(t, "echo '{}' >/usr/local/share/provision-dashboard/dashboards.json")
		provision(t, "verify", "dashboard", "-e", ownDashboard, "-H", host.Name).exits(t, 3).tells(t, "its dashboards")
		provision(t, "install", "dashboard", "-y", "-e", ownDashboard, "-H", host.Name).exits(t, 0)
		broken := strings.Replace(ownDashboard, "shop.nothing", "nosuchfunction(shop.old)", 1)
		provision(t, "install", "dashboard", "-y", "-e", broken, "-H", host.Name).exits(t, 3).tells(t, "Graphite answers panel Nothing of Shop")
	})
}

func dashboardInBrowser(t *testing.T, host machine, web website) {
	modules := clientModules(t)
	switcher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := host.try("systemctl "+strings.TrimPrefix(r.URL.Path, "/")+" graphite-web", ""); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	defer switcher.Close()
	script := filepath.Join(modules, "dashboard.mjs")
	if err := os.WriteFile(script, []byte(dashboardScript), 0o644); err != nil {
		t.Fatal(err)
	}
	shots := t.TempDir()
	c := exec.CommandContext(t.Context(), "node", script, web.base, web.password, switcher.URL+"/stop", switcher.URL+"/start", shots)
	c.Dir = modules
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, name := range []string{"390-dark", "390-light", "1280-dark", "1280-light", "failed"} {
		if picture, err := os.Stat(filepath.Join(shots, name+".png")); err != nil || picture.Size() < 10<<10 {
			t.Errorf("screenshot %s: %v", name, err)
		}
	}
}
