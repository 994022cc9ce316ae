package report

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestLook plays a run on this terminal, for people to look at:
//
//	LOOK=web1,web2,web3 go test -run TestLook ./internal/report -v=false
//
// It proves nothing, and does nothing without LOOK.
func TestLook(t *testing.T) {
	look := os.Getenv("LOOK")
	if look == "" {
		t.Skip("LOOK names no hosts: web1, web2 or web3")
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer tty.Close()
	o := Detect(tty, os.Getenv)
	o.Hosts = strings.Split(look, ",")
	o.Verbosity = len(os.Getenv("LOOK_VERBOSE"))
	runs := threeHosts()
	for host := range runs {
		if !strings.Contains(look, host) {
			delete(runs, host)
		}
	}
	terminal := NewTerminal(tty, o)
	begin := time.Now()
	for _, cue := range timeline(runs) {
		time.Sleep(time.Until(begin.Add(cue.at)))
		terminal.Event(cue.event)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	terminal.Summary("provision install graphite -H web3", 0)
}
