package simulated

import (
	"io"
	"net"
	"sync"
	"time"
)

// away makes a connection take so long each way, and TCP's own round trip before.
func away(conn net.Conn, delay time.Duration) net.Conn {
	if delay == 0 {
		return conn
	}
	time.Sleep(2 * delay)
	far := &farConn{Conn: conn, arriving: make(chan late, 64), leaving: make(chan late, 1024), delay: delay}
	go far.receive()
	go far.send()
	return far
}

// farConn is a connection to a host that is far away.
type farConn struct {
	net.Conn
	delay             time.Duration
	arriving, leaving chan late
	rest              []byte // of what has arrived

	mu     sync.Mutex
	closed bool
}

// late is what is on its way.
type late struct {
	due  time.Time
	data []byte
	err  error
}

func (c *farConn) receive() {
	for {
		data := make([]byte, 8<<10)
		n, err := c.Conn.Read(data)
		c.arriving <- late{time.Now().Add(c.delay), data[:n], err}
		if err != nil {
			close(c.arriving)
			return
		}
	}
}

// Read implements net.Conn.
func (c *farConn) Read(buffer []byte) (int, error) {
	if len(c.rest) == 0 {
		next, more := <-c.arriving
		if !more {
			return 0, io.EOF
		}
		time.Sleep(time.Until(next.due))
		if next.err != nil {
			return 0, next.err
		}
		c.rest = next.data
	}
	n := copy(buffer, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *farConn) send() {
	for next := range c.leaving {
		time.Sleep(time.Until(next.due))
		if _, err := c.Conn.Write(next.data); err != nil {
			break
		}
	}
	c.Conn.Close()
	for range c.leaving { // to who is not there
	}
}

// Write implements net.Conn.
func (c *farConn) Write(data []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.leaving <- late{due: time.Now().Add(c.delay), data: append([]byte(nil), data...)}
	return len(data), nil
}

// Close implements net.Conn. What was written still arrives.
func (c *farConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.leaving)
	}
	return nil
}
