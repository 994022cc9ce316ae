package server

import (
	"encoding/json"
	"reflect"
	"testing"

	"provision/internal/gimel/store"
)

func refuseUndeclared(settings *store.Settings) { settings.UndeclaredCap = 0 }

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var gotValue, wantValue any
	if err := json.Unmarshal([]byte(got), &gotValue); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &wantValue); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotValue, wantValue) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestExperimentsHasTheOriginalsShape(t *testing.T) {
	for _, counting := range []store.Counting{store.Exact, store.HLL} {
		t.Run(string(counting), func(t *testing.T) {
			s := newSite(t, func(settings *store.Settings) { settings.Counting = counting })
			s.track("button color", "blue", "participate", "u1")
			s.track("button color", "blue", "participate", "u2")
			s.track("button color", "red", "participate", "u3")
			s.track("button color", "blue", "buy", "u1")
			s.track("no goals", "blue", "participate", "u1")
			const buttonColor = `{"experiment":"button color","goals":[{"goal":"buy","results":[
				{"label":"blue","successes":1,"trials":2},{"label":"red","successes":0,"trials":1}]}]}`
			const noGoals = `{"experiment":"no goals","goals":[]}`
			got := s.withKey("GET", "/experiments?namespace=alephbet", "")
			if got.status != 200 {
				t.Fatalf("%+v", got)
			}
			checkOpenToAll(t, got.header)
			sameJSON(t, got.body, `[{"meta":{"scope":null}},`+buttonColor+`,`+noGoals+`]`)
			sameJSON(t, s.withKey("GET", "/experiments?scope=no+goals,unknown", "").body,
				`[{"meta":{"scope":"no goals,unknown"}},`+noGoals+`,{"experiment":"unknown","goals":[]}]`)
			sameJSON(t, s.withKey("GET", "/experiments?namespace=other", "").body, `[{"meta":{"scope":null}}]`)
		})
	}
}

func TestExperimentsAndDeleteNeedTheKeyInTheHeader(t *testing.T) {
	s := newSite(t)
	s.track("e", "blue", "participate", "u1")
	for _, headers := range [][]string{nil, {"X-Api-Key", ""}, {"X-Api-Key", testKey + "x"}, {"Authorization", testKey}} {
		for method, path := range map[string]string{"GET": "/experiments?api_key=", "DELETE": "/delete?experiment=e&api_key="} {
			if got := s.do(method, path+"an+API+key+for+the+tests", "", headers...); got.status != 403 {
				t.Errorf("%s %s %v: %+v", method, path, headers, got)
			}
		}
	}
	if got := s.count("e", "participate", "blue"); got != 1 {
		t.Errorf("count = %d", got)
	}
}

func TestDeleteThenTheSameUUIDCountsAgain(t *testing.T) {
	s := newSite(t)
	s.track("e", "blue", "participate", "u1")
	for range 2 { // deleting nothing is no error
		if got := s.withKey("DELETE", "/delete?namespace=alephbet&experiment=e", ""); got.status != 200 {
			t.Errorf("%+v", got)
		}
	}
	sameJSON(t, s.withKey("GET", "/experiments", "").body, `[{"meta":{"scope":null}}]`)
	s.track("e", "blue", "participate", "u1")
	if got := s.count("e", "participate", "blue"); got != 1 {
		t.Errorf("count = %d, want 1", got)
	}
	if got := s.withKey("DELETE", "/delete", ""); got.status != 400 {
		t.Errorf("without a name: %+v", got)
	}
}

func TestResultsWithoutRedisAre503(t *testing.T) {
	s := newSite(t)
	s.redis.Kill()
	for _, path := range []string{"/experiments", "/api/v1/experiments", "/api/v1/export", "/api/v1/experiment?name=e"} {
		if got := s.withKey("GET", path, ""); got.status != 503 {
			t.Errorf("%s: %+v", path, got)
		}
	}
}
