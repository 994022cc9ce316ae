package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// patiently tries what goes by an interval in which a host must give a sign of life. A busy machine makes a host that
// is well miss it: then it is tried with twice as long, and fails when it had long enough for any.
func patiently(t *testing.T, interval time.Duration, try func(interval time.Duration) error) {
	t.Helper()
	for ; ; interval *= 2 {
		err := try(interval)
		if err == nil {
			return
		}
		t.Logf("with %s: %v", interval, err)
		if interval > 5*time.Second {
			t.Fatal(err)
		}
	}
}

func TestFault22HalfOpenConnection(t *testing.T) {
	patiently(t, 20*time.Millisecond, func(interval time.Duration) error {
		s := newFakeServer(t)
		s.exec = func(channel ssh.Channel, line string) { started(channel, line) }
		r := startRelay(t, s.listener.Addr().String(), 0)
		config := s.config()
		config.KnownHosts = s.known + ".relay"
		config.Options = append(config.Options, "StrictHostKeyChecking=accept-new")
		config.KeepAlive = interval
		c, err := Dial(context.Background(), Address{User: "root", Host: "127.0.0.1", Port: r.port}, config)
		if err != nil {
			return err
		}
		process, err := c.Start(context.Background(), Command{Script: "sleep 30"})
		if err != nil {
			return err
		}
		time.Sleep(10 * interval) // a host that answers is kept
		if c.transport.(*sshTransport).ended() {
			return errors.New("a silent command on a live host was given up")
		}
		r.goSilent()
		soon(t, func() {
			if err := process.Wait(); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "stopped answering") {
				t.Error(err)
			}
		})
		return nil
	})
}

func TestFault23HandshakeStalls(t *testing.T) {
	for name, accept := range map[string]func(net.Conn){
		"says nothing":        func(net.Conn) {},
		"stops after version": func(c net.Conn) { io.WriteString(c, "SSH-2.0-tar-pit\r\n") },
		"endless banner": func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "hello\r\n"); err != nil {
					return
				}
				time.Sleep(300 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			s.accept = accept
			config := s.config()
			config.ConnectTimeout = 100 * time.Millisecond
			soon(t, func() {
				_, err := Dial(context.Background(), s.address(), config)
				if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "100ms") {
					t.Error(err)
				}
			})
		})
	}
}

// What answers at the port and is no SSH is told, though it goes on to wait for a better question.
func TestServerThatIsNoSSH(t *testing.T) {
	s := newFakeServer(t)
	s.accept = func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }
	patiently(t, 100*time.Millisecond, func(interval time.Duration) error {
		config := s.config()
		config.ConnectTimeout = interval
		_, err := Dial(context.Background(), s.address(), config)
		if want := "no SSH connection within " + interval.String(); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), want) {
			t.Fatal(err)
		}
		if !strings.HasSuffix(err.Error(), `; it said "HTTP/1.1 400 Bad Request"`) {
			return err
		}
		return nil
	})
}

// A host that is down, or behind a firewall that drops, answers nothing at all: it is
// unreachable, and not a run that somebody interrupted.
func TestFault23NothingAnswers(t *testing.T) {
	port := fullListener(t)
	config := Config{ConfigFile: "none", ConnectTimeout: 100 * time.Millisecond}
	soon(t, func() {
		_, err := Dial(context.Background(), Address{User: "root", Host: "127.0.0.1", Port: port}, config)
		if !errors.Is(err, ErrUnreachable) || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "100ms") {
			t.Errorf("%v, canceled: %v", err, errors.Is(err, context.Canceled))
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	config.ConnectTimeout = time.Minute
	soon(t, func() {
		_, err := Dial(ctx, Address{User: "root", Host: "127.0.0.1", Port: port}, config)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v is not what was asked for", err)
		}
	})
}

// fullListener returns the port of a socket that takes no more connections: its queue of one
// is full, and Linux drops every further SYN (listen(2), tcp_abort_on_overflow in tcp(7)).
func fullListener(t *testing.T) (port int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
		syscall.Listen(fd, 0),
	); err != nil {
		t.Fatal(err)
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port = address.(*syscall.SockaddrInet4).Port
	for {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), 200*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
}

// Bytes that trickle are a sign of life, also while what keepalives ask has no answer.
func TestFault29SlowLink(t *testing.T) {
	patiently(t, 200*time.Millisecond, func(interval time.Duration) error {
		s := newFakeServer(t)
		s.mute = true
		s.exec = func(channel ssh.Channel, line string) {
			started(channel, line)
			for range 8 {
				io.WriteString(channel, ".")
				time.Sleep(interval * 9 / 4)
			}
			exitStatus(channel, 0)
		}
		config := s.config()
		config.KeepAlive = interval
		config.ConnectTimeout = 15 * interval // not the command's business
		c, err := Dial(context.Background(), s.address(), config)
		if err != nil {
			return err
		}
		defer c.Close()
		out, err := c.Run(context.Background(), Command{Script: "true"}, nil)
		if err == nil && len(out) != 8 {
			t.Errorf("%q", out)
		}
		return err
	})
}

// Towards the host bytes may move for long without an answer: what keepalives ask waits
// behind them.
func TestFault29SlowLinkToTheHost(t *testing.T) {
	const size = 1 << 20
	patiently(t, 500*time.Millisecond, func(interval time.Duration) error {
		s := newFakeServer(t)
		s.exec = func(channel ssh.Channel, line string) {
			started(channel, line)
			time.Sleep(8 * interval) // what is read makes the window wider, which is an answer
			n, _ := io.Copy(io.Discard, channel)
			fmt.Fprint(channel, n)
			exitStatus(channel, 0)
		}
		config := s.config()
		config.KnownHosts = s.known + ".relay"
		config.Options = append(config.Options, "StrictHostKeyChecking=accept-new")
		config.KeepAlive = interval
		address := s.address()
		address.Port = slowRelay(t, s.listener.Addr().String(), 2<<10, interval/100)
		c, err := Dial(context.Background(), address, config)
		if err != nil {
			return err
		}
		defer c.Close()
		out, err := c.Run(context.Background(), Command{Script: "true"}, make([]byte, size))
		if err == nil && string(out) != fmt.Sprint(size) {
			t.Errorf("%q", out)
		}
		return err
	})
}

// slowRelay passes on so many bytes at a time to the target, and holds few itself.
func slowRelay(t *testing.T, target string, bytes int64, every time.Duration) (port int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		client.(*net.TCPConn).SetReadBuffer(64 << 10)
		server, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer server.Close()
		go io.Copy(client, server)
		for err == nil {
			_, err = io.CopyN(server, client, bytes)
			time.Sleep(every)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}
