package journal

import (
	"bufio"
	"io"
	"strings"
	"sync"
)

// The most that is kept of what one step prints: its start and its end. The rest is told
// line by line and then forgotten, so a step may print for ever.
const (
	keptHead = 64 << 10
	keptTail = 64 << 10
)

// output reads what steps print, and keeps that of the last one.
//
// Before each step and after each batch the runner prints a mark: a newline, so that what
// a step left unended does not run into it, then a line of \x1e, the run's nonce, a space
// and the step's number or "batch". No step knows the nonce.
type output struct {
	mu      sync.Mutex
	mark    string // "\x1eNONCE ", "" until the nonce is known
	head    strings.Builder
	tail    []byte
	left    int  // bytes between head and tail that are gone
	blank   bool // an empty line is held back: the mark's own, if one follows
	told    func(line string)
	batches chan struct{} // one for each mark of a batch's end
	ended   chan struct{} // closed when there is nothing more to read
}

func newOutput() *output {
	return &output{batches: make(chan struct{}, 1), ended: make(chan struct{})}
}

// trust sets the run's nonce.
func (o *output) trust(nonce string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mark = "\x1e" + nonce + " "
}

// tell sets who is told each line, nil for nobody.
func (o *output) tell(told func(string)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = told
}

// await waits until all that the batch printed was read.
func (o *output) await() {
	select {
	case <-o.batches:
	case <-o.ended:
	}
}

func (o *output) read(from io.Reader) {
	defer close(o.ended)
	lines := bufio.NewReaderSize(from, 32<<10)
	start := true // of a line: a longer one than the buffer comes in pieces
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			o.line(string(line), start)
			start = strings.HasSuffix(string(line), "\n")
		}
		if err != nil && err != bufio.ErrBufferFull {
			o.release()
			return
		}
	}
}

func (o *output) line(line string, start bool) {
	o.mu.Lock()
	mark := o.mark
	o.mu.Unlock()
	if what, is := strings.CutPrefix(line, mark); is && start && mark != "" {
		o.blank = false
		if what == "batch\n" {
			o.batches <- struct{}{}
			return
		}
		o.mu.Lock()
		o.head.Reset()
		o.tail, o.left = nil, 0
		o.mu.Unlock()
		return
	}
	o.release()
	if line == "\n" && start {
		o.blank = true
		return
	}
	o.keep(line)
}

// release keeps the empty line that was held back.
func (o *output) release() {
	if o.blank {
		o.blank = false
		o.keep("\n")
	}
}

func (o *output) keep(line string) {
	o.mu.Lock()
	told := o.told
	if o.head.Len()+len(line) <= keptHead && len(o.tail) == 0 {
		o.head.WriteString(line)
	} else {
		o.tail = append(o.tail, line...)
		if over := len(o.tail) - keptTail; over > 0 {
			o.left += over
			o.tail = append(o.tail[:0], o.tail[over:]...)
		}
	}
	o.mu.Unlock()
	if told != nil {
		told(strings.TrimRight(line, "\r\n"))
	}
}

// text returns what the last step printed, with a note where the middle is gone.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.head.String()
	if o.left > 0 {
		text += "\n… and more, not kept …\n"
	}
	return text + string(o.tail)
}
