package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"runtime"
	"sync"
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
	case <-time.After(2 * busy):
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
		_, err := c.Run(ctx, Command{Script: "exec sleep 600"}, nil)
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
	process, err := c.Start(context.Background(), Command{Script: "sleep 600"})
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
