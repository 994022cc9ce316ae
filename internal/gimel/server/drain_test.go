package server

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
	"provision/internal/gimel/telemetry"
)

// slowCommitter commits when it is told to.
type slowCommitter struct {
	began   chan struct{}
	proceed chan struct{}
}

func (c slowCommitter) CommitAside(e event.Event) (store.Outcome, error) { return c.Commit(e) }

func (c slowCommitter) Commit(event.Event) (store.Outcome, error) {
	c.began <- struct{}{}
	<-c.proceed
	return store.Outcome{Added: true}, nil
}

func slowSite(t *testing.T) (committer slowCommitter, listener *Listener, address string) {
	t.Helper()
	committer = slowCommitter{began: make(chan struct{}), proceed: make(chan struct{})}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener = New(Settings{Committer: committer, Counters: telemetry.NewCounters("test", func() int { return 0 }),
		Log: slog.New(slog.DiscardHandler), TrackPaths: eventPaths, Limits: event.DefaultLimits}).Listen([]net.Listener{socket})
	listener.Start()
	return committer, listener, socket.Addr().String()
}

func TestDrainAnswersWhatIsUnderWayAndClosesWhatIsIdle(t *testing.T) {
	committer, listener, address := slowSite(t)
	dial := func(send string) *bufio.Reader {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
		if _, err := io.WriteString(conn, send); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(conn)
	}
	const valid = "GET /track?experiment=e&variant=v&event=participate&uuid=u HTTP/1.1\r\nHost: a\r\n\r\n"
	const dropped = "GET /track? HTTP/1.1\r\nHost: a\r\n\r\n"
	answered := func(reader *bufio.Reader, last bool) {
		t.Helper()
		answer, err := http.ReadResponse(reader, nil)
		if err != nil || answer.StatusCode != 200 || answer.Close != last {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	closed := func(reader *bufio.Reader) {
		t.Helper()
		if _, err := reader.ReadByte(); err != io.EOF {
			t.Errorf("not closed: %v", err)
		}
	}

	idle := dial(dropped)
	answered(idle, false)
	busy := dial(valid)
	<-committer.began
	drained := make(chan error)
	go func() { drained <- listener.Drain(10*time.Millisecond, 2*time.Minute) }()
	closed(idle)
	select {
	case err := <-drained:
		t.Errorf("drained with an event under way: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	committer.proceed <- struct{}{}
	answered(busy, true)
	closed(busy)
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestDrainSaysWhatItCutsOff(t *testing.T) {
	committer, listener, address := slowSite(t)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /track?experiment=e&variant=v&event=g&uuid=u HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-committer.began
	if err := listener.Drain(0, 20*time.Millisecond); err == nil {
		t.Error("no error")
	}
	committer.proceed <- struct{}{}
}
