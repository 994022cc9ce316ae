package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

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
