package remote

import (
	"bytes"
	"io"
	"sync"
)

// noiseKept bounds what is kept of the output before the mark, for an error
// message when the mark never comes.
const noiseKept = 8 << 10

// markReader passes on what follows a mark in a stream, and nothing before it.
// Something else must call search, once, and that is what unblocks Read.
type markReader struct {
	source io.Reader
	mark   []byte

	found chan struct{} // closed when the mark was seen
	ended chan struct{} // closed when search is over, mark or not

	mu    sync.Mutex
	noise []byte // the end of what came before the mark
	rest  []byte // read beyond the mark already; only Read touches it after ended
}

func newMarkReader(source io.Reader, mark string) *markReader {
	return &markReader{source: source, mark: []byte(mark), found: make(chan struct{}), ended: make(chan struct{})}
}

// search reads until the mark or the end of the stream. It calls seen with the
// noise so far (its end, where it is long) after every read that brought no mark.
func (r *markReader) search(seen func(noise []byte)) {
	defer close(r.ended)
	var window []byte
	buffer := make([]byte, 4<<10)
	for {
		n, err := r.source.Read(buffer)
		window = append(window, buffer[:n]...)
		if at := bytes.Index(window, r.mark); at >= 0 {
			r.keep(window[:at])
			r.rest = window[at+len(r.mark):]
			close(r.found)
			return
		}
		if n > 0 {
			if extra := len(window) - noiseKept; extra > 0 {
				window = append(window[:0], window[extra:]...)
			}
			r.keep(window)
			if seen != nil {
				seen(window)
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *markReader) keep(noise []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noise = append(r.noise[:0], noise...)
}

// Noise is what came before the mark, its end where it is long.
func (r *markReader) Noise() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.noise)
}

// Read waits for the mark. Where the stream ends without one, nothing comes.
func (r *markReader) Read(buffer []byte) (int, error) {
	<-r.ended
	if len(r.rest) > 0 {
		n := copy(buffer, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	select {
	case <-r.found:
		return r.source.Read(buffer)
	default:
		return 0, io.EOF
	}
}
