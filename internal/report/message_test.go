package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"provision/internal/engine"
)

func TestMessage(t *testing.T) {
	run := PastRun{ID: "20261129-031704.512", Command: "install", Began: newClock().time, Seconds: 72, ExitCode: 3, Hosts: []PastHost{
		{Host: "web1", Status: engine.StatusChanged}, {Host: "web2", Status: engine.StatusFailed, Error: "nginx.service: \x1b[31mfailed\nas it was $(told)"},
		{Host: "web3", Address: "root@10.0.0.3:22", Status: engine.StatusUnreachable, Error: "10.0.0.3:22: no answer"}, {Host: "web4", Address: "web4", Status: engine.StatusUnreachable, Error: "web4: no answer"},
		{Host: "web5", Status: engine.StatusNotBegun, Error: "1 failed"},
	}}
	const want = `provision install: exit code 3
began 2026-11-23T03:15:00Z, took 1 m 12 s, by ada@ops1, run 20261129-031704.512

✗ web2  failed: nginx.service: ^[[31mfailed; as it was $(told)
✗ 2 unreachable: no answer
    web3, web4
- web5  not begun

5 hosts · 1 changed · 1 failed · 2 unreachable · 1 not begun
stopped: 1 failed; -l @notbegun are the hosts that were not begun
again: provision install -l web2,web3,web4
`
	var text bytes.Buffer
	if err := Message(&text, run, "ada@ops1", nil, "provision install -l web2,web3,web4"); err != nil || text.String() != want {
		t.Errorf("%v: got\n%s\nwant\n%s", err, text.String(), want)
	}
}

// What a host has said is obeyed by no terminal, also when it is remembered.
func TestPastRunIsHarmless(t *testing.T) {
	run := PastRun{ID: "20261129-031704.512", Command: "install \x1b[2J", Began: newClock().time, Hosts: []PastHost{
		{Host: "web1", Status: engine.StatusFailed, Error: "drain: \x1b]0;ours\a\u202e"},
	}}
	var text bytes.Buffer
	err := errors.Join(OnePastRun(&text, Options{}, run), PastRuns(&text, Options{}, []PastRun{run}),
		SavedPlans(&text, Options{}, "by \x1b[2J", nil))
	if said := text.String(); err != nil || strings.ContainsAny(said, "\x1b\a\u202e") || !strings.Contains(said, "^[]0;ours^G") {
		t.Errorf("%v: %q", err, said)
	}
}
