package server

import (
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/store"
)

// What somebody else has written into one experiment is that one's trouble: it is told as what it
// is, changed by nobody, and can be deleted; all others are listed, counted and changed.
func TestAnExperimentThatCannotBeRead(t *testing.T) {
	const key, counter = "gimel:{alephbet:bad}", "participate:blue"
	of := func(s *site) (client *redis.Client, days string) {
		client = s.redis.Client()
		return client, key + ":" + client.HGet(t.Context(), key, "id").Val() + ":" + counter + ":days"
	}
	field := func(name, text string) func(s *site) {
		return func(s *site) {
			client, _ := of(s)
			client.HSet(t.Context(), key, name, text)
		}
	}
	for name, damage := range map[string]func(s *site){
		"a count": field("c:"+counter, "many"), "a number of buckets": field("n:"+counter, "x"),
		"a weight": field("v:blue", "heavy"), "a size": field("planned", "large"), "a sum": field("s:buy:blue", "x"),
		"a bound": field("g:buy", "0 value x"), "when it was declared otherwise": field("replanned", "once"),
		"all of it": func(s *site) {
			client, _ := of(s)
			client.Set(t.Context(), key, "of somebody", 0)
		},
		"a day": func(s *site) {
			client, days := of(s)
			client.HSet(t.Context(), days, "yesterday", 1)
		},
		"its days": func(s *site) {
			client, days := of(s)
			client.Set(t.Context(), days, "of somebody", 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			cookie := cookieOf(t, s.login(url.QueryEscape(testPassword)))
			session := []string{"Cookie", cookie.Name + "=" + cookie.Value}
			for _, experiment := range []string{"bad", "good"} {
				s.withKey("PUT", "/api/v1/experiment?name="+experiment, `{"planned_trials":100}`) // so that a list reads its days
				s.track(experiment, "blue", "participate", "first")
			}
			damage(s)
			s.isListedBesideTheOthers(t, session, strings.Contains(name, "day"))
			if !strings.Contains(name, "day") { // else all that is changed can be read
				s.isNotChanged(t)
			}
			if got := s.track("good", "blue", "participate", "second"); got.status != 200 || s.count("good", "participate", "blue") != 2 {
				t.Errorf("of the other is counted: %+v", got)
			}
			want := 200
			if name == "a count" || name == "a number of buckets" || name == "all of it" {
				want = 503 // until it is mended
			}
			if got := s.track("bad", "blue", "participate", "second"); got.status != want {
				t.Errorf("of the bad one: %+v", got)
			}
			if got := s.withKey("DELETE", "/api/v1/experiment?name=bad", ""); got.status != 204 {
				t.Errorf("DELETE: %+v", got)
			}
			if got := s.withKey("GET", "/api/v1/experiments", ""); strings.Contains(got.body, "bad") {
				t.Errorf("it was deleted: %+v", got)
			}
			if got := s.track("bad", "blue", "participate", "third"); got.status != 200 || s.count("bad", "participate", "blue") != 1 {
				t.Errorf("it begins anew: %+v", got)
			}
		})
	}
}

func (s *site) isListedBesideTheOthers(t *testing.T, session []string, days bool) {
	t.Helper()
	for _, path := range []string{"/api/v1/experiments", "/experiments"} {
		got := s.withKey("GET", path, "")
		if got.status != 200 || !strings.Contains(got.body, `"bad"`) || !strings.Contains(got.body, `"good"`) || !strings.Contains(got.body, `"problem":"`) && !(days && path == "/experiments") {
			t.Errorf("%s: %+v", path, got) // the original's answer has no days
		}
	}
	if got := s.withKey("GET", "/api/v1/export?format=csv", ""); got.status != 200 || !strings.Contains(got.body, "alephbet,bad,,,unreadable,0,,\n") ||
		!strings.Contains(got.body, "alephbet,good,participate,blue,total,1,,\n") || strings.Count(got.body, "bad") != 1 {
		t.Errorf("export: %+v", got)
	}
	if got := s.do("GET", "/dashboard/", "", session...); got.status != 200 || !strings.Contains(got.body, "unreadable") || !strings.Contains(got.body, ">good<") {
		t.Errorf("list: %+v", got)
	}
	for _, path := range []string{"/api/v1/experiment?name=bad", "/api/v1/experiment/results?name=bad", "/api/v1/experiment/notes?name=bad"} {
		if got := s.withKey("GET", path, ""); got.status != 500 || !strings.Contains(got.body, "bad: is not what gimel writes") {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if got := s.do("GET", "/dashboard/experiment?name=bad", "", session...); got.status != 500 || !strings.Contains(got.body, "is not what gimel writes") {
		t.Errorf("its page: %+v", got)
	}
	if got := s.do("GET", "/dashboard/delete?name=bad", "", session...); got.status != 200 || !strings.Contains(got.body, "Its participants") {
		t.Errorf("its end: %+v", got)
	}
}

// isNotChanged sees that what Redis has of it is as before, after all that might change it.
func (s *site) isNotChanged(t *testing.T) {
	t.Helper()
	client := s.redis.Client()
	has := func() string {
		text := ""
		for _, key := range client.Keys(t.Context(), "gimel:{alephbet:bad}*").Val() {
			text += key + " " + client.Dump(t.Context(), key).Val() + "\n"
		}
		return text
	}
	before := has()
	for _, c := range [][3]string{
		{"PUT", "/api/v1/experiment?name=bad", `{"goals":["buy"]}`}, {"POST", "/api/v1/experiment/notes?name=bad", `{"owner":"Ada"}`},
		{"POST", "/api/v1/experiment/archive?name=bad", ""}, {"POST", "/api/v1/experiment/restore?name=bad", ""},
	} {
		if got := s.withKey(c[0], c[1], c[2]); got.status != 500 || !strings.Contains(got.body, "delete the experiment") {
			t.Errorf("%s %s: %+v", c[0], c[1], got)
		}
	}
	if has() != before {
		t.Errorf("it is changed: %q, and was %q", has(), before)
	}
}

// The same of an experiment that is counted in the original's keys.
func TestAnEstimateThatCannotBeRead(t *testing.T) {
	for name, key := range map[string]string{"a counter": "alephbet:counters:bad:participate:blue", "its counters": "alephbet:bad:counter_keys"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(settings *store.Settings) { settings.Counting = store.HLL })
			for _, experiment := range []string{"bad", "good"} {
				s.track(experiment, "blue", "participate", "first")
			}
			s.redis.Client().Set(t.Context(), key, "of somebody", 0)
			for _, path := range []string{"/api/v1/experiments", "/experiments"} {
				if got := s.withKey("GET", path, ""); got.status != 200 || !strings.Contains(got.body, `"good"`) || strings.Count(got.body, `"problem":"`) != 1 {
					t.Errorf("%s: %+v", path, got)
				}
			}
			if got := s.withKey("DELETE", "/delete?experiment=bad", ""); got.status != 200 {
				t.Errorf("delete: %+v", got)
			}
		})
	}
}

// A Redis that is full answers, and who asks is told what it is; what makes room it takes.
func TestAFullRedisIsToldAsThat(t *testing.T) {
	s := newSite(t)
	cookie := cookieOf(t, s.login(url.QueryEscape(testPassword)))
	s.track("e", "blue", "participate", "first")
	if err := s.redis.Client().ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	if got := s.track("e", "blue", "participate", "second"); got.status != 503 {
		t.Errorf("an event: %+v", got)
	}
	if got := s.withKey("PUT", "/api/v1/experiment?name=e", `{}`); got.status != 503 || !strings.Contains(got.body, "redis is full") {
		t.Errorf("PUT: %+v", got)
	}
	got := s.do("POST", "/dashboard/state", "name=e&namespace=alephbet&state=archived", "Cookie", cookie.Name+"="+cookie.Value,
		"Content-Type", "application/x-www-form-urlencoded")
	if got.status != 503 || !strings.Contains(got.body, "Redis is full") {
		t.Errorf("a form: %+v", got)
	}
	if got := s.withKey("DELETE", "/api/v1/experiment?name=e", ""); got.status != 204 {
		t.Errorf("DELETE: %+v", got)
	}
	if got := s.withKey("GET", "/api/v1/experiments", ""); got.status != 200 || strings.Contains(got.body, `"e"`) {
		t.Errorf("it was deleted: %+v", got)
	}
}
