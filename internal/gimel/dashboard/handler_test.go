package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

const hostile = `<script>alert("1")</script>&'/..`

type fake struct {
	details    []results.Detail
	err        error
	turnedAway int64
	namespaces []string
}

func (f fake) Namespaces(context.Context) ([]string, error) { return f.namespaces, nil }

func (f fake) TurnedAway(string) int64 { return f.turnedAway }

func (f fake) Experiments(_ context.Context, namespace string) (found []results.Detail, _ error) {
	for _, d := range f.details {
		if d.Namespace == namespace {
			found = append(found, d)
		}
	}
	return found, f.err
}

func (f fake) Experiment(_ context.Context, namespace, name string) (results.Detail, error) {
	for _, d := range f.details {
		if d.Namespace == namespace && d.Name == name {
			return d, d.Problem
		}
	}
	if f.err != nil {
		return results.Detail{}, f.err
	}
	return results.Detail{}, fmt.Errorf("redis: %w", results.ErrNotFound)
}

// fixture has an ordinary experiment, one whose every name is hostile, one
// with impossible counts, and one that nobody has seen.
func fixture() fake {
	day := func(date string, counts ...int64) results.Day {
		at, err := time.Parse(time.DateOnly, date)
		if err != nil {
			panic(err)
		}
		return results.Day{Date: at, Variants: []statistics.Variant{
			{Label: "grey", Successes: counts[0], Trials: counts[1]}, {Label: "blue", Successes: counts[2], Trials: counts[3]}}}
	}
	variants := []statistics.Variant{{Label: "grey", Weight: 1, Trials: 10000, Successes: 520}, {Label: "blue", Weight: 1, Trials: 10010, Successes: 640}}
	ordinary := results.Detail{
		Summary: results.Summary{Namespace: "alephbet", Name: "button color", Variants: variants, Goals: []string{"sign-up"}, PlannedTrials: 9000,
			Started: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Declared: true},
		Declaration: store.Declaration{Namespace: "alephbet", Experiment: "button color", Goals: []string{"sign-up"}, Planned: 9000,
			Variants: []store.Variant{{Label: "grey", Weight: 2}, {Label: "blue", Weight: 2}}},
		Notes: store.Notes{Hypothesis: "blue sells", Owner: "Ada", Log: []store.Entry{{At: time.Unix(1e9, 0), Text: "Declared"}}},
		Results: []results.Goal{{Name: "sign-up", Variants: variants,
			Days: []results.Day{day("2026-11-04", 20, 400, 25, 410), day("2026-11-01", 500, 9500, 600, 9500)}}},
	}
	evil := results.Detail{
		Summary: results.Summary{Namespace: "alephbet", Name: hostile, PlannedTrials: 5, Goals: []string{hostile},
			Variants: []statistics.Variant{{Label: hostile, Trials: 10}, {Label: "b", Trials: 10}}},
		Notes:    store.Notes{Hypothesis: hostile, Owner: hostile, Decision: hostile, Log: []store.Entry{{Text: hostile}}},
		Crossing: store.Crossing{Looked: 100, Several: 50},
		Results: []results.Goal{{Name: hostile, Variants: []statistics.Variant{{Label: hostile, Trials: 10, Successes: 2}, {Label: "b", Trials: 10, Successes: 30}},
			Days: []results.Day{{Date: time.Unix(0, 0), Variants: []statistics.Variant{{Label: hostile, Trials: 10, Successes: 2}, {Label: "b", Trials: 10, Successes: 30}}}}}},
	}
	unseen := results.Detail{Summary: results.Summary{Namespace: "alephbet", Name: "unseen", Declared: true, Archived: true}}
	spoiled := results.Detail{Summary: results.Summary{Namespace: "alephbet", Name: "spoiled", Problem: errUnreadable}}
	return fake{details: []results.Detail{ordinary, evil, unseen, spoiled}}
}

var errUnreadable = fmt.Errorf("redis: experiment %s: %w", hostile, store.ErrUnreadable)

func get(t *testing.T, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func experimentURL(name string) string {
	return "/experiment?" + url.Values{"namespace": {"alephbet"}, "name": {name}}.Encode()
}

// allPages is every kind of page, by name.
func allPages(t *testing.T) map[string]*httptest.ResponseRecorder {
	h := pagesOf(fixture())
	pages := map[string]*httptest.ResponseRecorder{
		"list": get(t, h, "/"), "empty list": get(t, h, "/?namespace="+url.QueryEscape(hostile)),
		"experiment": get(t, h, experimentURL("button color")), "hostile": get(t, h, experimentURL(hostile)),
		"unreadable": get(t, h, experimentURL("spoiled")), "delete, unreadable": get(t, h, "/delete"+strings.TrimPrefix(experimentURL("spoiled"), "/experiment")),
		"unseen": get(t, h, experimentURL("unseen")), "unknown": get(t, h, experimentURL("no such")),
		"calculator": get(t, h, "/calculator"), "calculator, hostile": get(t, h, "/calculator?baseline="+url.QueryEscape(hostile)),
		"calculator, points": get(t, h, "/calculator?kind=points&effect=1&variants=4&visitors=1,000"),
		"declare":            get(t, h, "/declare"), "change": get(t, h, "/declare"+strings.TrimPrefix(experimentURL("button color"), "/experiment")),
		"change, hostile":    get(t, h, "/declare"+strings.TrimPrefix(experimentURL(hostile), "/experiment")),
		"delete":             get(t, h, "/delete"+strings.TrimPrefix(experimentURL(hostile), "/experiment")),
		"declare, a mistake": post(t, h, "/declare", url.Values{"namespace": {hostile}, "name": {hostile}, "variant": {hostile, hostile}, "goal": {hostile}, "planned": {hostile}}),
		"delete, a mistake":  post(t, h, "/delete", url.Values{"namespace": {"alephbet"}, "name": {hostile}, "confirm": {hostile + "x"}}),
		"not found":          get(t, h, "/deep/er/"), "broken": get(t, pagesOf(fake{err: errors.New("password=hunter2")}), "/"),
	}
	login := httptest.NewRecorder()
	Login(login, http.StatusUnauthorized, hostile)
	pages["login"] = login
	return pages
}

func TestStatusOfEveryPage(t *testing.T) {
	want := map[string]int{"declare, a mistake": 422, "delete, a mistake": 422, "unknown": 404, "not found": 404, "unreadable": 500, "broken": 503, "login": 401}
	for name, page := range allPages(t) {
		expected, special := want[name]
		if !special {
			expected = http.StatusOK
		}
		if page.Code != expected {
			t.Errorf("%s: status %d, want %d", name, page.Code, expected)
		}
	}
	w := httptest.NewRecorder()
	pagesOf(fixture()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/calculator", nil))
	if w.Code == http.StatusOK {
		t.Error("POST was answered 200")
	}
}

var (
	elsewhere = regexp.MustCompile(`(?i)[a-z]+://|(?:src|href|action)="//`)
	inline    = regexp.MustCompile(`(?i)<script|<style|\sstyle="|\son[a-z]+="|javascript:`)
	absolute  = regexp.MustCompile(`(?:src|href|action)="/`)
	broken    = regexp.MustCompile(`NaN|\+?Inf\b|ZgotmplZ|&lt;nil&gt;|%!`)
)

func TestEveryPageIsSafe(t *testing.T) {
	for name, page := range allPages(t) {
		body := page.Body.String()
		for what, pattern := range map[string]*regexp.Regexp{"an address elsewhere": elsewhere, "inline script or style": inline,
			"an absolute link": absolute, "a broken value": broken} {
			if found := pattern.FindString(body); found != "" {
				t.Errorf("%s: %s: %q", name, what, found)
			}
		}
		policy := page.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", name, policy)
		}
		if page.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be cached", name)
		}
		if strings.Contains(body, "hunter2") {
			t.Errorf("%s: shows an error of the store", name)
		}
		if !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
			t.Errorf("%s: is not whole", name)
		}
	}
}

func TestIdsAreUnique(t *testing.T) {
	id := regexp.MustCompile(`\sid="([^"]*)"`)
	for name, page := range allPages(t) {
		seen := map[string]bool{}
		for _, match := range id.FindAllStringSubmatch(page.Body.String(), -1) {
			if seen[match[1]] {
				t.Errorf("%s: id %q twice", name, match[1])
			}
			seen[match[1]] = true
		}
	}
}

func TestEveryInputHasALabel(t *testing.T) {
	input := regexp.MustCompile(`<(?:input|select)[^>]*>`)
	attribute := regexp.MustCompile(`\sid="([^"]*)"`)
	for name, page := range allPages(t) {
		body := page.Body.String()
		for _, element := range input.FindAllString(body, -1) {
			if strings.Contains(element, `type="hidden"`) || strings.Contains(element, "aria-label=") {
				continue
			}
			id := attribute.FindStringSubmatch(element)
			if id == nil || !strings.Contains(body, `<label for="`+id[1]+`"`) {
				t.Errorf("%s: no label for %s", name, element)
			}
		}
	}
}

func TestListLinksToHostileNames(t *testing.T) {
	body := get(t, pagesOf(fixture()), "/").Body.String()
	links := regexp.MustCompile(`href="(experiment\?[^"]*)"`).FindAllStringSubmatch(body, -1)
	if len(links) != 4 {
		t.Fatalf("%d links, want 4:\n%s", len(links), body)
	}
	for _, link := range links {
		target := strings.ReplaceAll(link[1], "&amp;", "&")
		if page := get(t, pagesOf(fixture()), "/"+target); page.Code != http.StatusOK && !strings.HasSuffix(target, "name=spoiled") {
			t.Errorf("%s: status %d", target, page.Code)
		}
	}
}

// Who looks at the list is told that events were dropped: else an experiment that is missing from
// it, or stands still, is a riddle.
func TestListTellsOfDroppedEvents(t *testing.T) {
	const told = "Events were dropped"
	of := fixture()
	if body := get(t, pagesOf(of), "/").Body.String(); strings.Contains(body, told) {
		t.Error("told though none was dropped")
	}
	of.turnedAway = 1234
	if body := get(t, pagesOf(of), "/").Body.String(); !strings.Contains(body, told) || !strings.Contains(body, formatCount(1234)) {
		t.Errorf("not told:\n%s", body)
	}
}

// The list says of each experiment what its own page would say.
func TestListShowsVerdicts(t *testing.T) {
	body := get(t, pagesOf(fixture()), "/").Body.String()
	for _, want := range []string{`<span class="good">“blue” converts better than the control</span>`, `<span class="alarm">These counts cannot be compared</span>`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in:\n%s", want, body)
		}
	}
	if count := strings.Count(body, `<span class="calm">`); count != 0 {
		t.Errorf("%d more, though nobody has visited the third", count)
	}
}

func TestNamespacesAreAChoice(t *testing.T) {
	of := fixture()
	if body := get(t, pagesOf(of), "/").Body.String(); strings.Contains(body, "<select") {
		t.Error("a choice of one")
	}
	of.namespaces = []string{hostile, "shop"}
	body := get(t, pagesOf(of), "/?namespace=shop").Body.String()
	if !strings.Contains(body, `<option selected>shop</option>`) || !strings.Contains(body, "<option>&lt;script&gt;") {
		t.Errorf("%s", body)
	}
}

func TestExperimentPage(t *testing.T) {
	body := get(t, pagesOf(fixture()), experimentURL("button color")).Body.String()
	for _, want := range []string{
		"“blue” converts better than the control", // at the end of 1 November, when 9000 were reached: 500/9600 against 615/9600
		"5.20%", "6.39%", "&#43;1.20", "10,000 of 9,000", "reached",
		`<path class="line s1"`, `<path class="band s0"`, "<details", "2 Nov 2026",
		"Includes 200 participants that were counted without a date", // 20,010 − 19,810
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestImpossibleCountsShowARateAndNoP(t *testing.T) {
	view := newExperimentView(fixture().details[1], time.Now())
	b := view.Goals[0].Rows[1]
	if b.Rate != "300%" || !b.Impossible || b.P+b.SequentialP+b.Best+b.Difference != "" {
		t.Errorf("row %+v", b)
	}
	if view.Goals[0].Verdict.Title != "These counts cannot be compared" {
		t.Errorf("verdict %+v", view.Goals[0].Verdict)
	}
}

func TestSplitNotices(t *testing.T) {
	for _, c := range []struct {
		a, b     int64
		declared bool
		want     string
	}{
		{10000, 10010, true, ""}, {10000, 10000, false, ""},
		{10000, 10400, true, "Check the split"}, {10000, 10400, false, ""},
		{10000, 12000, true, "Sample ratio mismatch"}, {10000, 12000, false, "Unequal split"},
	} {
		got := splitNotice(statistics.CheckSampleRatio([]statistics.Variant{{Trials: c.a}, {Trials: c.b}}), c.declared)
		if title := titleOf(got); title != c.want {
			t.Errorf("%d : %d, declared %t: %q, want %q", c.a, c.b, c.declared, title, c.want)
		}
	}
}

func TestStrayVariantIsMentioned(t *testing.T) {
	got := splitNotice(statistics.CheckSampleRatio([]statistics.Variant{{Weight: 1, Trials: 500}, {Weight: 1, Trials: 500}, {Trials: 3}}), true)
	if titleOf(got) != "Undeclared variants" || got.Tone != "warn" {
		t.Errorf("%+v", got)
	}
}

func titleOf(n *notice) string {
	if n == nil {
		return ""
	}
	return n.Title
}

func TestAssets(t *testing.T) {
	for _, mounted := range []http.Handler{
		http.StripPrefix("/dashboard", pagesOf(fixture())),
		http.StripPrefix("/dashboard/", Assets()),
	} {
		w := get(t, mounted, "/dashboard/assets/style.css")
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
			t.Errorf("style sheet: %d %s", w.Code, w.Header().Get("Content-Type"))
		}
		if elsewhere.MatchString(w.Body.String()) || strings.Contains(w.Body.String(), "@import") {
			t.Error("the style sheet asks another site")
		}
		if w := get(t, mounted, "/dashboard/assets/"); w.Code != http.StatusNotFound {
			t.Errorf("directory listing: %d", w.Code)
		}
	}
}

func TestCalculator(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"baseline=20&effect=5&kind=points", ">1,169<"},
		{"baseline=20&effect=25&kind=relative", ">1,169<"},
		{"baseline=20&effect=5&kind=points&visitors=100", "24 days"},
		{"baseline=20&effect=5&kind=points&variants=3", "2.00%"},
		{"baseline=20&effect=90&kind=points", "No rate is 0.9 away from 0.2"},
		{"baseline=x", "The conversion rate must be a number above 0"},
		{"variants=1", "The number of variants must be 2 to 20"},
		{"visitors=-4", "Visitors a day must be"},
		{"baseline=5&effect=1e-9", "too small"},
		{"baseline=10&mean=38.3&deviation=30.5&effect=15", ">13,276<"},
		{"baseline=10&mean=38.3&deviation=30.5&effect=15", "tell 3.83 from 4.40 a participant"},
		{"baseline=10&mean=38.3&deviation=30.5&effect=15", "by 24,306 in each"},
		{"baseline=10&mean=38.3&deviation=30.5&effect=15", "&amp;kind=value"},
		{"baseline=10&mean=38.3", "needs both"},
		{"baseline=10&mean=38.3&deviation=30.5&effect=15&kind=points", "is a relative one"},
		{"baseline=10&mean=38.3&deviation=zero", "Its standard deviation must be a number above 0"},
	} {
		body := get(t, pagesOf(fixture()), "/calculator?"+c.query).Body.String()
		if !strings.Contains(body, c.want) {
			t.Errorf("%s: %q is missing", c.query, c.want)
		}
	}
}

// An experiment that nobody declared says what that means; a declared one, and one without
// participants, does not.
func TestAnUndeclaredExperimentSaysWhatThatMeans(t *testing.T) {
	h := pagesOf(fixture())
	for name, want := range map[string]bool{hostile: true, "button color": false, "unseen": false} {
		if got := strings.Contains(get(t, h, experimentURL(name)).Body.String(), "Nobody declared this experiment"); got != want {
			t.Errorf("%s: told %t, want %t", name, got, want)
		}
	}
}
