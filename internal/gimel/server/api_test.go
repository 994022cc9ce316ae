package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestDeclareShowListArchiveDelete(t *testing.T) {
	s := newSite(t)
	const path = "/api/v1/experiment?namespace=shop&name=button+color"
	body := `{"variants":[{"label":"red"},{"label":"blue","weight":3}],"goals":["buy"],"planned_trials":500}`
	first := s.withKey("PUT", path, body)
	if first.status != 201 {
		t.Fatalf("%+v", first)
	}
	want := `{"namespace":"shop","name":"button color","declared":true,"archived":false,"started":"` +
		time.Now().UTC().Format(time.DateOnly) + `","planned_trials":500,
		"variants":[{"label":"red","weight":1,"trials":0},{"label":"blue","weight":3,"trials":0}],"goals":["buy"]}`
	sameJSON(t, first.body, want)
	if again := s.withKey("PUT", path, body); again.status != 200 {
		t.Errorf("again: %+v", again)
	}
	sameJSON(t, s.withKey("GET", path, "").body, want)
	sameJSON(t, s.withKey("GET", "/api/v1/experiments?namespace=shop", "").body, `{"experiments":[`+want+`]}`)
	archived := s.withKey("POST", "/api/v1/experiment/archive?namespace=shop&name=button+color", "")
	if archived.status != 200 || !strings.Contains(archived.body, `"archived":true`) {
		t.Errorf("archive: %+v", archived)
	}
	restored := s.withKey("POST", "/api/v1/experiment/restore?namespace=shop&name=button+color", "")
	if restored.status != 200 || !strings.Contains(restored.body, `"archived":false`) {
		t.Errorf("restore: %+v", restored)
	}
	if got := s.withKey("DELETE", path, ""); got.status != 204 {
		t.Errorf("delete: %+v", got)
	}
	if got := s.withKey("GET", path, ""); got.status != 404 || !strings.Contains(got.body, `no experiment \"button color\"`) {
		t.Errorf("after delete: %+v", got)
	}
}

func TestTheAPISaysWhatIsWrong(t *testing.T) {
	s := newSite(t)
	tests := map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"no name":           {"PUT", "/api/v1/experiment", `{}`, 400, "name: missing_parameter"},
		"colon":             {"PUT", "/api/v1/experiment?name=a:b", `{}`, 400, "name: colon"},
		"bad namespace":     {"GET", "/api/v1/experiment?name=a&namespace=a:b", ``, 400, "namespace: colon"},
		"no JSON":           {"PUT", "/api/v1/experiment?name=a", `{`, 400, "body: "},
		"two values":        {"PUT", "/api/v1/experiment?name=a", `{}{}`, 400, "more than one"},
		"unknown field":     {"PUT", "/api/v1/experiment?name=a", `{"variant":[]}`, 400, `unknown field \"variant\"`},
		"huge body":         {"PUT", "/api/v1/experiment?name=a", `{"goals":["` + strings.Repeat("x", 2<<20) + `"]}`, 400, "too large"},
		"empty label":       {"PUT", "/api/v1/experiment?name=a", `{"variants":[{}]}`, 422, "variants[0].label"},
		"label twice":       {"PUT", "/api/v1/experiment?name=a", `{"variants":[{"label":"x"},{"label":"x"}]}`, 422, "twice"},
		"weight zero":       {"PUT", "/api/v1/experiment?name=a", `{"variants":[{"label":"x","weight":0}]}`, 422, "variants[0].weight"},
		"participate":       {"PUT", "/api/v1/experiment?name=a", `{"goals":["participate"]}`, 422, "no goal"},
		"kind of no goal":   {"PUT", "/api/v1/experiment?name=a", `{"goals":["x"],"kinds":{"y":"count"}}`, 422, `\"y\" is not among`},
		"unknown kind":      {"PUT", "/api/v1/experiment?name=a", `{"goals":["x"],"kinds":{"x":"money"}}`, 422, "none of unique"},
		"weight too large":  {"PUT", "/api/v1/experiment?name=a", `{"variants":[{"label":"x","weight":1e308},{"label":"y","weight":1e308}]}`, 422, "variants[0].weight"},
		"a goal twice":      {"PUT", "/api/v1/experiment?name=a", `{"goals":["x","y","x"]}`, 422, "is there twice"},
		"max of no value":   {"PUT", "/api/v1/experiment?name=a", `{"goals":["x"],"max":{"x":5}}`, 422, "of the kind value or count"},
		"max of nothing":    {"PUT", "/api/v1/experiment?name=a", `{"goals":["x"],"kinds":{"x":"value"},"max":{"x":0}}`, 422, "above 0"},
		"keyed, no goal":    {"PUT", "/api/v1/experiment?name=a", `{"goals":["x"],"keyed":["y"]}`, 422, `\"y\" is not among`},
		"negative plan":     {"PUT", "/api/v1/experiment?name=a", `{"planned_trials":-1}`, 422, "planned_trials"},
		"archive nothing":   {"POST", "/api/v1/experiment/archive?name=a", ``, 404, "no experiment"},
		"results of none":   {"GET", "/api/v1/experiment/results?name=a", ``, 404, "no experiment"},
		"bad alpha":         {"GET", "/api/v1/experiment/results?name=a&alpha=2", ``, 400, "alpha"},
		"bad format":        {"GET", "/api/v1/export?format=xml", ``, 400, "format"},
		"export of none":    {"GET", "/api/v1/export?name=a", ``, 404, "no such experiment"},
		"unknown route":     {"GET", "/api/v1/nothing", ``, 404, "no such route"},
		"unfitting method":  {"POST", "/api/v1/experiment?name=a", `{}`, 404, "not with this method"},
		"control character": {"PUT", "/api/v1/experiment?name=a%00", `{}`, 400, "name: bad_character"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := s.withKey(test.method, test.path, test.body)
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("%+v, want %d with %q", got, test.status, test.want)
			}
			if !json.Valid([]byte(got.body)) {
				t.Errorf("no JSON: %s", got.body)
			}
		})
	}
}

func TestTheAPINeedsTheKey(t *testing.T) {
	s := newSite(t)
	for _, route := range []string{"GET /api/v1/experiments", "GET /api/v1/experiment?name=a", "PUT /api/v1/experiment?name=a",
		"DELETE /api/v1/experiment?name=a", "POST /api/v1/experiment/archive?name=a", "GET /api/v1/experiment/results?name=a",
		"GET /api/v1/export"} {
		method, path, _ := strings.Cut(route, " ")
		for _, key := range []string{"", "wrong"} {
			if got := s.do(method, path, "", "X-Api-Key", key); got.status != 401 {
				t.Errorf("%s with %q: %+v", route, key, got)
			}
		}
	}
	if !s.metric("gimel_unauthorized_total 14") {
		t.Error("not counted")
	}
}

func TestResultsAndExport(t *testing.T) {
	s := newSite(t)
	if got := s.withKey("PUT", "/api/v1/experiment?name=e", `{"variants":[{"label":"b"},{"label":"a"}],"goals":["buy"],"planned_trials":100}`); got.status != 201 {
		t.Fatalf("%+v", got)
	}
	for i := range 20 {
		s.track("e", []string{"a", "b"}[i%2], "participate", fmt.Sprint(i))
		if i%4 == 0 {
			s.track("e", "a", "buy", fmt.Sprint(i))
		}
	}
	var results struct {
		Results []struct {
			Goal   string
			Report struct {
				Alpha    float64
				Progress struct{ Planned, Smallest int64 }
				Variants []struct {
					Label             string
					Trials, Successes int64
					Rate              *float64
				}
			}
		}
	}
	got := s.withKey("GET", "/api/v1/experiment/results?name=e&alpha=0.01", "")
	if err := json.Unmarshal([]byte(got.body), &results); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	report := results.Results[0].Report
	if report.Alpha != 0.01 || report.Progress.Planned != 100 || report.Progress.Smallest != 10 {
		t.Errorf("%s", got.body)
	}
	// The declared order makes b the control.
	if a := report.Variants[1]; a.Label != "a" || a.Trials != 10 || a.Successes != 5 || a.Rate == nil || *a.Rate != 0.5 {
		t.Errorf("%s", got.body)
	}
	day := time.Now().UTC().Format(time.DateOnly)
	csv := s.withKey("GET", "/api/v1/export?name=e&format=csv", "")
	want := "namespace,experiment,event,variant,day,count,sum,squares\n" +
		"alephbet,e,buy,a," + day + ",5,,\nalephbet,e,buy,a,total,5,,\n" +
		"alephbet,e,participate,a," + day + ",10,,\nalephbet,e,participate,a,total,10,,\n" +
		"alephbet,e,participate,b," + day + ",10,,\nalephbet,e,participate,b,total,10,,\n"
	if csv.body != want || csv.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("csv = %s", csv.body)
	}
	rows := s.withKey("GET", "/api/v1/export", "")
	if !strings.Contains(rows.body, `{"namespace":"alephbet","experiment":"e","event":"buy","variant":"a","day":"total","count":5}`) {
		t.Errorf("json = %s", rows.body)
	}
	s.track("=cmd", "v", "participate", "u")
	if csv := s.withKey("GET", "/api/v1/export?format=csv&name=%3Dcmd", ""); !strings.Contains(csv.body, "alephbet,'=cmd,participate,") {
		t.Errorf("formula: %s", csv.body)
	}
}

func TestExperimentNamesThatPathsWouldChange(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"..", "a/b", "{x}"} {
		if got := s.track(name, "v", "participate", "u"); got.status != http.StatusOK {
			t.Errorf("%+v", got)
		}
		if got := s.count(name, "participate", "v"); got != 1 {
			t.Errorf("%s = %d", name, got)
		}
	}
}

// A goal with a value, from its declaration to what its participants bring; one without is dropped
// and counted by its reason.
func TestAGoalCountsValues(t *testing.T) {
	s := newSite(t)
	declared := s.withKey("PUT", "/api/v1/experiment?name=shop", `{"variants":[{"label":"a"},{"label":"b"}],"goals":["order"],"kinds":{"order":"value"}}`)
	if declared.status != 201 || !strings.Contains(declared.body, `"kinds":{"order":"value"}`) {
		t.Fatalf("%+v", declared)
	}
	for i := range 4 {
		for _, query := range []string{"event=participate", "event=order&value=" + fmt.Sprint(i), "event=order&value=99", "event=order"} {
			if got := s.do("GET", fmt.Sprintf("/track?experiment=shop&variant=a&uuid=%d&%s", i, query), ""); got.status != 200 {
				t.Fatalf("%s: %+v", query, got)
			}
		}
	}
	results := s.withKey("GET", "/api/v1/experiment/results?name=shop", "").body
	for _, want := range []string{`"kind":"value"`, `"trials":4,"successes":4,"values":4,"sum":6,"squares":14,"rate":1.5`} {
		if !strings.Contains(results, want) {
			t.Errorf("no %s in %s", want, results)
		}
	}
	if got := s.do("GET", "/metrics", "").body; !strings.Contains(got, `gimel_events_dropped_total{reason="missing_value"} 4`) {
		t.Errorf("%s", got)
	}
	day := time.Now().UTC().Format(time.DateOnly)
	if got := s.withKey("GET", "/api/v1/export?format=csv&name=shop", "").body; !strings.Contains(got, "order,a,"+day+",4,6,14\n") || !strings.Contains(got, "order,a,total,4,6,14\n") {
		t.Errorf("%s", got)
	}
}

// A bound and a key of a goal, from its declaration to what becomes of events: a page sends none, a
// server up to the bound.
func TestAGoalOfAServerWithABound(t *testing.T) {
	s := newSite(t)
	declared := s.withKey("PUT", "/api/v1/experiment?name=shop", `{"goals":["order"],"kinds":{"order":"value"},"max":{"order":500},"keyed":["order"]}`)
	if declared.status != 201 || !strings.Contains(declared.body, `"max":{"order":500},"keyed":["order"]`) {
		t.Fatalf("%+v", declared)
	}
	if got := s.do("GET", "/track?experiment=shop&variant=a&uuid=1&event=order&value=5", ""); got.status != 200 {
		t.Errorf("%+v", got)
	}
	events := `{"events":[{"experiment":"shop","variant":"a","event":"order","uuid":"1","value":"5"},{"experiment":"shop","variant":"a","event":"order","uuid":"2","value":"501"}]}`
	if got := s.withKey("POST", "/api/v1/events", events); got.status != 200 || !strings.Contains(got.body, `["counted","bad_value"]`) {
		t.Errorf("%+v", got)
	}
	if !s.metric(`gimel_events_dropped_total{reason="missing_key"} 1`) {
		t.Error("not told")
	}
	log := s.withKey("GET", "/api/v1/experiment/notes?name=shop", "").body
	if !strings.Contains(log, "Declared: goals order (value) up to 500 by key") {
		t.Errorf("%s", log)
	}
}

// A plan that is changed after participants came is not believed, and the API says what is.
func TestAPlanThatComesLate(t *testing.T) {
	s := newSite(t)
	declare := func(planned int) string {
		return s.withKey("PUT", "/api/v1/experiment?name=e", fmt.Sprintf(`{"variants":[{"label":"b"},{"label":"a"}],"goals":["buy","ask"],"planned_trials":%d}`, planned)).body
	}
	declare(100)
	for i := range 20 {
		s.track("e", []string{"a", "b"}[i%2], "participate", fmt.Sprint(i))
	}
	if got := declare(100); strings.Contains(got, "judged_by") {
		t.Errorf("%s", got)
	}
	for _, got := range []string{declare(5), s.withKey("GET", "/api/v1/experiment/results?name=e", "").body} {
		if !strings.Contains(got, `"planned_trials":5`) || !strings.Contains(got, `"planned_trials":100,"goals":["ask","buy"],"primary":"buy","control":"b"}`) {
			t.Errorf("%s", got)
		}
	}
	if got := s.withKey("GET", "/api/v1/experiment/results?name=e", "").body; !strings.Contains(got, `"progress":{"planned":100,"smallest":10,"reached":false}`) {
		t.Errorf("%s", got)
	}
}

// A spreadsheet of a country with decimal commas splits a line at semicolons, of whatever is quoted.
func TestNoCellOfAnExportIsAFormula(t *testing.T) {
	for text, want := range map[string]string{
		"a-b": "a-b", "=1+1": "'=1+1", "-1": "'-1", "a;=1+1;-2": "a;'=1+1;'-2", "＝1": "'＝1", ` @x`: `' @x`, `a;"=1`: `a;'"=1`, "": "",
	} {
		if got := cell(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
