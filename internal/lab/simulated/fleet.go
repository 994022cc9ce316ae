// Package simulated is a fleet of hosts without a machine: SSH servers in one process, each with an
// address and a key of its own, as far away as wanted. A command has the answer that a real host gave
// when the same was asked first; so what a run costs on this side can be measured for thousands of
// hosts, and what becomes of those that are in trouble can be tried.
package simulated

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// Fleet says what its hosts are like. They are numbered from 0.
type Fleet struct {
	Delay   time.Duration                            // of all that is said, each way
	Real    func(commandLine string) (Answer, error) // a real host: it is asked once for each command
	Trouble func(host int) Trouble                   // nil is that there is none

	listener net.Listener
	login    ssh.Signer

	mu       sync.Mutex
	answers  map[string]func() (Answer, error) // by the command line, without its token
	last     string                            // of these questions
	attempts map[int]int                       // connections of hosts that were too busy for them
	open     map[net.Conn]bool
}

// Start has the hosts listen, on loopback alone.
func (f *Fleet) Start() error {
	listening := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = unix.BindToDevice(int(fd), "lo") })
		if err != nil {
			return err
		}
		return failed
	}}
	var err error
	if f.listener, err = listening.Listen(context.Background(), "tcp4", "0.0.0.0:0"); err != nil {
		return err
	}
	f.login = signer("login")
	f.answers, f.attempts, f.open = map[string]func() (Answer, error){}, map[int]int{}, map[net.Conn]bool{}
	go f.accept()
	return nil
}

// Close ends all hosts.
func (f *Fleet) Close() {
	f.listener.Close()
	f.Cut()
}

// Cut ends all connections that are open.
func (f *Fleet) Cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		conn.Close()
	}
}

// Port is where they listen.
func (f *Fleet) Port() int { return f.listener.Addr().(*net.TCPAddr).Port }

// Address is where a host is: each is one of loopback's.
func Address(host int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(1 + host>>16), byte(host >> 8), byte(host)})
}

// number is the host of an address.
func number(at net.Addr) int {
	ip := at.(*net.TCPAddr).IP.To4()
	return int(ip[1]-1)<<16 | int(ip[2])<<8 | int(ip[3])
}

// KnownHosts are the lines of so many hosts, which listen at a port.
func KnownHosts(hosts, port int) string {
	var lines strings.Builder
	for host := range hosts {
		fmt.Fprintf(&lines, "[%s]:%d %s", Address(host), port, ssh.MarshalAuthorizedKey(hostKey(host).PublicKey()))
	}
	return lines.String()
}

// WriteIdentity writes the private key that all hosts let in.
func WriteIdentity(file string) error {
	block, err := ssh.MarshalPrivateKey(private("login"), "simulated")
	if err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
}

func hostKey(host int) ssh.Signer { return signer(fmt.Sprint("host ", host)) }

// private is a key that is the same each time: nothing but loopback is ever guarded by it.
func private(of string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(of))
	return ed25519.NewKeyFromSeed(seed[:])
}

func signer(of string) ssh.Signer {
	s, err := ssh.NewSignerFromKey(private(of))
	if err != nil {
		panic("simulated: " + err.Error()) // of a key that is one
	}
	return s
}
