package report

import (
	"encoding/json"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"provision/internal/engine"
)

// JSON tells programs what a run does: one object a line. docs/json.md says what each is,
// and Schema in a form for programs. Its methods are safe from several goroutines. Fields may
// be added. What is empty may be left out. Bytes that are not UTF-8 are U+FFFD; a line that
// has some is there in raw too, byte by byte, in base64.
type JSON struct {
	masker   *Masker
	now      func() time.Time
	exitCode func(engine.Status) int

	mu    sync.Mutex
	w     io.Writer
	err   error // the first of writing
	hosts []hostStatus
}

// NewJSON returns a JSON that writes to w, with secrets masked. exitCode is the code that the
// command would end with if a host that ended so were its only one.
func NewJSON(w io.Writer, secrets []string, exitCode func(engine.Status) int) *JSON {
	return &JSON{masker: NewMasker(secrets), now: time.Now, exitCode: exitCode, w: w, hosts: []hostStatus{}}
}

// raw returns the bytes of a line, masked already, that JSON cannot hold as text.
func raw(line string) []byte {
	if utf8.ValidString(line) {
		return nil
	}
	return []byte(line)
}

// Event writes an event.
func (j *JSON) Event(e engine.HostEvent) {
	r := newRecord(e, j.now())
	if r == nil {
		return
	}
	gate(r, j.masker.Mask)
	switch r := r.(type) {
	case *output:
		r.Raw = raw(r.Line)
	case *printed:
		r.Raw = raw(r.Line)
	case *finished:
		r.ExitCode = j.exitCode(r.Status)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if end, ok := r.(*finished); ok {
		j.hosts = append(j.hosts, hostStatus{end.Host, end.Status, end.ExitCode})
	}
	j.write(r)
}

// Summary writes how every host that came to its end did, and what the command exits with.
func (j *JSON) Summary(again string, exitCode int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(&summary{head: head{Time: newStamp(j.now()), Event: "summary"}, Hosts: j.hosts, Again: j.masker.Mask(again), ExitCode: exitCode})
}

// Problem writes an error that no host made, and what the command exits with.
func (j *JSON) Problem(err error, hint string, exitCode int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(&problem{head{Time: newStamp(j.now()), Event: "error"}, j.masker.Mask(err.Error()), j.masker.Mask(hint), exitCode})
}

// Close returns the first error of writing.
func (j *JSON) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

func (j *JSON) write(r record) {
	encoder := json.NewEncoder(j.w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil && j.err == nil {
		j.err = err
	}
}
