package acceptance

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cutter passes TCP connections on to a host's sshd and counts what the controller writes:
// each SSH packet is a write of its own, for x/crypto/ssh flushes after each.
type cutter struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	open   []net.Conn
	writes int // so far
	at     int // the write at which it is cut; 0 is never
	after  bool
	cut    func() // called once, at that write
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: listener, target: target}
	t.Cleanup(func() {
		listener.Close()
		c.closeAll()
	})
	go c.accept()
	return c
}

// arm starts a new count, to be cut before or after a write.
func (c *cutter) arm(at int, after bool, cut func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes, c.at, c.after, c.cut = 0, at, after, cut
}

func (c *cutter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// wasCut says whether the write came at which it was to be cut.
func (c *cutter) wasCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at > 0 && c.writes >= c.at
}

func (c *cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		host, err := net.Dial("tcp", c.target)
		if err != nil {
			client.Close()
			continue
		}
		c.mu.Lock()
		c.open = append(c.open, client, host)
		c.mu.Unlock()
		go c.toHost(client, host)
		go func() {
			io.Copy(client, host)
			client.Close()
		}()
	}
}

func (c *cutter) toHost(client, host net.Conn) {
	defer host.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if n > 0 {
			c.mu.Lock()
			c.writes++
			cut, after := c.cut, c.after
			if c.writes != c.at {
				cut = nil
			}
			c.mu.Unlock()
			if cut != nil && !after {
				cut()
				c.closeAll()
				return
			}
			if _, err := host.Write(buffer[:n]); err != nil {
				return
			}
			if cut != nil {
				cut()
				c.closeAll()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *cutter) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.Close()
	}
	c.open = nil
}
