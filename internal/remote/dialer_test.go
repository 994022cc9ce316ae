package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// newDialer is a Dialer that does not rest for long.
func newDialer(t *testing.T) *Dialer {
	d := NewDialer()
	d.pause = 10 * time.Millisecond
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// reachAll dials all addresses as a run does, so many at a time, and keeps the connections.
func reachAll(t *testing.T, d *Dialer, config Config, forks int, addresses []Address) (slowest time.Duration) {
	t.Helper()
	places := make(chan struct{}, forks)
	var mu sync.Mutex
	var kept []*Connection
	var all sync.WaitGroup
	for _, address := range addresses {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			began := time.Now()
			c, err := d.Dial(context.Background(), address, config)
			if err != nil {
				t.Errorf("%s: %v", address, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			kept, slowest = append(kept, c), max(slowest, time.Since(began))
		})
	}
	all.Wait()
	for _, c := range kept {
		if err := c.Close(); err != nil {
			t.Errorf("%s: close: %v", c.Name(), err)
		}
	}
	return slowest
}

func named(count int, name string) []Address {
	var all []Address
	for i := range count {
		all = append(all, Address{Host: fmt.Sprintf(name, i+1)})
	}
	return all
}

// 200 hosts that are one sshd with its MaxStartups as they come: some by names that have one
// address, some by addresses of their own, which only its hanging up tells to be one.
func TestFault46OneSSHDOfManyNames(t *testing.T) {
	server := startSSHD(t, "MaxStartups 10:30:100", "ListenAddress 0.0.0.0")
	config := server.sshConfig(t, "Host 127.*\n  HostName %h\n  HostKeyAlias same\n")
	config.Options = []string{"StrictHostKeyChecking=accept-new"}
	addresses := append(named(100, "name%d"), named(100, "127.0.1.%d")...)
	began := time.Now()
	slowest := reachAll(t, NewDialer(), config, 30, addresses)
	t.Logf("%v, the slowest %v; sshd hung up %d times", time.Since(began), slowest, strings.Count(server.log.String(), "MaxStartups"))
}

// 100 hosts behind a bastion: it has one connection, and all that they need go through it.
func TestFault46OneConnectionToAJumpHost(t *testing.T) {
	jump, target := newFakeServer(t), newFakeServer(t)
	config := target.behind(jump)
	config.Options = append(config.Options, "User=root", "HostName=127.0.0.1", fmt.Sprintf("Port=%d", target.port()))
	reachAll(t, newDialer(t), config, 30, named(100, "web%d"))
	if n := len(jump.connections()); n != 1 {
		t.Errorf("%d connections to the jump host", n)
	}
	if n := len(target.connections()); n != 100 {
		t.Errorf("%d connections to the targets", n)
	}
}

// A bastion, a second one behind it, and targets behind both, all with an sshd as it comes.
func TestFault46ManyBehindABastion(t *testing.T) {
	bastion, server := startSSHD(t, "MaxStartups 10:30:100"), startSSHD(t, "MaxStartups 10:30:100")
	config := server.sshConfig(t, fmt.Sprintf("Host bastion\n  Port %d\n  UserKnownHostsFile %s\n  IdentityFile %s\nHost inner\n  HostName ::1\n  ProxyJump bastion\nHost web*\n  ProxyJump inner\n",
		bastion.port, bastion.knownHosts, bastion.identity))
	d := NewDialer()
	reachAll(t, d, config, 30, named(40, "web%d"))
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(bastion.log.String(), "Accepted publickey"); n != 1 {
		t.Errorf("%d logins on the bastion", n)
	}
	if n := strings.Count(server.log.String(), "Accepted publickey"); n != 41 {
		t.Errorf("%d logins behind it, want one of the second bastion, and 40", n)
	}
}

func TestFault46ServerThatHangsUpIsTriedAgain(t *testing.T) {
	for name, hangUp := range map[string]func(net.Conn){
		"end":   func(conn net.Conn) { conn.Close() },
		"reset": func(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0); conn.Close() },
		"words": func(conn net.Conn) { io.WriteString(conn, "Exceeded MaxStartups\r\n"); conn.Close() },
		"later": func(conn net.Conn) { io.WriteString(conn, "SSH-2.0-busy\r\n"); conn.Close() },
	} {
		for _, times := range []int32{3, tries} {
			s := newFakeServer(t)
			var came atomic.Int32
			s.accept = func(conn net.Conn) {
				if came.Add(1) <= times {
					hangUp(conn)
					return
				}
				s.serveSSH(conn)
			}
			c, err := newDialer(t).Dial(context.Background(), s.address(), s.config())
			if err == nil {
				c.Close()
			}
			if times < tries && (err != nil || came.Load() != times+1) {
				t.Errorf("%s: connected %d times: %v", name, came.Load(), err)
			}
			if times == tries && (!errors.Is(err, ErrUnreachable) || came.Load() != tries || !strings.Contains(Hint(err), "MaxStartups")) {
				t.Errorf("%s: connected %d times: %v, hint %q", name, came.Load(), err, Hint(err))
			}
		}
	}
}

// Once it has asked for a login, another try would be another attempt.
func TestServerThatHangsUpInTheLoginIsNotTriedAgain(t *testing.T) {
	s := newFakeServer(t)
	s.auth.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		s.cut()
		return nil, errors.New("gone")
	}
	if _, err := newDialer(t).Dial(context.Background(), s.address(), s.config()); err == nil || len(s.connections()) != 1 {
		t.Errorf("connected %d times: %v", len(s.connections()), err)
	}
}

// Few are not logged in at a time at one server, and all get their turn.
func TestFault46FewKnockAtATime(t *testing.T) {
	s := newFakeServer(t)
	var now, most atomic.Int32
	s.accept = func(conn net.Conn) {
		for n := now.Add(1); ; {
			if seen := most.Load(); n <= seen || most.CompareAndSwap(seen, n) {
				break
			}
		}
		time.Sleep(20 * time.Millisecond)
		s.serveSSH(conn)
	}
	s.auth.AuthLogCallback = func(_ ssh.ConnMetadata, method string, err error) {
		if err == nil {
			now.Add(-1)
		}
	}
	config := s.config()
	reachAll(t, newDialer(t), config, 30, slices.Repeat([]Address{s.address()}, 60))
	if most.Load() > atOneDoor || most.Load() < 2 {
		t.Errorf("%d at a time", most.Load())
	}
}

// The connection to a jump host that has ended is not what the next target gets.
func TestJumpHostThatHungUpIsDialledAgain(t *testing.T) {
	jump, target := newFakeServer(t), newFakeServer(t)
	config := target.behind(jump)
	d := newDialer(t)
	for want := range 3 {
		c, err := d.Dial(context.Background(), target.address(), config)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(jump.connections()); n != want+1 {
			t.Errorf("%d connections to the jump host, want %d", n, want+1)
		}
		jump.cut()
		soon(t, func() {
			if _, err := c.Run(context.Background(), Command{Script: "true"}, nil); !errors.Is(err, ErrLost) {
				t.Error(err)
			}
		})
		c.Close()
	}
}

// A target that is given up does not take its jump host from those that wait for it too.
func TestJumpHostIsNoSingleTargets(t *testing.T) {
	jump, target := newFakeServer(t), newFakeServer(t)
	came, let := make(chan struct{}, 1), make(chan struct{})
	jump.accept = func(conn net.Conn) {
		came <- struct{}{}
		<-let
		jump.serveSSH(conn)
	}
	config := target.behind(jump)
	d := newDialer(t)
	ctx, cancel := context.WithCancel(context.Background())
	ends := make(chan error, 2)
	go func() {
		_, err := d.Dial(ctx, target.address(), config)
		ends <- err
	}()
	<-came
	go func() {
		_, err := d.Dial(context.Background(), target.address(), config)
		ends <- err
	}()
	cancel()
	if err := <-ends; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(let)
	if err := <-ends; err != nil {
		t.Error(err)
	}
}
