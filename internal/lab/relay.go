package lab

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Relay passes TCP connections on to a target with a fixed delay each way, as a
// far-away host would have it, and counts what it passes. It stands in for
// netem, which not every kernel has.
type Relay struct {
	listener net.Listener
	target   string
	delay    time.Duration

	toTarget, fromTarget, connections, trips atomic.Int64

	mutex   sync.Mutex
	passing chan struct{} // closed while data may pass
	open    map[net.Conn]struct{}
	closed  bool
	group   sync.WaitGroup
}

// NewRelay listens on a free port of loopback. A round trip through it takes
// twice the delay, and so does opening a connection.
func NewRelay(target string, delay time.Duration) (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	passing := make(chan struct{})
	close(passing)
	r := &Relay{listener: listener, target: target, delay: delay, passing: passing, open: map[net.Conn]struct{}{}}
	r.group.Go(r.accept)
	return r, nil
}

// Address is where the relay listens, host:port.
func (r *Relay) Address() string { return r.listener.Addr().String() }

// Bytes returns how many have gone each way so far.
func (r *Relay) Bytes() (toTarget, fromTarget int64) {
	return r.toTarget.Load(), r.fromTarget.Load()
}

// Connections returns how many have been accepted so far.
func (r *Relay) Connections() int64 { return r.connections.Load() }

// Open returns how many are open now.
func (r *Relay) Open() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.open) / 2 // both ends
}

// RoundTrips returns how often clients have spoken after they had heard something of the target,
// and each one's first word: what they waited for, whatever the time that it took. It may count
// a goodbye too, which nobody waits for.
func (r *Relay) RoundTrips() int64 { return r.trips.Load() }

// Freeze stops passing data on and keeps all connections, as when a cable is
// pulled: neither side is told.
func (r *Relay) Freeze() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	select {
	case <-r.passing:
		r.passing = make(chan struct{})
	default: // is frozen
	}
}

// Thaw passes data on again, beginning with what was held back.
func (r *Relay) Thaw() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	select {
	case <-r.passing:
	default:
		close(r.passing)
	}
}

// Cut closes all connections that are open now. New ones are welcome.
func (r *Relay) Cut() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for conn := range r.open {
		conn.Close()
	}
}

// Close ends the relay with all its connections.
func (r *Relay) Close() error {
	r.mutex.Lock()
	r.closed = true
	r.mutex.Unlock()
	err := r.listener.Close()
	r.Cut()
	r.Thaw()
	r.group.Wait()
	return err
}

func (r *Relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.connections.Add(1)
		if r.keep(conn) {
			r.group.Go(func() { r.serve(conn) })
		}
	}
}

// keep notes a connection for Cut; after Close it closes it.
func (r *Relay) keep(conn net.Conn) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.closed {
		conn.Close()
		return false
	}
	r.open[conn] = struct{}{}
	return true
}

func (r *Relay) drop(conn net.Conn) {
	conn.Close()
	r.mutex.Lock()
	delete(r.open, conn)
	r.mutex.Unlock()
}

// serve keeps the time of TCP's own handshake, although the kernel has answered
// the client already: the client would know of the connection, and send, after
// two delays, and the target would after three.
func (r *Relay) serve(client net.Conn) {
	defer r.drop(client)
	connected := time.Now().Add(2 * r.delay)
	time.Sleep(3 * r.delay)
	target, err := net.Dial("tcp", r.target)
	if err != nil || !r.keep(target) {
		return
	}
	defer r.drop(target)
	asking := &asker{Conn: client, trips: &r.trips}
	asking.heard.Store(true) // that the connection is there
	var both sync.WaitGroup
	both.Go(func() { r.pass(target, asking, connected, func(n int) { r.toTarget.Add(int64(n)) }) })
	both.Go(func() {
		r.pass(client, target, connected, func(n int) {
			r.fromTarget.Add(int64(n))
			asking.heard.Store(true)
		})
	})
	both.Wait()
}

// asker is a client that is read from. What it says after it has heard something begins a round
// trip.
type asker struct {
	net.Conn
	heard atomic.Bool
	trips *atomic.Int64
}

// Read implements net.Conn.
func (a *asker) Read(buffer []byte) (int, error) {
	n, err := a.Conn.Read(buffer)
	if n > 0 && a.heard.Swap(false) {
		a.trips.Add(1)
	}
	return n, err
}

// chunk is data that is on its way until due.
type chunk struct {
	data []byte
	due  time.Time
}

// pass copies from one side to the other, each chunk the delay later than it
// came. The channel's length bounds what is on its way to 16 MiB.
func (r *Relay) pass(to, from net.Conn, connected time.Time, count func(bytes int)) {
	way := make(chan chunk, 512)
	done := make(chan struct{})
	defer close(done)
	r.group.Go(func() {
		defer close(way)
		for {
			buffer := make([]byte, 32<<10)
			n, err := from.Read(buffer)
			sent := time.Now()
			if sent.Before(connected) {
				sent = connected
			}
			if n > 0 {
				select {
				case way <- chunk{buffer[:n], sent.Add(r.delay)}:
				case <-done:
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					to.Close() // a reset is passed on as an end of both ways
				}
				return
			}
		}
	})
	for next := range way {
		time.Sleep(time.Until(next.due))
		r.waitPassing()
		count(len(next.data)) // first, so that who got the data finds it counted
		if _, err := to.Write(next.data); err != nil {
			from.Close()
			return
		}
	}
	r.waitPassing()
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite() // fails only when the connection is gone
	}
}

func (r *Relay) waitPassing() {
	r.mutex.Lock()
	passing := r.passing
	r.mutex.Unlock()
	<-passing
}
