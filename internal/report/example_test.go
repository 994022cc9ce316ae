package report

import (
	"errors"
	"os"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

func Example() {
	terminal := NewTerminal(os.Stdout, Options{Width: 72, Hosts: []string{"web1", "web2"}})
	tell := func(host string, event engine.Event) { terminal.Event(engine.HostEvent{Host: host, Event: event}) }

	change := recipe.Change{Kind: recipe.Update, Deltas: []recipe.Delta{{Name: "mode", Before: "0644", After: "0640"}}}
	planned := engine.Planned{Item: recipe.Item{Resource: thing("file:/etc/motd"), Task: "motd"}, Change: change}
	tell("web1", engine.PlanMade{Plan: engine.Plan{Items: []engine.Planned{planned}}})
	tell("web1", engine.Changed{Item: planned.Item, Change: change})
	tell("web1", engine.Finished{Status: engine.StatusChanged, Changed: 1, Elapsed: 1200 * time.Millisecond})
	tell("web2", engine.Finished{Status: engine.StatusUnreachable, Elapsed: 10 * time.Second,
		Err: errors.New("connect to web2:22: no answer within 10 s"), Hint: "ssh -v root@web2"})
	terminal.Close()
	terminal.Summary("provision install motd -H web2", 0)

	// Output:
	// web1
	//
	//   motd
	//   ~ file  /etc/motd  mode 0644 → 0640
	//
	//   1 to update
	//
	// web1
	//   ✓ file       /etc/motd  updated · mode 0644 → 0640
	// ✓ web1  changed 1 · same 0 · 1.2 s
	// ✗ web2: connect to web2:22: no answer within 10 s
	//   hint: ssh -v root@web2
	//
	//   host  status       changed  same        time
	// ✓ web1  changed            1     0       1.2 s
	// ✗ web2  unreachable                     10.0 s
	//     connect to web2:22: no answer within 10 s
	//
	// 2 hosts · 1 changed · 1 unreachable
	// again: provision install motd -H web2
}
