package remote

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// liveConn counts what arrives. Any byte is a sign of life, so a slow link that
// still moves is never given up.
type liveConn struct {
	net.Conn
	received atomic.Int64

	mu       sync.Mutex
	greeting []byte // the first that came
	lost     error  // why no more comes
}

// ended is why no more comes from the other side, nil while it may.
func (c *liveConn) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// maxGreeting bounds what is kept of it.
const maxGreeting = 512

// notSSH is the first line of what said no SSH: sshd's own reason to hang up (Exceeded MaxStartups), or
// what another server says. "" is that nothing came, or SSH.
func (c *liveConn) notSSH() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	line, _, _ := bytes.Cut(bytes.TrimSpace(c.greeting), []byte("\n"))
	if bytes.HasPrefix(c.greeting, []byte("SSH-")) || bytes.Contains(c.greeting, []byte("\nSSH-")) {
		return ""
	}
	return strings.TrimSpace(string(line[:min(len(line), 80)]))
}

// sent tells how many bytes the host's TCP has acknowledged, and whether more of ours
// are on their way or wait for it: on a slow link an answer may come only behind
// all of them. Both are zero on a connection that is no TCP (tcp(7), TCP_INFO).
func (c *liveConn) sent() (acknowledged uint64, waiting bool) {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return 0, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, false
	}
	raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			acknowledged, waiting = info.Bytes_acked, info.Unacked > 0 || info.Notsent_bytes > 0
		}
	})
	return acknowledged, waiting
}

func (c *liveConn) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	if err != nil {
		c.mu.Lock()
		c.lost = err
		c.mu.Unlock()
	}
	if had := c.received.Add(int64(n)) - int64(n); had < maxGreeting {
		c.mu.Lock()
		c.greeting = append(c.greeting, buffer[:min(n, maxGreeting-len(c.greeting))]...)
		c.mu.Unlock()
	}
	return n, err
}

// keepAlive asks the host for a sign of life after each interval of silence,
// and returns when it has failed to give one `most` times, or when done is
// closed. Half-open TCP would else wait for ever: nothing comes, not even an end.
func keepAlive(conn *liveConn, client *ssh.Client, interval time.Duration, most int, done <-chan struct{}) (dead bool) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var asking atomic.Bool
	last, taken, silent := conn.received.Load(), uint64(0), 0
	for {
		select {
		case <-done:
			return false
		case <-ticker.C:
		}
		received := conn.received.Load()
		acknowledged, waiting := conn.sent()
		// Where nothing waits, a host must answer by itself.
		alive := received != last || waiting && acknowledged > taken
		last, taken = received, acknowledged
		if alive {
			silent = 0
			continue
		}
		if silent >= most {
			return true
		}
		silent++
		if asking.CompareAndSwap(false, true) {
			go func() { // may block in a full send buffer: closing the connection frees it
				client.SendRequest("keepalive@openssh.com", true, nil)
				asking.Store(false)
			}()
		}
	}
}

// errStalled is the cause of a connection that watchdog cut off.
var errStalled = errors.New("no progress within the connect timeout")

// watchdog bounds TCP and handshake together. It closes the connection instead
// of setting a deadline on it, because a connection through a jump host has
// none. It stands still while a person is asked something.
type watchdog struct {
	timeout time.Duration
	cancel  context.CancelCauseFunc
	time    *countdown
}

// startWatchdog returns a context that ends, with errStalled as its cause, when
// the time is up.
func startWatchdog(parent context.Context, timeout time.Duration) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(parent)
	w := &watchdog{timeout, cancel, &countdown{over: func() { cancel(errStalled) }}}
	w.resume()
	return ctx, w
}

func (w *watchdog) pause() { w.time.stop() }

func (w *watchdog) resume() { w.time.start(w.timeout) }

func (w *watchdog) stop() {
	w.pause()
	w.cancel(nil)
}

// asking returns config with callbacks that stop the clock while they run.
func (w *watchdog) asking(config Config) Config {
	return config.Asking(func() func() {
		w.pause()
		return w.resume
	})
}
