package server

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// idleTimeout is longer than nginx keeps a connection to us
	// (keepalive_timeout of the upstream, 60 s): the side that sends requests
	// should close.
	idleTimeout = 75 * time.Second
	// renewAfter is how old a connection's deadline may get: setting it for
	// each request would cost more than reading the request.
	renewAfter = 5 * time.Second
)

// connection answers plain events itself, without net/http, whose share of the
// work for an event would be the largest: with its second goroutine for each
// request that waits, its maps of headers, and its contexts. At the first
// request that is not plain (see plainEvent) the connection becomes net/http's
// for good, with that request unread.
type connection struct {
	net.Conn
	reader *bufio.Reader // nil when net/http has read all that was in it
	server *Server
	ending *atomic.Bool // whether every answer should be the connection's last

	deadlineSet time.Time
	answer      []byte // used again
}

func newConnection(conn net.Conn, server *Server, ending *atomic.Bool) *connection {
	return &connection{Conn: conn, reader: bufio.NewReader(conn), server: server, ending: ending}
}

// serve answers plain events. It returns true when net/http should go on, and
// false when the connection should be closed.
func (c *connection) serve() bool {
	for {
		if now := time.Now(); now.Sub(c.deadlineSet) > renewAfter {
			c.deadlineSet = now
			if c.Conn.SetDeadline(now.Add(idleTimeout)) != nil {
				return false
			}
		}
		if _, err := c.reader.Peek(1); err != nil {
			return false
		}
		received, _ := c.reader.Peek(c.reader.Buffered())
		query, size, plain := plainEvent(received, c.server.TrackPaths)
		if !plain {
			return c.Conn.SetDeadline(time.Time{}) == nil
		}
		_, _ = c.reader.Discard(size)
		committed := c.server.count(query)
		last := c.ending.Load()
		c.answer = appendAnswer(c.answer[:0], committed, last, time.Now())
		if _, err := c.Conn.Write(c.answer); err != nil || last {
			return false
		}
	}
}

// Read is for net/http: first what serve has received and left.
func (c *connection) Read(p []byte) (int, error) {
	if c.reader == nil {
		return c.Conn.Read(p)
	}
	n, err := c.reader.Read(p[:min(len(p), c.reader.Buffered())])
	if c.reader.Buffered() == 0 {
		c.reader = nil
	}
	return n, err
}

// CloseWrite is for net/http, which so lets the answer to a request that is too
// long arrive before it stops reading.
func (c *connection) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	return half.CloseWrite()
}

// appendAnswer writes what net/http would send for Server.track's answer.
func appendAnswer(answer []byte, committed, last bool, now time.Time) []byte {
	if committed {
		answer = append(answer, "HTTP/1.1 200 OK\r\n"...)
	} else {
		answer = append(answer, "HTTP/1.1 503 Service Unavailable\r\n"...)
	}
	answer = append(answer, "Access-Control-Allow-Origin: *\r\nCache-Control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\n"...)
	if !committed {
		answer = append(answer, "Retry-After: 1\r\n"...)
	}
	answer = append(answer, "Date: "...)
	answer = now.UTC().AppendFormat(answer, http.TimeFormat)
	answer = append(answer, "\r\nContent-Length: 0\r\n"...)
	if last {
		answer = append(answer, "Connection: close\r\n"...)
	}
	return append(answer, "\r\n"...)
}
