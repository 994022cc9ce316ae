package remote

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"sync"
)

// noiseKept bounds what is kept of the output before the mark, for an error
// message when the mark never comes.
const noiseKept = 8 << 10

// readAtOnce is how much of a stream is read at a time: of hundreds of connections two each wait for it.
const readAtOnce = 4 << 10

// mostNoise is what a login shell may print before a command begins; some print for ever.
const mostNoise = 1 << 20

// markReader passes on what stands between two marks in a stream, and nothing else: what
// comes before the first is noise, and after the second only what the command left behind
// prints. Something else must call search, once, and that is what unblocks Read.
type markReader struct {
	source     io.Reader
	start, end []byte

	found chan struct{} // closed when the first mark was seen
	ended chan struct{} // closed when search is over, mark or not

	// what search leaves behind; not to be touched before it has ended
	noise []byte // the end of what came before the mark
	room  []byte // to read into, once nothing is left to pass on

	mu     sync.Mutex // of what follows: two may read at once, when one waits for the end
	rest   []byte     // read already, and not passed on
	failed error      // of the source
	code   int        // the exit status that the second mark bears
	over   bool       // that mark was seen
}

func newMarkReader(source io.Reader, token string) *markReader {
	return &markReader{
		source: source, start: []byte(startMark(token)), end: []byte(endMark(token)),
		found: make(chan struct{}), ended: make(chan struct{}),
	}
}

// search reads until the first mark or the end of the stream. It calls seen with the
// noise so far (its end, where it is long) after every read that brought no mark. It gives up after too
// much noise.
func (r *markReader) search(seen func(noise []byte)) (tooMuch bool) {
	defer close(r.ended)
	var window []byte
	read := 0
	for {
		from := max(0, len(window)-len(r.start)) // the mark may have begun in an earlier read
		window = slices.Grow(window, readAtOnce)
		n, err := r.source.Read(window[len(window) : len(window)+readAtOnce])
		window = window[:len(window)+n]
		if at := bytes.Index(window[from:], r.start); at >= 0 {
			r.noise = slices.Clone(window[:from+at])
			r.room, r.rest, r.failed = window[:cap(window)], window[from+at+len(r.start):], err
			close(r.found)
			return false
		}
		read += n
		if extra := len(window) - noiseKept; extra > 0 {
			window = append(window[:0], window[extra:]...)
		}
		if n > 0 && seen != nil {
			seen(window)
		}
		if err != nil || read > mostNoise {
			r.noise, r.failed = window, io.EOF
			return err == nil
		}
	}
}

// Noise is what came before the mark, its end where it is long. It waits for
// the mark as Read does.
func (r *markReader) Noise() []byte {
	<-r.ended
	return r.noise
}

// Read waits for the first mark. Where the stream ends without one, nothing comes.
func (r *markReader) Read(buffer []byte) (int, error) {
	<-r.ended
	if len(buffer) == 0 {
		return 0, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if n := copy(buffer, r.rest[:r.passable()]); n > 0 {
			r.rest = r.rest[n:]
			return n, nil
		}
		switch {
		case r.over:
			return 0, io.EOF
		case r.failed != nil:
			return 0, r.failed
		}
		r.more()
	}
}

// more reads on. What is left to pass on may be the beginning of the mark.
func (r *markReader) more() {
	left := copy(r.room, r.rest)
	n, err := r.source.Read(r.room[left:])
	r.rest, r.failed = r.room[:left+n], err
}

// passable returns how much of the rest is surely the command's. It takes in the second mark
// when that stands first.
func (r *markReader) passable() int {
	at := bytes.Index(r.rest, r.end)
	if at < 0 {
		at = len(r.rest) - r.begun()
	}
	if at > 0 || len(r.rest) == 0 {
		return at
	}
	if code, ok := r.exit(); ok {
		r.code, r.over, r.rest = code, true, nil
		return 0
	}
	if r.failed != nil { // it was none
		return len(r.rest)
	}
	return 0
}

// begun returns how many bytes at the end of the rest may be the beginning of the mark.
func (r *markReader) begun() int {
	for n := min(len(r.end)-1, len(r.rest)); n > 0; n-- {
		if bytes.HasSuffix(r.rest, r.end[:n]) {
			return n
		}
	}
	return 0
}

// exit returns the status in a mark that is there as a whole.
func (r *markReader) exit() (code int, ok bool) {
	digits := bytes.TrimPrefix(r.rest, r.end)
	if len(digits) == len(r.rest) || len(digits) <= endDigits {
		return 0, false
	}
	code, err := strconv.Atoi(string(digits[:endDigits]))
	return code, err == nil
}

// status returns the exit status that the second mark told, once Read has come to the end.
func (r *markReader) status() (code int, said bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.code, r.over
}
