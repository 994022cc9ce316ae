package remote

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// patience ends a connection whose command says nothing for too long, or talks without an end. Its server
// may be well and answer all that keepalives ask: a question hangs where it looks at a mount that does not
// answer, and the server waits with it when it is told to end it.
type patience struct {
	connection *Connection
	silence    time.Duration
	time       *countdown // nil waits for ever
	read       atomic.Int64
	ended      atomic.Pointer[Error] // why it ended the connection
}

func (c *Connection) patience(silence time.Duration) *patience {
	p := &patience{connection: c, silence: silence}
	if silence > 0 {
		p.time = &countdown{over: func() {
			p.end(ErrSilent, fmt.Sprintf("%s for %s: it hangs there", ErrSilent, silence))
		}}
		p.time.start(silence)
	}
	return p
}

func (p *patience) end(kind error, problem string) {
	p.ended.CompareAndSwap(nil, &Error{
		What: p.connection.name, Problem: problem, Kinds: []error{kind},
		Hint: "look there for what does not answer, as a mount of a server that is gone: ps -eo pid,stat,wchan:20,args",
	})
	p.connection.Close()
}

func (p *patience) stop() {
	if p.time != nil {
		p.time.stop()
	}
}

// with hears what a stream brings.
func (p *patience) with(stream io.Reader) io.Reader {
	if p.time == nil {
		return stream
	}
	return heard{stream, p}
}

// explain is the error of a command: why its connection was ended, where it was.
func (p *patience) explain(err error) error {
	if ended := p.ended.Load(); err != nil && ended != nil {
		return ended
	}
	return err
}

// Hearing is a stream of a command that goes on after it has answered: it may be silent for ever, but for where an
// answer is awaited.
type Hearing struct {
	stream     io.Reader
	connection *Connection
	silence    time.Duration

	mu       sync.Mutex
	awaiting *patience // nil while no answer is awaited
}

// Hear hears a command's stream, which may be silent for so long where an answer is awaited; 0 is for ever.
func (c *Connection) Hear(stream io.Reader, silence time.Duration) *Hearing {
	return &Hearing{stream: stream, connection: c, silence: silence}
}

// Await awaits an answer until done is called, which returns why the connection was ended, if it was: nothing came
// for too long. The host may be silent longer than else where it has something to wait for.
func (h *Hearing) Await(longer time.Duration) (done func() error) {
	if h.silence <= 0 {
		return func() error { return nil }
	}
	p := h.connection.patience(h.silence + longer)
	await := func(p *patience) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.awaiting = p
	}
	await(p)
	return func() error {
		await(nil)
		p.stop()
		if ended := p.ended.Load(); ended != nil {
			return ended
		}
		return nil
	}
}

// Read implements io.Reader.
func (h *Hearing) Read(buffer []byte) (int, error) {
	n, err := h.stream.Read(buffer)
	h.mu.Lock()
	defer h.mu.Unlock()
	if n > 0 && h.awaiting != nil {
		h.awaiting.time.start(h.awaiting.silence)
	}
	return n, err
}

type heard struct {
	io.Reader
	by *patience
}

// Read implements io.Reader.
func (h heard) Read(buffer []byte) (int, error) {
	n, err := h.Reader.Read(buffer)
	if n > 0 {
		h.by.time.start(h.by.silence)
	}
	if h.by.read.Add(int64(n)) > MaxOutput {
		h.by.end(ErrTooMuchOutput, fmt.Sprintf("%s: more than %d MiB, and it goes on", ErrTooMuchOutput, MaxOutput>>20))
	}
	return n, err
}
