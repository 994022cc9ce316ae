package remote

import (
	"bytes"
	"io"
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

	// what search leaves behind; not to be touched before it has ended
	noise []byte // the end of what came before the mark
	rest  []byte // read beyond the mark already
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
		from := max(0, len(window)-len(r.mark)) // the mark may have begun in an earlier read
		window = append(window, buffer[:n]...)
		if at := bytes.Index(window[from:], r.mark); at >= 0 {
			r.noise, r.rest = window[:from+at], window[from+at+len(r.mark):]
			close(r.found)
			return
		}
		if extra := len(window) - noiseKept; extra > 0 {
			window = append(window[:0], window[extra:]...)
		}
		if n > 0 && seen != nil {
			seen(window)
		}
		if err != nil {
			r.noise = window
			return
		}
	}
}

// Noise is what came before the mark, its end where it is long. It waits for
// the mark as Read does.
func (r *markReader) Noise() []byte {
	<-r.ended
	return r.noise
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
