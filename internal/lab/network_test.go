package lab

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// aside is in the environment of the process that has a network of its own.
const aside = "PROVISION_TEST_NETWORK"

// TestNeighboursStayOutside stands in a network of its own for a machine with a lab: a host on
// the bridge, and a neighbour beside the machine that sends it what is for the lab. The host
// reaches the neighbour and this machine, the machine reaches the host, the neighbour does not.
func TestNeighboursStayOutside(t *testing.T) {
	if os.Getenv(aside) == "" {
		inOwnNetwork(t)
		return
	}
	l, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.ensureNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	host, neighbour := namespace(t, "host", "198.18.0.2/24"), namespace(t, "next", "192.0.2.2/24")
	for _, line := range []string{
		"link set vb-host master plab0 up",
		"address add 192.0.2.1/24 dev vb-next", "link set vb-next up",
		"-n host route add default via 198.18.0.1", "-n next route add 198.18.0.0/24 via 192.0.2.1",
	} {
		if err := run(t.Context(), "ip", strings.Fields(line)...); err != nil {
			t.Fatal(err)
		}
	}
	inside, outside := answering(t, host, "198.18.0.2:22"), answering(t, neighbour, "192.0.2.2:80")
	for _, c := range []struct {
		who     string
		where   int
		address string
		reached bool
	}{
		{"the host, the neighbour", host, outside, true},
		{"this machine, the host", 0, inside, true},
		{"the neighbour, the host", neighbour, inside, false},
	} {
		var err error
		in(t, c.where, func() {
			var conn net.Conn
			patience := 2 * time.Second // for who is not let through
			if c.reached {
				patience = time.Minute
			}
			if conn, err = net.DialTimeout("tcp", c.address, patience); err == nil {
				conn.Close()
			}
		})
		if (err == nil) != c.reached {
			t.Errorf("%s: %v, want reached = %v", c.who, err, c.reached)
		}
	}
	if err := l.removeNetwork(t.Context()); err != nil {
		t.Error(err)
	}
}

// A network of which this machine has addresses is refused before anything is made, with what to do.
func TestNetworkThatIsTaken(t *testing.T) {
	if os.Getenv(aside) == "" {
		inOwnNetwork(t)
		return
	}
	if err := run(t.Context(), "ip", "address", "add", "198.18.0.9/16", "dev", "lo"); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel() // a base that were begun would end at once
	_, err = l.Up(cancelled, []string{"lab1"}, "")
	var taken takenError
	if !errors.As(err, &taken) || taken.by != "198.18.0.0/16 on lo" && taken.by != "198.18.0.9/16 on lo" || !strings.Contains(taken.Hint(), "PROVISION_LAB_NETWORK") {
		t.Errorf("it says %v", err)
	}
}

// inOwnNetwork runs the test again in a process that has network and mounts of its own, so
// that it sees none of this machine's.
func inOwnNetwork(t *testing.T) {
	for _, program := range []string{"ip", "nft"} {
		if _, err := lookPath(program); (err != nil || os.Geteuid() != 0) && os.Getenv("CI") != "true" {
			t.Skip("needs root, iproute2 and nftables")
		}
	}
	c := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "sh", "-ec",
		`mount -t sysfs none /sys; mount -t tmpfs none /run; exec "$0" -test.run "^$1\$" -test.v`, os.Args[0], t.Name())
	c.Env = append(os.Environ(), aside+"=yes")
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// namespace makes a network NAME, which a link vb-NAME leads to, with one address.
func namespace(t *testing.T, name, address string) int {
	t.Helper()
	for _, line := range []string{
		"netns add " + name, "link add vb-" + name + " type veth peer name host0 netns " + name,
		"-n " + name + " address add " + address + " dev host0", "-n " + name + " link set host0 up",
	} {
		if err := run(t.Context(), "ip", strings.Fields(line)...); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Open("/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// in does something in a network; 0 is the machine's. The thread that entered another one ends
// with it.
func in(t *testing.T, network int, do func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		var err error
		if network != 0 {
			runtime.LockOSThread()
			err = unix.Setns(network, syscall.CLONE_NEWNET)
		}
		if err == nil {
			do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// answering accepts connections at an address of a network, which it returns.
func answering(t *testing.T, network int, address string) string {
	t.Helper()
	in(t, network, func() {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.Close()
			}
		}()
	})
	return address
}
