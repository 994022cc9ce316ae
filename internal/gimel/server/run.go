package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Listener serves a Server on sockets, and ends without losing a request.
// Every connection begins as a connection that takes plain events only, and is
// handed to net/http when it asks for more.
type Listener struct {
	server   *Server
	sockets  []net.Listener
	web      *http.Server
	handover *handover
	draining atomic.Bool // each answer is its connection's last
	failed   chan error

	open  atomic.Int64 // connections, net/http's too
	mu    sync.Mutex
	plain map[*connection]bool // those that are not net/http's
}

const (
	// longestHeader is what a request may have before its handler: each that is
	// open may take as much memory, several times. The limit on queries is
	// event.Limits'; beyond this one net/http answers 431, unheard by a client
	// in another origin. A proxy passes less on, as nginx's 64 KiB.
	longestHeader = 256 << 10
	// bodyTimeout is for who announces a body and holds it back, to whatever
	// route: net/http answers after it has seen the body's end.
	bodyTimeout = 5 * time.Second
)

// Listen prepares to serve; Start begins.
func (s *Server) Listen(sockets []net.Listener) *Listener {
	l := &Listener{server: s, sockets: sockets, handover: newHandover(),
		failed: make(chan error, len(sockets)), plain: map[*connection]bool{}}
	handler := s.Handler()
	l.web = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if l.draining.Load() {
				w.Header().Set("Connection", "close")
			}
			if r.ContentLength != 0 {
				_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // else the connection is gone
			}
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    longestHeader,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				l.open.Add(-1)
			}
		},
	}
	return l
}

// Start accepts connections. Failed tells when a socket stops to.
func (l *Listener) Start() {
	go func() { _ = l.web.Serve(l.handover) }() // ends with Drain
	for _, socket := range l.sockets {
		go l.accept(socket)
	}
}

// Failed gets an error when a socket cannot accept any more.
func (l *Listener) Failed() <-chan error { return l.failed }

func (l *Listener) accept(socket net.Listener) {
	for {
		conn, err := socket.Accept()
		if err == nil {
			l.open.Add(1)
			go l.serve(conn)
			continue
		}
		if l.draining.Load() {
			return
		}
		// Too many open files, or a visitor who has gone already: these pass,
		// and nothing but the deprecated Temporary, which net/http.Server asks
		// here too, tells them apart.
		//lint:ignore SA1019 as said
		if passing, ok := errors.AsType[net.Error](err); !ok || !passing.Temporary() {
			l.failed <- err
			return
		}
		l.server.Log.Warn("cannot accept a connection now", "error", err)
		time.Sleep(100 * time.Millisecond)
	}
}

func (l *Listener) serve(conn net.Conn) {
	c := newConnection(conn, l.server, &l.draining)
	l.mu.Lock()
	l.plain[c] = true
	l.mu.Unlock()
	handOver := false
	defer func() {
		if problem := recover(); problem != nil {
			l.server.Log.Error("panic", "problem", problem, "stack", string(debug.Stack()))
		}
		l.mu.Lock()
		delete(l.plain, c)
		l.mu.Unlock()
		if !handOver || !l.handover.pass(c) {
			c.Close()
			l.open.Add(-1)
		}
	}()
	handOver = c.serve()
}

// Drain stops accepting, asks every connection that sends a request to close,
// for at most grace, and then waits for the requests that are left, for at most
// timeout. Connections that were asked have no request under way when they
// close; an idle one is closed last, for a request may be coming on it.
func (l *Listener) Drain(grace, timeout time.Duration) error {
	l.draining.Store(true)
	for _, socket := range l.sockets {
		socket.Close()
	}
	for end := time.Now().Add(grace); l.open.Load() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := l.web.Shutdown(ctx)
	for ; err == nil && l.open.Load() > 0; time.Sleep(5 * time.Millisecond) {
		l.interrupt()
		err = ctx.Err()
	}
	return err
}

// interrupt lets plain connections that wait for a request end. Those with an
// event under way answer it first, which is their last.
func (l *Listener) interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.plain {
		_ = c.SetReadDeadline(time.Now()) // fails on one that has just closed
	}
}

// handover is the listener that net/http gets its connections from.
type handover struct {
	connections chan net.Conn
	closed      chan struct{}
	close       func()
}

func newHandover() *handover {
	h := &handover{connections: make(chan net.Conn), closed: make(chan struct{})}
	h.close = sync.OnceFunc(func() { close(h.closed) })
	return h
}

// pass gives net/http a connection; false when it takes none any more.
func (h *handover) pass(conn net.Conn) bool {
	select {
	case h.connections <- conn:
		return true
	case <-h.closed:
		return false
	}
}

// Accept is net/http's side of pass.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.connections:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and pass.
func (h *handover) Close() error {
	h.close()
	return nil
}

// Addr is not a place: the connections come from several sockets.
func (h *handover) Addr() net.Addr { return &net.UnixAddr{} }
