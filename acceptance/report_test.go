package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRunPage looks at the page of a run with chromium, as wide as a desk's screen and as a phone's, light and
// dark: nothing is wider than the screen, the console stays empty, and it asks for nothing but itself.
func TestRunPage(t *testing.T) {
	onItsDays(t, 1)
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no chromium here: apt-get install chromium")
	}
	dir := t.TempDir()
	environment := append(command(t).Env, "XDG_CACHE_HOME="+dir)
	writeProject(t, dir, map[string]string{"hosts.yaml": "hosts: {web1: {}}\n", "tasks/page.star": tallPage})
	for _, args := range [][]string{{"plan", "page", "--local"}, {"report", "--out", filepath.Join(dir, "run.html")}} {
		c := command(t, append(args, "--inventory", dir+"/hosts.yaml")...)
		c.Env = environment
		finish(t, c).exits(t, 0)
	}
	page, err := os.ReadFile(filepath.Join(dir, "run.html"))
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/run":
			w.Write([]byte(strings.ReplaceAll(string(page), "<details>", "<details open>")))
		case "/frame":
			fmt.Fprintf(w, framed, r.FormValue("width"))
		default:
			asked <- r.URL.Path
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, width := range []string{"1280", "390"} {
		for scheme, setting := range map[string]string{"light": "1", "dark": "0"} {
			c := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
				"--disable-background-networking", "--user-data-dir="+t.TempDir(), "--window-size=1400,1000", "--enable-logging=stderr",
				"--blink-settings=preferredColorScheme="+setting, "--virtual-time-budget=5000", "--timeout=20000", "--dump-dom", server.URL+"/frame?width="+width)
			c.WaitDelay = 5 * time.Second
			c.Env = append(os.Environ(), "HOME="+t.TempDir())
			output, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, tail(string(output), 2000))
			}
			want := fmt.Sprintf("<title>%s wide, 0 too wide, %s, 2 spans<", width, map[string]string{"light": "rgb(251, 251, 250)", "dark": "rgb(20, 23, 26)"}[scheme])
			if !strings.Contains(string(output), want) {
				t.Errorf("%s, %s: not %q in\n%s", width, scheme, want, tail(string(output), 1500))
			}
			if i := strings.Index(string(output), "CONSOLE"); i >= 0 {
				t.Errorf("%s, %s: on the console: %.300s", width, scheme, output[i:])
			}
		}
	}
	select {
	case path := <-asked:
		if path != "/favicon.ico" { // of the frame around it
			t.Errorf("it asks for %s", path)
		}
	default:
	}
}

// tallPage wants files with long names and long lines.
const tallPage = `
def build(v, host):
    return [file("/var/lib/" + "page-of-a-test-" * n + "end", ("a long line of a file, and a word" + "-and-more" * 40 + "\\n") * n) for n in range(1, 9)]
`

// framed shows the page in a frame that is as wide as a screen, and says how wide what is in it is, and its
// colours.
const framed = `<!DOCTYPE html><title>waits</title><iframe id="page" src="/run" style="border:0;height:900px;width:%[1]spx"></iframe>
<script>
onload = () => {
  const inside = document.getElementById("page").contentDocument
  const style = getComputedStyle(inside.body)
  const wide = inside.documentElement
  document.title = "%[1]s wide, " + (wide.scrollWidth - wide.clientWidth) + " too wide, " + style.backgroundColor + ", " + inside.querySelectorAll(".lane i").length + " spans"
}
</script>`
