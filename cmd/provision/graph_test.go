package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdGraphite answers /render as Graphite does: 400 for what it has no file of.
func cmdGraphite(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(ts.MkAbs(r.URL.Query().Get("target") + ".json"))
		if err != nil || r.URL.Path != "/render" || r.URL.Query().Get("from") != "-1h" {
			http.Error(w, "<h1>Bad Request</h1>\n<p>Received request for unknown function: \x1b[31mnosuch</p>", http.StatusBadRequest)
			return
		}
		_, _ = w.Write(text) // whoever asked may be gone
	}))
	ts.Defer(server.Close)
	at, err := url.Parse(server.URL)
	ts.Check(err)
	ts.Setenv(args[0], at.Port())
}
