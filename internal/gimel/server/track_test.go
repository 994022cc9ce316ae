package server

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/gimel/event"
)

func checkOpenToAll(t *testing.T, header http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*",
		"Pragma":                      "no-cache",
		"Cache-Control":               "no-cache, no-store, must-revalidate",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestTrackAnswers200AfterTheCommitWithTheOriginalsHeaders(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/track", "/choice"} {
		got := s.do("GET", path+"?experiment=button+color&uuid="+path+"&variant=blue&event=participate&namespace=alephbet", "",
			"Origin", "https://shop.example")
		if got.status != 200 || got.body != "" {
			t.Errorf("%s: %+v", path, got)
		}
		checkOpenToAll(t, got.header)
	}
	if got := s.count("button color", "participate", "blue"); got != 2 {
		t.Errorf("count = %d, want 2", got)
	}
}

func TestAResendCountsOnce(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.track("e", "blue", "participate", "u1")
	}
	s.track("e", "blue", "participate", "u2")
	if got := s.count("e", "participate", "blue"); got != 2 {
		t.Errorf("count = %d, want 2", got)
	}
	if !s.metric(`gimel_events_total{outcome="duplicate"} 2`) || !s.metric(`gimel_events_total{outcome="added"} 2`) {
		t.Error("metrics do not say so")
	}
}

// GimelAdapter sends sha1("namespace.experiment.user_id") for participate and
// for every goal; LamedAdapter sha1("namespace.experiment.goal.user_id").
func TestTheClientsUniqueUserUUIDs(t *testing.T) {
	sum := func(text string) string {
		digest := sha1.Sum([]byte(text))
		return hex.EncodeToString(digest[:])
	}
	gimel := sum("gimel.experiment.yuzu")
	if gimel != "bd602047286a161da01f2c938461edde4e467a63" {
		t.Fatalf("vector: %s", gimel)
	}
	s := newSite(t)
	for range 2 {
		s.track("experiment", "blue", "participate", gimel)
		s.track("experiment", "blue", "buy", gimel)
		s.track("experiment", "blue", "look", sum("lamed.experiment.look.yuzu"))
	}
	for _, name := range []string{"participate", "buy", "look"} {
		if got := s.count("experiment", name, "blue"); got != 1 {
			t.Errorf("%s = %d, want 1", name, got)
		}
	}
}

func TestOptionsLetsBrowsersUseKeyAndDelete(t *testing.T) {
	s := newSite(t)
	for path, methods := range map[string]string{"/track": "GET, OPTIONS", "/choice": "GET, OPTIONS",
		"/experiments": "GET, OPTIONS", "/delete": "DELETE, OPTIONS"} {
		got := s.do("OPTIONS", path, "", "Origin", "https://shop.example", "Access-Control-Request-Method", "GET")
		if got.status != 200 || got.header.Get("Access-Control-Allow-Methods") != methods ||
			got.header.Get("Access-Control-Allow-Headers") != "Content-Type, X-Api-Key" {
			t.Errorf("%s: %+v", path, got)
		}
		checkOpenToAll(t, got.header)
	}
}

func TestOtherMethodsAreNotEvents(t *testing.T) {
	s := newSite(t)
	query := "?experiment=e&uuid=u&variant=v&event=participate"
	for _, method := range []string{"POST", "HEAD", "PUT", "DELETE"} {
		if got := s.do(method, "/track"+query, ""); got.status != 405 {
			t.Errorf("%s: %+v", method, got)
		}
	}
	if names, err := s.store.Names(t.Context(), "alephbet"); err != nil || len(names) != 0 {
		t.Errorf("names = %v, %v", names, err)
	}
}

func TestAnEventThatCanNeverBeValidIsAnswered200AndCountedByReason(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("x", 129)
	declare := s.withKey("PUT", "/api/v1/experiment?name=declared", `{"variants":[{"label":"blue"}],"goals":["buy"]}`)
	archived := s.withKey("PUT", "/api/v1/experiment?name=archived", `{}`)
	archive := s.withKey("POST", "/api/v1/experiment/archive?name=archived", "")
	if declare.status != 201 || archived.status != 201 || archive.status != 200 {
		t.Fatalf("%+v\n%+v\n%+v", declare, archived, archive)
	}
	for i := range 4 {
		s.track("full", fmt.Sprint("v", i), "participate", "u")
	}
	for i := range 50 { // so many visitors keep an undeclared experiment: none makes room
		for _, name := range []string{"full", "second", "third"} {
			s.track(name, "v0", "participate", fmt.Sprint("u", i))
		}
	}

	tests := []struct {
		query  string
		reason event.Reason
	}{
		{"", event.MissingParameter},
		{"experiment=e&variant=v&event=g", event.MissingParameter},
		{"experiment=%zz&uuid=u&variant=v&event=g", event.BadQuery},
		{"experiment=a:b&uuid=u&variant=v&event=g", event.Colon},
		{"experiment=e%0d%0a&uuid=u&variant=v&event=g", event.BadCharacter},
		{"experiment=" + long + "&uuid=u&variant=v&event=g", event.TooLong},
		{"experiment=" + strings.Repeat("x", 9000), event.QueryTooLong},
		{"experiment=declared&uuid=u&variant=green&event=participate", event.UndeclaredVariant},
		{"experiment=declared&uuid=u&variant=blue&event=look", event.UndeclaredGoal},
		{"experiment=archived&uuid=u&variant=blue&event=participate", event.Archived},
		{"experiment=full&uuid=u&variant=v4&event=participate", event.TooManyCounters},
		{"experiment=fourth&uuid=u&variant=v&event=participate", event.TooManyExperiments},
	}
	seen := map[event.Reason]int{}
	for _, test := range tests {
		got := s.do("GET", "/track?"+test.query, "")
		if got.status != 200 {
			t.Errorf("%s: %+v", test.reason, got)
		}
		checkOpenToAll(t, got.header)
		seen[test.reason]++
		if !s.metric(fmt.Sprintf("gimel_events_dropped_total{reason=%q} %d", test.reason, seen[test.reason])) {
			t.Errorf("%s is not counted", test.reason)
		}
	}
	if names, err := s.store.Names(t.Context(), "alephbet"); err != nil || len(names) != 5 {
		t.Errorf("names = %v, %v", names, err)
	}
}

func TestUndeclaredExperimentsCanBeRefused(t *testing.T) {
	refusing := newSite(t, refuseUndeclared)
	if got := refusing.track("e", "v", "participate", "u"); got.status != 200 {
		t.Errorf("%+v", got)
	}
	if !refusing.metric(`gimel_events_dropped_total{reason="undeclared_experiment"} 1`) {
		t.Error("not counted")
	}
}

// nginx passes 64 KiB on; net/http has limits of its own.
func TestAQueryOf200KBIsDropped(t *testing.T) {
	s := newSite(t)
	response, err := http.Get(s.url + "/track?experiment=" + strings.Repeat("x", 200<<10))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
	checkOpenToAll(t, response.Header)
	if !s.metric(`gimel_events_dropped_total{reason="query_too_long"} 1`) {
		t.Error("not counted")
	}
}

func TestRedisDownIs503AndTheResendCountsOnce(t *testing.T) {
	s := newSite(t)
	s.track("e", "blue", "participate", "u1")
	s.redis.Kill()
	got := s.track("e", "blue", "participate", "u2")
	if got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	checkOpenToAll(t, got.header)
	if !s.metric(`gimel_events_refused_total{why="redis"} 1`) {
		t.Error("not counted")
	}
	s.redis.Restart()
	// The client resends its whole queue.
	for _, uuid := range []string{"u1", "u2", "u2"} {
		if got := s.track("e", "blue", "participate", uuid); got.status != 200 {
			t.Errorf("%+v", got)
		}
	}
	if got := s.count("e", "participate", "blue"); got != 2 {
		t.Errorf("count = %d, want 2", got)
	}
}

func TestARedisThatHangsIs503WithinTheDeadline(t *testing.T) {
	s := newSiteWithin(t, time.Second)
	s.track("e", "blue", "participate", "u1")
	s.redis.Pause()
	defer s.redis.Continue()
	begin := time.Now()
	var group sync.WaitGroup
	for i := range 5 {
		group.Go(func() {
			if got := s.track("e", "blue", "participate", fmt.Sprint("late", i)); got.status != 503 {
				t.Errorf("%+v", got)
			}
		})
	}
	group.Wait()
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("took %v, the deadline is 1 s", took)
	}
}
