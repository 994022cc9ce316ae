package proof

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/resource"
)

// A unit that is slow to start still reads its files: they are not taken for those of the next one.
func TestWhatReadsIsWaitedFor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	opened := make(chan time.Time, 1)
	time.AfterFunc(700*time.Millisecond, func() {
		before := time.Now()
		slow, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			close(opened)
			return
		}
		t.Cleanup(func() { slow.Close() })
		opened <- before
	})
	script := listening(wantedService{Service: resource.Service{Unit: "slow.service", Listens: []string{address, "/run/slow.sock"}}})
	if !strings.Contains(script, "ss -Hlnt") {
		t.Fatal(script)
	}
	if output, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if ended := time.Now(); ended.Before(<-opened) {
		t.Error("it did not wait for the listener")
	}
}

// asking is a host on which a check asks for a page again and again; its service reads its
// configuration when it starts.
type asking struct{ paper }

func (a asking) Checkpoint(context.Context) error { return nil }

func (a asking) Rewind(context.Context) error { return nil }

func (a asking) Run(_ context.Context, script, _ string) (string, error) {
	names := []string{"page"}
	if strings.HasPrefix(script, "systemctl restart ") {
		names = append(names, "conf")
	}
	for _, name := range names {
		if _, err := os.ReadFile(filepath.Join(a.root, name)); err != nil {
			return "", err
		}
	}
	return "", nil
}

// What a service reads when it starts has to notify it; a file that it is asked for at any time has not.
func TestReads(t *testing.T) {
	host := asking{paper{root: t.TempDir()}}
	for _, name := range []string{"conf", "page"} {
		if err := os.WriteFile(filepath.Join(host.root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := proving(resource.File{Path: "/conf"}, resource.File{Path: "/page"}, resource.Service{Unit: "web.service"})
	p.Host, p.services = host, map[string]unit{"web.service": {active: "active"}}
	if err := p.reads(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"shop.star:1: web.service reads /conf when it starts, and a change of that does not restart it"}
	if got := texts(p.Faults); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
