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

// mark begins a line that the runner itself prints among the steps' output: "\x1e12" before
// step 12, "\x1ebatch" after a batch.
const mark = "\x1e"

// output reads what steps print, and keeps that of the last one.
type output struct {
	mu      sync.Mutex
	head    strings.Builder
	tail    []byte
	left    int // bytes between head and tail that are gone
	told    func(line string)
	batches chan struct{}
}

func newOutput() *output { return &output{batches: make(chan struct{}, 1)} }

// tell sets who is told each line, nil for nobody.
func (o *output) tell(told func(string)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = told
}

// await waits until all that the batch printed was read.
func (o *output) await() { <-o.batches }

func (o *output) read(from io.Reader) {
	defer close(o.batches)
	lines := bufio.NewReaderSize(from, 32<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			o.line(string(line))
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (o *output) line(line string) {
	bare := strings.TrimSuffix(line, "\n")
	// What a step left without a newline stands before the mark.
	if at := strings.LastIndex(bare, mark); at >= 0 {
		if at > 0 {
			o.keep(bare[:at] + "\n")
		}
		if bare[at+1:] == "batch" {
			o.batches <- struct{}{}
			return
		}
		o.mu.Lock()
		o.head.Reset()
		o.tail, o.left = nil, 0
		o.mu.Unlock()
		return
	}
	o.keep(line)
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
