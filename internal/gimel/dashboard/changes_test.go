package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
)

// done notes what the forms asked for.
type done struct {
	declared []store.Declaration
	calls    []string
	err      error
}

func (d *done) Declare(_ context.Context, declaration store.Declaration) error {
	d.declared = append(d.declared, declaration)
	return d.err
}

func (d *done) SetState(_ context.Context, namespace, name, state string) error {
	d.calls = append(d.calls, fmt.Sprintf("state %s/%s %s", namespace, name, state))
	return d.err
}

func (d *done) Annotate(_ context.Context, namespace, name string, a store.Annotation) error {
	text := fmt.Sprintf("notes %s/%s", namespace, name)
	for _, field := range []*string{a.Hypothesis, a.Owner, a.Decision} {
		if field != nil {
			text += fmt.Sprintf(" %q", *field)
		} else {
			text += " -"
		}
	}
	d.calls = append(d.calls, text+" "+a.Entry)
	return d.err
}

func (d *done) Delete(_ context.Context, namespace, name string) error {
	d.calls = append(d.calls, fmt.Sprintf("delete %s/%s", namespace, name))
	return d.err
}

func anybody(*http.Request) bool { return true }

// pagesOf are the pages of who may change things.
func pagesOf(source fake) http.Handler { return Handler(source, &done{}, anybody) }

func post(t *testing.T, h http.Handler, target string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	h.ServeHTTP(w, r)
	return w
}

func TestFormsDoWhatTheySay(t *testing.T) {
	named := func(more ...string) url.Values {
		form := url.Values{"namespace": {"alephbet"}, "name": {"button color"}}
		for i := 0; i < len(more); i += 2 {
			form.Add(more[i], more[i+1])
		}
		return form
	}
	const back = "experiment?name=button+color&namespace=alephbet"
	for name, c := range map[string]struct {
		target   string
		form     url.Values
		call     string
		location string
	}{
		"archive":        {"/state", named("state", "archived"), "state alephbet/button color archived", back},
		"restore":        {"/state", named("state", "running"), "state alephbet/button color running", back},
		"notes":          {"/notes", named("hypothesis", "blue\r\nsells ", "owner", "", "decision", "keep it"), "notes alephbet/button color \"blue\\nsells\" \"\" \"keep it\" ", back},
		"entry":          {"/notes", named("entry", "new page"), "notes alephbet/button color - - - new page", back},
		"delete":         {"/delete", named("confirm", "button color"), "delete alephbet/button color", "./?namespace=alephbet"},
		"delete, unsure": {"/delete", named("confirm", "button"), "", ""},
		"no such state":  {"/state", named("state", "lost"), "", ""},
	} {
		changes := &done{}
		got := post(t, Handler(fixture(), changes, anybody), c.target, c.form)
		if calls := strings.Join(changes.calls, "; "); calls != c.call || got.Header().Get("Location") != c.location {
			t.Errorf("%s: did %q and led to %q", name, calls, got.Header().Get("Location"))
		}
		if (c.call != "") != (got.Code == http.StatusSeeOther) {
			t.Errorf("%s: status %d", name, got.Code)
		}
	}
}

func TestADeclarationIsRead(t *testing.T) {
	changes := &done{}
	got := post(t, Handler(fixture(), changes, anybody), "/declare", url.Values{"namespace": {"shop"}, "name": {" new one "}, "planned": {"12,000"},
		"variant": {"grey", " blue ", "", ""}, "weight": {"1", "0.5", "1", "1"}, "goal": {"buy", "look", ""}, "kind": {"value", "unique", "count"}, "max": {"1,500.5", "", ""}, "from": {"key", ""}, "owner": {"Ada"}, "hypothesis": {"h"}})
	want := store.Declaration{Namespace: "shop", Experiment: "new one", Variants: []store.Variant{{Label: "grey", Weight: 1}, {Label: "blue", Weight: 0.5}},
		Goals: []string{"buy", "look"}, Kinds: map[string]event.Kind{"buy": event.Value}, Planned: 12000,
		Max: map[string]float64{"buy": 1500.5}, Keyed: map[string]bool{"buy": true}}
	if got.Code != http.StatusSeeOther || len(changes.declared) != 1 || !reflect.DeepEqual(changes.declared[0], want) {
		t.Errorf("status %d, declared %+v, want %+v", got.Code, changes.declared, want)
	}
	if !slices.Equal(changes.calls, []string{`notes shop/new one "h" "Ada" - `}) {
		t.Errorf("did %q", changes.calls)
	}
}

func TestAMistakeIsSaidAndWhatWasTypedStays(t *testing.T) {
	form := func(change ...string) url.Values {
		f := url.Values{"namespace": {"shop"}, "name": {"new one"}, "planned": {"100"}, "variant": {"grey", "blue"}, "weight": {"1", "1"}, "goal": {"buy"}}
		for i := 0; i < len(change); i += 2 {
			f[change[i]] = strings.Split(change[i+1], "|")
		}
		return f
	}
	known := form("namespace", "alephbet", "name", "button color")
	ramp := form("namespace", "alephbet", "name", "button color", "known", "1", "variant", "grey|blue", "weight", "1|9")
	plan := form("namespace", "alephbet", "name", "button color", "known", "1", "goal", "sign-up|ask", "planned", "8000")
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"no name":      {form("name", ""), "needs a name"},
		"colon":        {form("variant", "a:b|c"), "no colon"},
		"twice":        {form("variant", "a|a"), "twice"},
		"one variant":  {form("variant", "a|"), "second variant"},
		"weight":       {form("weight", "1|none"), "weight of “blue”"},
		"no number":    {form("weight", "1|NaN"), "weight of “blue”"},
		"too much":     {form("weight", "1|1e308"), "at most a million"},
		"no bound":     {form("max", "-3"), "largest value of goal “buy”"},
		"a plan, late": {plan, "The planned size was 9,000, which is the one that is tested. Not tested, for being declared since: “ask”."},
		"goal twice":   {form("goal", "buy|buy"), "twice"},
		"participate":  {form("goal", "participate"), "always counted"},
		"kind":         {form("kind", "often"), "no kind"},
		"size":         {form("planned", "-4"), "planned size"},
		"there is one": {known, "of that name already"},
		"weights":      {ramp, "while participants come"},
	} {
		changes := &done{}
		got := post(t, Handler(fixture(), changes, anybody), "/declare", c.form)
		body := got.Body.String()
		if got.Code != http.StatusUnprocessableEntity || !strings.Contains(body, c.want) || len(changes.declared) > 0 {
			t.Errorf("%s: status %d, declared %v, no %q in\n%s", name, got.Code, changes.declared, c.want, body)
		}
		if variants := c.form["variant"]; !strings.Contains(body, `name="variant" value="`+variants[0]+`"`) {
			t.Errorf("%s: what was typed has gone", name)
		}
	}
	for _, sure := range []url.Values{ramp, plan} {
		sure.Set("sure", "1")
		changes := &done{}
		if got := post(t, Handler(fixture(), changes, anybody), "/declare", sure); got.Code != http.StatusSeeOther || len(changes.declared) != 1 {
			t.Errorf("confirmed: %d", got.Code)
		}
	}
}

func TestErrorsOfChangesHavePages(t *testing.T) {
	for want, err := range map[int]error{422: Mistake("owner: is longer than 4000 bytes"), 404: fmt.Errorf("x: %w", store.ErrNotFound), 503: errors.New("password=hunter2")} {
		got := post(t, Handler(fixture(), &done{err: err}, anybody), "/notes", url.Values{"namespace": {"alephbet"}, "name": {"button color"}, "owner": {"x"}})
		if got.Code != want || strings.Contains(got.Body.String(), "hunter2") {
			t.Errorf("%v: %d\n%s", err, got.Code, got.Body.String())
		}
	}
}

// Who has signed in to look is offered nothing that changes, and can post nothing.
func TestViewersChangeNothing(t *testing.T) {
	changes := &done{}
	h := Handler(fixture(), changes, func(*http.Request) bool { return false })
	form := url.Values{"namespace": {"alephbet"}, "name": {"button color"}, "confirm": {"button color"}, "state": {"archived"}, "variant": {"a", "b"}, "weight": {"1", "1"}}
	for _, target := range []string{"/declare", "/delete", "/state", "/notes"} {
		if got := post(t, h, target, form); got.Code != http.StatusForbidden {
			t.Errorf("POST %s: %d", target, got.Code)
		}
	}
	if got := get(t, h, "/declare"); got.Code != http.StatusForbidden {
		t.Errorf("GET /declare: %d", got.Code)
	}
	for _, target := range []string{"/", experimentURL("button color"), "/calculator"} {
		body := strings.Replace(get(t, h, target).Body.String(), `<form class="logout" method="post"`, "", 1)
		if strings.Contains(body, `method="post"`) || strings.Contains(body, "declare?") {
			t.Errorf("%s offers a change:\n%s", target, body)
		}
	}
	if len(changes.calls)+len(changes.declared) > 0 {
		t.Errorf("did %v %v", changes.calls, changes.declared)
	}
}

func TestTheFormIsFilledInFromWhatIsKnown(t *testing.T) {
	body := get(t, pagesOf(fixture()), "/declare?namespace=alephbet&name=button+color").Body.String()
	for _, want := range []string{`value="grey"`, `value="2"`, `value="sign-up"`, `value="9000"`, `name="known"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	body = get(t, pagesOf(fixture()), "/declare?planned=1234&variants=6").Body.String()
	if !strings.Contains(body, `value="1234"`) || strings.Count(body, `name="variant"`) != 6 {
		t.Errorf("from the calculator:\n%s", body)
	}
}

func TestVisitorsInTwoVariantsAreTold(t *testing.T) {
	const title = "Visitors in two variants"
	for _, c := range []struct {
		of           store.Crossing
		alarm, words bool
	}{{store.Crossing{}, false, false}, {store.Crossing{Looked: 1000}, false, false}, {store.Crossing{Looked: 5000, Several: 6}, false, true},
		{store.Crossing{Looked: 50, Several: 2}, false, true}, {store.Crossing{Looked: 1000, Several: 40}, true, true}} {
		of := fixture()
		of.details[0].Crossing = c.of
		body := get(t, pagesOf(of), experimentURL("button color")).Body.String()
		if got := strings.Contains(body, title); got != c.alarm {
			t.Errorf("%+v: notice %v", c.of, got)
		}
		if got := strings.Contains(body, "in more than one variant ("); got != c.words {
			t.Errorf("%+v: words %v", c.of, got)
		}
	}
}
