package main

import (
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"provision/internal/engine"
	"provision/internal/run"
)

// cmdCarbon takes what is sent to it, as carbon does, into the file carbon; the port has the name
// that the script gives it.
func cmdCarbon(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	file := ts.MkAbs("carbon")
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			text, _ := io.ReadAll(connection)
			os.WriteFile(file, text, 0o600)
			connection.Close()
		}
	}()
	ts.Setenv(args[0], portOf(listener))
}

// A host that could not be compared has no number: 0 would say that nothing differs.
func TestDriftMetrics(t *testing.T) {
	var results []run.Result
	for _, one := range []struct {
		host   string
		status engine.Status
	}{{"a.example.org", engine.StatusPending}, {"b", engine.StatusSame}, {"c", engine.StatusUnreachable}, {"d", engine.StatusFailed}, {"e", engine.StatusInterrupted}, {"f", engine.StatusLocked}} {
		results = append(results, run.Result{Host: one.host, Finished: engine.Finished{Status: one.status}})
	}
	lines := driftMetrics(results, map[string]int{"a.example.org": 7}, 9, time.Unix(60, 0))
	if strings.Contains(lines, "provision.hosts.") {
		t.Errorf("it was interrupted, and counts hosts: %s", lines)
	}
	results = slices.DeleteFunc(results, func(r run.Result) bool { return r.Status == engine.StatusInterrupted })
	const want = `provision.drift.a_example_org 7 60
provision.unreachable.a_example_org 0 60
provision.drift.b 0 60
provision.unreachable.b 0 60
provision.unreachable.c 1 60
provision.unreachable.d 0 60
provision.unreachable.f 0 60
provision.hosts.known 9 60
provision.hosts.compared 2 60
`
	if got := driftMetrics(results, map[string]int{"a.example.org": 7}, 9, time.Unix(60, 0)); got != want {
		t.Errorf("%s", got)
	}
}

// Whoever closes before all is read has not got all.
func TestCarbonThatResets(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			connection.(*net.TCPConn).SetLinger(0) // a reset
			connection.Close()
		}
	}()
	if err := sendToCarbon(t.Context(), listener.Addr().String(), "a 1 1\n"); err == nil {
		t.Error("all is well")
	}
}
