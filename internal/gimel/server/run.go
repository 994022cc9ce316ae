package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Listener serves a handler on sockets, and ends without losing a request.
type Listener struct {
	server   *http.Server
	sockets  []net.Listener
	draining atomic.Bool
	open     atomic.Int64
	failed   chan error
}

// longestHeader is what a request may have before its handler. The limit on
// queries is event.Limits'; beyond this one net/http answers 431, unheard by a
// client in another origin. A query of 10 MB still gets its 200.
const longestHeader = 11 << 20

// Listen prepares to serve; Start begins.
func Listen(handler http.Handler, sockets []net.Listener, log *slog.Logger) *Listener {
	l := &Listener{sockets: sockets, failed: make(chan error, len(sockets))}
	l.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if l.draining.Load() {
				w.Header().Set("Connection", "close")
			}
			handler.ServeHTTP(w, r)
		}),
		// Where a body is read, Server.limited sets its deadline.
		ReadHeaderTimeout: 10 * time.Second,
		// Longer than nginx keeps a connection to us (keepalive_timeout of the
		// upstream, 60 s): the side that sends requests should close.
		IdleTimeout:    75 * time.Second,
		MaxHeaderBytes: longestHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ConnState:      l.count,
	}
	return l
}

func (l *Listener) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		l.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		l.open.Add(-1)
	}
}

// Start accepts connections. Failed tells when a socket stops to.
func (l *Listener) Start() {
	for _, socket := range l.sockets {
		go func() {
			err := l.server.Serve(socket)
			if !l.draining.Load() && !errors.Is(err, http.ErrServerClosed) {
				l.failed <- err
			}
		}()
	}
}

// Failed gets an error when a socket cannot accept any more.
func (l *Listener) Failed() <-chan error { return l.failed }

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
	return l.server.Shutdown(ctx)
}
