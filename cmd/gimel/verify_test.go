package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// An experiment of a verify that was killed goes with the next one; one that may still go on,
// beside it, stays.
func TestVerifyRemovesWhatIsLeft(t *testing.T) {
	killed := fmt.Sprintf("provision-verify-%d-aa", time.Now().Add(-2*time.Hour).Unix())
	beside := fmt.Sprintf("provision-verify-%d-bb", time.Now().Unix())
	var removed []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch {
		case r.URL.Path == "/delete":
			removed = append(removed, r.FormValue("experiment"))
		case r.FormValue("scope") != "":
			fmt.Fprintf(w, `[{"meta": {}}, {"experiment": %q, "goals": [{"results": [{"successes": 1, "trials": 1}]}]}]`, r.FormValue("scope"))
		case r.URL.Path == "/experiments":
			fmt.Fprintf(w, `[{"meta": {}}, {"experiment": %q}, {"experiment": %q}, {"experiment": "provision-verify-old"}]`, killed, beside)
		}
	}))
	t.Cleanup(server.Close)
	own := proofNamespace + "-1-own"
	if err := (proof{client: server.Client(), base: server.URL, path: "/track", experiment: own, events: 1}).prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{killed, own}; !slices.Equal(removed, want) {
		t.Errorf("removed %s, want %s", strings.Join(removed, " "), want)
	}
}
