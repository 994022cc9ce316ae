package proof

import (
	"net"
	"os/exec"
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
	opened := make(chan net.Listener, 1)
	time.AfterFunc(700*time.Millisecond, func() {
		slow, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		opened <- slow
	})
	script := listening(wantedService{Service: resource.Service{Unit: "slow.service", Listens: []string{address, "/run/slow.sock"}}})
	if !strings.Contains(script, "ss -Hlnt") {
		t.Fatal(script)
	}
	if output, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	select {
	case slow := <-opened:
		slow.Close()
	default:
		t.Error("it did not wait for the listener")
	}
}
