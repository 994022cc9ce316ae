package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"provision/internal/gimel/event"
)

// Each key and password does what it is for: a route that it is not for answers 403 to it and 401 to
// a wrong one, and changes nothing.
func TestEachKeyDoesWhatItIsFor(t *testing.T) {
	s := newSite(t)
	s.withKey("PUT", "/api/v1/experiment?name=e", `{}`)
	session := func(password string) []string {
		cookie := cookieOf(t, s.login(url.QueryEscape(password)))
		return []string{"Cookie", cookie.Name + "=" + cookie.Value}
	}
	bearers := map[string][]string{
		"admin": {"X-Api-Key", testKey}, "reader": {"X-Api-Key", testReadKey}, "tracker": {"X-Api-Key", testTrackKey},
		"owner": session(testPassword), "viewer": session(testViewer), "wrong": {"X-Api-Key", "x" + testKey}, "none": nil,
	}
	const all, see, track = "admin owner", "admin owner reader viewer", "admin owner tracker"
	for _, c := range []struct{ method, path, body, who string }{
		{"GET", "/api/v1/experiments", "", see}, {"GET", "/api/v1/experiment?name=e", "", see},
		{"GET", "/api/v1/experiment/results?name=e", "", see}, {"GET", "/api/v1/experiment/notes?name=e", "", see},
		{"GET", "/api/v1/export", "", see},
		{"PUT", "/api/v1/experiment?name=e", `{}`, all}, {"POST", "/api/v1/experiment/archive?name=e", "", all},
		{"POST", "/api/v1/experiment/restore?name=e", "", all}, {"POST", "/api/v1/experiment/notes?name=e", `{"owner":"Ada"}`, all},
		{"DELETE", "/api/v1/experiment?name=other", "", all},
		{"POST", "/api/v1/events", `{"events":[]}`, track},
	} {
		for bearer, headers := range bearers {
			want := strings.Contains(" "+c.who+" ", " "+bearer+" ")
			got := s.do(c.method, c.path, c.body, headers...)
			refused := 403
			if bearer == "wrong" || bearer == "none" {
				refused = 401
			}
			if want && got.status/100 != 2 || !want && got.status != refused {
				t.Errorf("%s: %s %s: %d %s", bearer, c.method, c.path, got.status, got.body)
			}
		}
	}
	for bearer, headers := range bearers { // the original's routes know no session
		want := map[string]int{"admin": 200, "reader": 200}[bearer]
		if got := s.do("GET", "/experiments", "", headers...); want == 0 && got.status != 403 || want != 0 && got.status != want {
			t.Errorf("%s: GET /experiments: %d", bearer, got.status)
		}
		if got := s.do("DELETE", "/delete?experiment=other", "", headers...); (got.status == 200) != (bearer == "admin") {
			t.Errorf("%s: DELETE /delete: %d", bearer, got.status)
		}
	}
}

// Without a viewer's password or lesser keys an empty one opens nothing.
func TestAnAbsentKeyIsNobodys(t *testing.T) {
	if got := roleOf("", keysOf(Settings{APIKey: []byte(testKey)})); got != nobody {
		t.Errorf("an empty key is a %d's", got)
	}
	if newSessions([]byte("key"), []byte(testPassword), nil).enter("") != nil {
		t.Error("an empty password opens the dashboard")
	}
}

func TestViewersSeeAndChangeNothing(t *testing.T) {
	s := newSite(t)
	s.track("e", "blue", "participate", "u")
	cookie := cookieOf(t, s.login(url.QueryEscape(testViewer)))
	session := []string{"Cookie", cookie.Name + "=" + cookie.Value, "Content-Type", form, "Sec-Fetch-Site", "same-origin"}
	if got := s.do("GET", "/dashboard/experiment?name=e", "", session...); got.status != 200 || strings.Contains(got.body, "Archive") {
		t.Errorf("%+v", got)
	}
	if got := s.do("GET", "/dashboard/export?name=e&format=csv", "", session...); got.status != 200 || !strings.Contains(got.body, "alephbet,e,participate,blue,total,1") {
		t.Errorf("%+v", got)
	}
	if got := s.do("POST", "/dashboard/delete", "namespace=alephbet&name=e&confirm=e", session...); got.status != 403 {
		t.Errorf("%+v", got)
	}
	if s.count("e", event.Participate, "blue") != 1 {
		t.Error("it has gone")
	}
	old := newSessions([]byte("session key"), []byte(testPassword), []byte("an older password"))
	token := old.issue(&old.entrances[1])
	if got := s.do("GET", "/dashboard/", "", "Cookie", cookieName+"="+token); got.status != 303 {
		t.Errorf("a session of an older password: %+v", got)
	}
}

func TestTheDashboardsFormsChangeExperiments(t *testing.T) {
	s := newSite(t)
	cookie := cookieOf(t, s.login(url.QueryEscape(testPassword)))
	session := []string{"Cookie", cookie.Name + "=" + cookie.Value, "Content-Type", form}
	post := func(page, body string, headers ...string) answer {
		return s.do("POST", "/dashboard/"+page, body, append(append([]string{}, session...), headers...)...)
	}
	declared := post("declare", "namespace=shop&name=button+color&variant=grey&weight=1&variant=blue&weight=3&goal=buy&planned=900&owner=Ada", "Sec-Fetch-Site", "same-origin")
	if declared.status != 303 || declared.header.Get("Location") != "experiment?name=button+color&namespace=shop" {
		t.Fatalf("%+v", declared)
	}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		if got := post("delete", "namespace=shop&name=button+color&confirm=button+color", headers...); got.status != 403 {
			t.Errorf("%v: %+v", headers, got)
		}
	}
	if got := post("notes", "namespace=shop&name=button+color&decision=keep+blue&entry=seen", "Origin", s.url); got.status != 303 {
		t.Errorf("%+v", got)
	}
	if got := post("state", "namespace=shop&name=button+color&state=archived"); got.status != 303 {
		t.Errorf("%+v", got)
	}
	page := s.do("GET", "/dashboard/experiment?namespace=shop&name=button+color", "", session...)
	for _, want := range []string{"Declared: variants grey (1), blue (3); goals buy; 900 participants in each", "Decided: keep blue", "Archived", "Ada", "seen"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("no %q in\n%s", want, page.body)
		}
	}
	if got := post("delete", "namespace=shop&name=button+color&confirm=button+color"); got.status != 303 {
		t.Errorf("%+v", got)
	}
	if got := s.withKey("GET", "/api/v1/experiment?namespace=shop&name=button+color", ""); got.status != 404 {
		t.Errorf("%+v", got)
	}
}

// Who declares the same with each deploy fills no log.
func TestTheLogTellsOfChangesOnly(t *testing.T) {
	s := newSite(t)
	for _, body := range []string{`{"goals":["b","c","a"]}`, `{"goals":["b","a","c"]}`, `{"goals":["a","b","c"]}`} {
		if got := s.withKey("PUT", "/api/v1/experiment?name=e", body); got.status/100 != 2 {
			t.Fatalf("%+v", got)
		}
	}
	for range 2 {
		if got := s.withKey("POST", "/api/v1/experiment/notes?name=e", `{"decision":"none"}`); got.status != 204 {
			t.Fatalf("%+v", got)
		}
	}
	notes := s.withKey("GET", "/api/v1/experiment/notes?name=e", "").body
	if strings.Count(notes, "Declared: ") != 2 || strings.Count(notes, "Decided: none") != 1 || !strings.Contains(notes, `"decision":"none"`) {
		t.Errorf("%s", notes)
	}
	for body, want := range map[string]string{`{"owner":"` + strings.Repeat("x", longestNote+1) + `"}`: "owner: is longer", `{"entry":"a\u202eb"}`: "entry: has characters"} {
		if got := s.withKey("POST", "/api/v1/experiment/notes?name=e", body); got.status != 422 || !strings.Contains(got.body, want) {
			t.Errorf("%+v", got)
		}
	}
	if got := s.withKey("POST", "/api/v1/experiment/notes?name=none", `{}`); got.status != 404 {
		t.Errorf("%+v", got)
	}
}

func TestServersSendEventsWithTheirKey(t *testing.T) {
	s := newSite(t)
	send := func(body string) answer { return s.do("POST", "/api/v1/events", body, "X-Api-Key", testTrackKey) }
	one := `{"experiment":"e","variant":"blue","event":"participate","uuid":"u1"}`
	got := send(`{"events":[` + one + `,` + one + `,{"experiment":"e","variant":"blue","event":"a:b","uuid":"u1"},{"namespace":"shop","experiment":"e&x=","variant":"v","event":"participate","uuid":"u"}]}`)
	sameJSON(t, sorted(got.body), `{"outcomes":["counted","counted_before","colon","counted"]}`)
	if s.count("e", "participate", "blue") != 1 {
		t.Error("not counted once")
	}
	if got := send(`{"events":[` + strings.Repeat(one+",", mostEvents) + one + `]}`); got.status != 422 {
		t.Errorf("too many: %+v", got)
	}
	s.redis.Kill()
	if got := send(`{"events":[` + one + `]}`); got.status != 503 || !strings.Contains(got.body, notCounted) {
		t.Errorf("without Redis: %+v", got)
	}
	s.redis.Restart()
}

// Requests of many events leave room for visitors, and those that are too many are told to come
// again; each of which none was counted may.
func TestServersThatSendManyLeaveRoomForVisitors(t *testing.T) {
	s := newSite(t)
	body := func(sender int) string {
		var events []string
		for i := range mostEvents {
			events = append(events, fmt.Sprintf(`{"experiment":"e","variant":"blue","event":"participate","uuid":"%d.%d"}`, sender, i))
		}
		return `{"events":[` + strings.Join(events, ",") + `]}`
	}
	s.track("e", "blue", "participate", "first")
	s.redis.Pause()
	var all sync.WaitGroup
	var tooMany atomic.Int32
	for sender := range 3 * senders {
		all.Go(func() {
			got := s.do("POST", "/api/v1/events", body(sender), "X-Api-Key", testTrackKey)
			if got.status == 429 && got.header.Get("Retry-After") == "1" {
				tooMany.Add(1)
			} else if got.status != 503 && got.status != 200 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	for tooMany.Load() == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	for i := range 10 { // a queue of 64 has room for them
		all.Go(func() {
			if got := s.track("e", "blue", "participate", fmt.Sprint("visitor ", i)); got.status != 200 {
				t.Errorf("a visitor: %d", got.status)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	s.redis.Continue()
	all.Wait()
	if tooMany.Load() == 0 || tooMany.Load() > 2*senders {
		t.Errorf("%d of %d are too many", tooMany.Load(), 3*senders)
	}
	if got := s.do("POST", "/api/v1/events", body(0), "X-Api-Key", testTrackKey); got.status != 200 {
		t.Errorf("alone: %d %.200s", got.status, got.body)
	}
}

// sorted puts the two equal events' outcomes, which come in either order, as they are compared.
func sorted(body string) string {
	return strings.Replace(body, `"counted_before","counted"`, `"counted","counted_before"`, 1)
}

// Who may only look has signed in too, as often as he likes, and each time from a new browser: that
// gives him no more tries of the other password than a stranger has.
func TestAViewerCannotGuessOnWithNewBrowsers(t *testing.T) {
	s := newSite(t)
	guessed := 0
	for range 2 * attemptsAll / attemptsEach {
		device := ""
		for _, cookie := range (&http.Response{Header: s.login(url.QueryEscape(testViewer)).header}).Cookies() {
			if cookie.Name == deviceName {
				device = cookie.Name + "=" + cookie.Value
			}
		}
		for range attemptsEach {
			if got := s.login("wrong", "Cookie", device); got.status == 401 {
				guessed++
			}
		}
	}
	if guessed > attemptsAll {
		t.Errorf("a viewer tried %d passwords at a limit of %d", guessed, attemptsAll)
	}
}
