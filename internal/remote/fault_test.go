package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// soon fails a test that a fault has made hang.
func soon(t *testing.T, what func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		what()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		stacks := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// What a connection and a command cost, as the server sees it.
func TestNothingIsAskedThatIsNotNeeded(t *testing.T) {
	s := newFakeServer(t)
	c := s.dial()
	if got, want := s.asked(), []string{"auth none", "auth publickey"}; !reflect.DeepEqual(got, want) {
		t.Errorf("to log in: %q, want %q", got, want)
	}
	out, err := c.Run(context.Background(), Command{Script: "echo hi", Root: true}, nil)
	if err != nil || string(out) != "hi\n" {
		t.Fatalf("%q %v", out, err)
	}
	if got, want := s.asked(), []string{"channel session", "request exec"}; !reflect.DeepEqual(got, want) {
		t.Errorf("to run: %q, want %q", got, want)
	}
}

func TestFault01ConnectionDropsInACommand(t *testing.T) {
	s := newFakeServer(t)
	s.exec = func(channel ssh.Channel, line string) {
		started(channel, line)
		io.WriteString(channel, "half")
		s.cut()
	}
	c := s.dial()
	soon(t, func() {
		out, err := c.Run(context.Background(), Command{Script: "true"}, nil)
		if !errors.Is(err, ErrLost) || string(out) != "half" {
			t.Errorf("%q %v", out, err)
		}
		if _, err := c.Run(context.Background(), Command{Script: "true"}, nil); !errors.Is(err, ErrLost) {
			t.Errorf("the next command: %v", err)
		}
	})
}

// A channel that closes without a status, on a connection that lives on, leaves
// the outcome as unknown as a lost connection does.
func TestFault01NoExitStatus(t *testing.T) {
	s := newFakeServer(t)
	s.exec = func(channel ssh.Channel, line string) {
		started(channel, line)
		channel.Close()
	}
	if _, err := s.dial().Run(context.Background(), Command{Script: "true"}, nil); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
}

func TestExitSignal(t *testing.T) {
	s := newFakeServer(t)
	s.exec = func(channel ssh.Channel, line string) {
		started(channel, line)
		channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Signal    string
			Core      bool
			Text, Tag string
		}{"KILL", false, "", ""}))
		channel.Close()
	}
	_, err := s.dial().Run(context.Background(), Command{Script: "true"}, nil)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Signal != "KILL" || exit.Code != -1 {
		t.Error(err)
	}
}

func TestFault19HostKeyChanged(t *testing.T) {
	s := newFakeServer(t)
	old := ed25519Signer(t)
	s.writeKnown(old)
	for _, strict := range []string{"ask", "accept-new", "no"} {
		config := s.config()
		config.Options = append(config.Options, "StrictHostKeyChecking="+strict)
		config.ConfirmHostKey = func(string, string) bool { return true }
		before, _ := os.ReadFile(s.known)
		_, err := Dial(context.Background(), s.address(), config)
		if !errors.Is(err, ErrHostKeyChanged) {
			t.Fatalf("%s: %v", strict, err)
		}
		for _, part := range []string{ssh.FingerprintSHA256(old.PublicKey()), ssh.FingerprintSHA256(s.hostKeys[0].PublicKey()), s.known + ":1"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q lacks %s", strict, err, part)
			}
		}
		if after, _ := os.ReadFile(s.known); !bytes.Equal(before, after) {
			t.Errorf("%s: known_hosts was written", strict)
		}
	}
}

func TestFault19HostKeyRevoked(t *testing.T) {
	s := newFakeServer(t)
	s.hostKeys = s.hostKeys[:1]
	line := fmt.Sprintf("[127.0.0.1]:%d %s", s.port(), ssh.MarshalAuthorizedKey(s.hostKeys[0].PublicKey()))
	writeFile(t, s.known, line+"@revoked * "+string(ssh.MarshalAuthorizedKey(s.hostKeys[0].PublicKey())), 0o600)
	_, err := Dial(context.Background(), s.address(), s.config())
	if !errors.Is(err, ErrHostKeyChanged) || !strings.Contains(err.Error(), "revoked") {
		t.Fatal(err)
	}
}

func TestFault20HostKeyUnknown(t *testing.T) {
	s := newFakeServer(t)
	s.writeKnown()
	_, err := Dial(context.Background(), s.address(), s.config())
	if !errors.Is(err, ErrHostKeyUnknown) || !strings.Contains(err.Error(), "SHA256:") || Hint(err) == "" {
		t.Fatal(err)
	}
	writeFile(t, s.known, "# no newline at the end", 0o600)
	var connections sync.WaitGroup
	for range 8 { // all at once: one of them writes
		connections.Go(func() {
			config := s.config()
			config.Options = append(config.Options, "StrictHostKeyChecking=accept-new", "HashKnownHosts=yes")
			c, err := Dial(context.Background(), s.address(), config)
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		})
	}
	connections.Wait()
	text, _ := os.ReadFile(s.known)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], "|1|") {
		t.Errorf("known_hosts:\n%s", text)
	}
	s.dial() // now it is known
}

// Somebody else holds the lock of known_hosts, and adds the very host: nothing is written
// before the lock is free, and then the host is known.
func TestFault20HostKeyIsAppendedUnderALock(t *testing.T) {
	s := newFakeServer(t)
	all, err := os.ReadFile(s.known)
	if err != nil {
		t.Fatal(err)
	}
	s.writeKnown()
	other, err := os.OpenFile(s.known, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	config := s.config()
	config.Options = append(config.Options, "StrictHostKeyChecking=accept-new")
	dialed := make(chan error, 1)
	go func() {
		c, err := Dial(context.Background(), s.address(), config)
		if err == nil {
			c.Close()
		}
		dialed <- err
	}()
	select {
	case err := <-dialed:
		t.Fatalf("did not wait for the lock: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if _, err := other.Write(all); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := <-dialed; err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(s.known); !bytes.Equal(text, all) {
		t.Errorf("known_hosts:\n%s", text)
	}
}

func TestFault20ConfirmedHostKey(t *testing.T) {
	s := newFakeServer(t)
	s.writeKnown()
	config := s.config()
	var shown string
	config.ConfirmHostKey = func(_, fingerprint string) bool { shown = fingerprint; return true }
	c, err := Dial(context.Background(), s.address(), config)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if !strings.HasPrefix(shown, "SHA256:") {
		t.Error(shown)
	}
	s.dial()
}

func TestFault21OtherKeyTypeKnown(t *testing.T) {
	s := newFakeServer(t)
	for _, key := range s.hostKeys { // the server has both; known_hosts one of them
		s.writeKnown(key)
		s.dial()
	}
}

func TestFault22HalfOpenConnection(t *testing.T) {
	s := newFakeServer(t)
	s.exec = func(channel ssh.Channel, line string) { started(channel, line) }
	r := startRelay(t, s.listener.Addr().String(), 0)
	config := s.config()
	config.KnownHosts = s.known + ".relay"
	config.Options = append(config.Options, "StrictHostKeyChecking=accept-new")
	config.KeepAlive = 20 * time.Millisecond
	c, err := Dial(context.Background(), Address{User: "root", Host: "127.0.0.1", Port: r.port}, config)
	if err != nil {
		t.Fatal(err)
	}
	process, err := c.Start(context.Background(), Command{Script: "sleep 30"})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // ten intervals: a host that answers is kept
	if c.transport.(*sshTransport).ended() {
		t.Fatal("a silent command on a live host was given up")
	}
	r.goSilent()
	soon(t, func() {
		if err := process.Wait(); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "stopped answering") {
			t.Error(err)
		}
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
				time.Sleep(10 * time.Millisecond)
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

func TestDialIsCancelled(t *testing.T) {
	s := newFakeServer(t)
	s.accept = func(net.Conn) {}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	soon(t, func() {
		if _, err := Dial(ctx, s.address(), s.config()); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestCommandIsCancelled(t *testing.T) {
	c := newFakeServer(t).dial()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	soon(t, func() {
		_, err := c.Run(ctx, Command{Script: "exec sleep 30"}, nil)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrLost) {
			t.Error(err)
		}
	})
	if out, err := c.Run(context.Background(), Command{Script: "echo still here"}, nil); err != nil || string(out) != "still here\n" {
		t.Errorf("%q %v", out, err)
	}
}

func TestPendingWaitEndsWithClose(t *testing.T) {
	c := newFakeServer(t).dial()
	process, err := c.Start(context.Background(), Command{Script: "sleep 30"})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	soon(t, func() {
		if err := process.Wait(); !errors.Is(err, ErrLost) {
			t.Error(err)
		}
	})
}

// Nothing of what a command prints is kept beyond the bounds.
func TestFault28MuchOutput(t *testing.T) {
	const size = 200 << 20
	s := newFakeServer(t)
	block := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	s.exec = func(channel ssh.Channel, line string) {
		started(channel, line)
		var streams sync.WaitGroup
		for _, w := range []io.Writer{channel, channel.Stderr()} {
			streams.Go(func() {
				for range size / 2 / len(block) {
					w.Write(block)
				}
			})
		}
		streams.Wait()
		exitStatus(channel, 5)
	}
	c := s.dial()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	out, err := c.Run(context.Background(), Command{Script: "yes"}, nil)
	runtime.GC()
	runtime.ReadMemStats(&after)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 5 || len(exit.Stderr) != StderrTail || len(out) != MaxOutput {
		t.Errorf("%d bytes of stdout, %v", len(out), err)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 3*MaxOutput {
		t.Errorf("%d MB of memory for %d MB of output", grown>>20, size>>20)
	}
	if after.Sys-before.Sys > 150<<20 {
		t.Errorf("took %d MB from the system", (after.Sys-before.Sys)>>20)
	}
	runtime.KeepAlive(out)
}

func TestTooMuchOutput(t *testing.T) {
	c := newFakeServer(t).dial()
	_, err := c.Run(context.Background(), Command{Script: "head -c 17000000 /dev/zero"}, nil)
	if !errors.Is(err, ErrTooMuchOutput) {
		t.Error(err)
	}
}

// Bytes that trickle are a sign of life, also while what keepalives ask has no answer.
func TestFault29SlowLink(t *testing.T) {
	s := newFakeServer(t)
	s.mute = true
	s.exec = func(channel ssh.Channel, line string) {
		started(channel, line)
		for range 8 {
			io.WriteString(channel, ".")
			time.Sleep(450 * time.Millisecond)
		}
		exitStatus(channel, 0)
	}
	c := s.dial(func(config *Config) {
		config.KeepAlive = 200 * time.Millisecond
		config.ConnectTimeout = time.Second // not the command's business
	})
	out, err := c.Run(context.Background(), Command{Script: "true"}, nil)
	if err != nil || len(out) != 8 {
		t.Errorf("%q %v", out, err)
	}
}

// Towards the host bytes may move for long without an answer: what keepalives ask waits
// behind them.
func TestFault29SlowLinkToTheHost(t *testing.T) {
	const size = 1 << 20
	s := newFakeServer(t)
	s.exec = func(channel ssh.Channel, line string) {
		started(channel, line)
		time.Sleep(4 * time.Second) // what is read makes the window wider, which is an answer
		n, _ := io.Copy(io.Discard, channel)
		fmt.Fprint(channel, n)
		exitStatus(channel, 0)
	}
	config := s.config()
	config.KnownHosts = s.known + ".relay"
	config.Options = append(config.Options, "StrictHostKeyChecking=accept-new")
	config.KeepAlive = 500 * time.Millisecond
	address := s.address()
	address.Port = slowRelay(t, s.listener.Addr().String(), 2<<10, 5*time.Millisecond)
	c, err := Dial(context.Background(), address, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out, err := c.Run(context.Background(), Command{Script: "true"}, make([]byte, size))
	if err != nil || string(out) != fmt.Sprint(size) {
		t.Errorf("%q %v", out, err)
	}
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

// The noise names sudo's prompt as an echoing shell would: no password is sent.
func TestFault18ForgedPrompt(t *testing.T) {
	s := newFakeServer(t)
	received := make(chan string, 1)
	s.exec = func(channel ssh.Channel, line string) {
		io.WriteString(channel.Stderr(), "+ "+line+"\n") // set -x
		time.Sleep(30 * time.Millisecond)
		started(channel, line)
		input, _ := io.ReadAll(channel)
		received <- string(input)
		exitStatus(channel, 0)
	}
	config := s.config()
	config.SudoPassword = func(string) ([]byte, error) { return []byte("correct horse"), nil }
	address := s.address()
	address.User = "someone"
	c, err := Dial(context.Background(), address, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Run(context.Background(), Command{Script: "cat", Root: true}, []byte("mine")); err != nil {
		t.Error(err)
	}
	if input := <-received; input != "mine" {
		t.Errorf("the command was sent %q", input)
	}
}
