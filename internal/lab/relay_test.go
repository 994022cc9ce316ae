package lab

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echoServer answers each connection with what it gets.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dialRelay(t *testing.T, delay time.Duration) (*Relay, net.Conn) {
	t.Helper()
	relay, err := NewRelay(echoServer(t), delay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relay.Close() })
	conn, err := net.Dial("tcp", relay.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return relay, conn
}

func exchange(t *testing.T, conn net.Conn, message string) {
	t.Helper()
	if _, err := io.WriteString(conn, message); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len(message))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	if string(answer) != message {
		t.Fatalf("answer = %q, want %q", answer, message)
	}
}

func TestRelayDelaysAndCounts(t *testing.T) {
	const delay = 20 * time.Millisecond
	relay, conn := dialRelay(t, delay)
	start := time.Now()
	exchange(t, conn, "first")
	if took := time.Since(start); took < 4*delay { // handshake and one round trip
		t.Errorf("first answer after %s, sooner than the delays of the way allow", took)
	}
	start = time.Now()
	exchange(t, conn, "second")
	if took := time.Since(start); took < 2*delay {
		t.Errorf("second answer after %s, sooner than a round trip", took)
	}
	if to, from := relay.Bytes(); to != 11 || from != 11 {
		t.Errorf("Bytes() = %d, %d, want 11 each", to, from)
	}
	if n := relay.Connections(); n != 1 {
		t.Errorf("Connections() = %d, want 1", n)
	}
	if n := relay.RoundTrips(); n != 2 {
		t.Errorf("RoundTrips() = %d, want 2", n)
	}
	for range 3 { // which wait for nothing
		if _, err := io.WriteString(conn, "more"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
		t.Fatal(err)
	}
	if n := relay.RoundTrips(); n != 3 {
		t.Errorf("RoundTrips() = %d after several words in a row, want 3", n)
	}
}

func TestRelayPassesMuchAndTheEnd(t *testing.T) {
	_, conn := dialRelay(t, time.Millisecond)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	go func() {
		_, _ = conn.Write(sent)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("got %d bytes, want the %d that were sent", len(got), len(sent))
	}
}

func TestRelayFreezeIsHalfOpen(t *testing.T) {
	relay, conn := dialRelay(t, 0)
	exchange(t, conn, "before")
	relay.Freeze()
	relay.Freeze() // twice is once
	if _, err := io.WriteString(conn, "during"); err != nil {
		t.Fatalf("a frozen relay must still take data: %v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read of a frozen relay = %d, %v, want silence", n, err)
	}
	relay.Thaw()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 6)
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "during" {
		t.Fatalf("after thawing got %q, %v, want what was held back", answer, err)
	}
}

func TestRelayCutEndsConnections(t *testing.T) {
	relay, conn := dialRelay(t, 0)
	exchange(t, conn, "before")
	relay.Cut()
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("read %d bytes of a connection that was cut", n)
	}
	again, err := net.Dial("tcp", relay.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	exchange(t, again, "after")
}

func TestRelayClosesWhileFrozen(t *testing.T) {
	relay, conn := dialRelay(t, 0)
	exchange(t, conn, "before")
	relay.Freeze()
	if _, err := io.WriteString(conn, "held"); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- relay.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Close does not return")
	}
}
