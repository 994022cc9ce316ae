package tasks

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/templates"
)

func TestTargetsAreTakenApart(t *testing.T) {
	for text, want := range map[string][]string{
		"a.b":                              {"a.b"},
		"a.{b,c}.d, sum(x,y)":              {"a.{b,c}.d", "sum(x,y)"},
		`alias(a.b, 'x, (y')`:              {`alias(a.b, 'x, (y')`},
		`aliasSub(a, '^(.*)\.b$', '\1'),c`: {`aliasSub(a, '^(.*)\.b$', '\1')`, "c"},
		`alias(a, 'it\'s, so'), b[0-9]`:    {`alias(a, 'it\'s, so')`, "b[0-9]"},
		`alias(a, "é, ü")`:                 {`alias(a, "é, ü")`},
	} {
		if got, err := splitTargets(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":            "nothing stands before or behind a comma",
		"a,":          "nothing stands before or behind a comma",
		"sum(a":       "a ) is missing",
		"sum(a]":      "] closes nothing",
		"a)":          ") closes nothing",
		"alias(a,'x)": "a quote ' is not closed",
		"a\x1bb":      "must be a line",
		"\xff":        "must be a line",
	} {
		if _, err := splitTargets(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestPanelsAreChecked(t *testing.T) {
	panels := taskNamed(t, "dashboard").Variables[1]
	for _, test := range []struct {
		panel map[string]any
		want  string
	}{
		{map[string]any{"dashboard": "D", "title": "T", "target": "sum(a", "unit": "/s"}, `panel "T" of dashboard "D": target "sum(a": a ) is missing`},
		{map[string]any{"dashboard": "D", "title": "T", "target": "a", "style": "bars"}, `style "bars": must be line, area or stacked`},
		{map[string]any{"dashboard": "D", "title": "T", "target": "a", "minimum": "low"}, `minimum "low": must be a number`},
		{map[string]any{"dashboard": "D", "title": "T", "target": "a", "minimum": "NaN"}, `minimum "NaN": must be a number`},
		{map[string]any{"dashboard": "D", "title": "T", "target": "a", "minimum": "2", "maximum": "1"}, "minimum: must be less than maximum"},
		{map[string]any{"dashboard": " D", "title": "T", "target": "a"}, `dashboard " D": must be a line`},
		{map[string]any{"dashboard": "D", "title": "T", "target": "a", "targets": "b"}, `unknown key "targets": want dashboard, title, target, and if wanted unit, style, minimum, maximum, about`},
	} {
		if _, err := panels.Decode([]any{test.panel}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %s", test.panel, err, test.want)
		}
	}
	twice := map[string]any{"dashboard": "D", "title": "T", "target": "a"}
	if _, err := panels.Decode([]any{twice, twice}); err == nil || !strings.Contains(err.Error(), "is there twice") {
		t.Errorf("%v", err)
	}
}

// One's own dashboards come first, and a page without any is refused.
func TestOwnDashboards(t *testing.T) {
	task := taskNamed(t, "dashboard")
	own := []any{
		map[string]any{"dashboard": "Shop", "title": "Orders", "target": "a, b", "unit": "/s", "minimum": "0"},
		map[string]any{"dashboard": "Hosts", "title": "Rooms", "target": "c"},
		map[string]any{"dashboard": "Shop", "title": "Visits", "target": "d"},
	}
	text, err := dashboardsJSON(values(t, task, map[string]any{"panels": own}))
	if err != nil {
		t.Fatal(err)
	}
	var made dashboards
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tab := range made.Dashboards {
		names = append(names, tab.Name)
	}
	if want := []string{"Shop", "Hosts", "Graphite", "statsd"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	shop := made.Dashboards[0].Panels
	if len(shop) != 2 || !slices.Equal(shop[0].Targets, []string{"a", "b"}) || shop[0].Minimum == nil || *shop[0].Minimum != 0 || shop[0].Maximum != nil {
		t.Errorf("%+v", shop)
	}
	other, err := dashboardsJSON(values(t, task, map[string]any{"panels": own[:2]}))
	if err != nil || strings.Contains(other, made.Version) {
		t.Errorf("other dashboards have the same version: %v", err)
	}
	if variable, err := task.Check(values(t, task, map[string]any{"shipped": false})); variable != "panels" || err == nil {
		t.Errorf("%s, %v", variable, err)
	}
}

// What comes from elsewhere is what its authors have published: uPlot 1.6.32, as npm has it in dist/.
func TestWhatDrawsIsAsItWasPublished(t *testing.T) {
	page := templates.Page()
	for name, digest := range map[string]string{
		"uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
		"uPlot.min.css":     "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
		"uPlot.LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
	} {
		if is := recipe.Digest([]byte(page[name])); is != digest {
			t.Errorf("%s: %s, want %s", name, is, digest)
		}
	}
}

// Graphite writes infinity, which carbon takes from anybody, as 1e9999: one such point is not drawn, and its
// series is, on an axis that has an end.
func TestThePageReckonsWithInfinity(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node here: apt-get install nodejs")
	}
	module := filepath.Join(t.TempDir(), "graphite.mjs")
	if err := os.WriteFile(module, []byte(templates.Page()["graphite.js"]), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", `
globalThis.fetch = async () => new Response('[{"target": "load", "datapoints": [[1, 10], [1e9999, 20], [-1e9999, 30], [null, 40], [1.7e308, 50], [-2.5, 60]]}]');
const { series } = await import(`+strconv.Quote(module)+`);
const { list } = await series(["load"], { from: "-1h", until: "now" }, 300, new AbortController().signal);
console.log(JSON.stringify(list[0].ys.map((y) => (y === null ? "none" : String(y)))));
`)
	c.Stderr = os.Stderr
	drawn, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := `["1","none","none","none","none","-2.5"]`; strings.TrimSpace(string(drawn)) != want {
		t.Errorf("%s, want %s", drawn, want)
	}
}

// The page is whole, and names no other site.
func TestThePageIsWhole(t *testing.T) {
	page := templates.Page()
	local := regexp.MustCompile(`(?:src|href)="([a-zA-Z.]+)"|from "\./([a-z.]+)"`)
	for name, text := range page {
		if strings.HasPrefix(name, "uPlot") {
			continue
		}
		for _, found := range local.FindAllStringSubmatch(text, -1) {
			if file := found[1] + found[2]; page[file] == "" {
				t.Errorf("%s names %s, which is not there", name, file)
			}
		}
		if at := regexp.MustCompile(`https?://`).FindString(strings.ReplaceAll(text, `xmlns="http://www.w3.org/2000/svg"`, "")); at != "" {
			t.Errorf("%s names another site", name)
		}
		if strings.Contains(text, " style=") || strings.Contains(text, " onclick=") {
			t.Errorf("%s has what its Content-Security-Policy forbids", name)
		}
	}
}
