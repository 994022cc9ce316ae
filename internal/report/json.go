package report

import (
	"encoding/json"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"provision/internal/engine"
)

// JSON tells programs what a run does: one object a line. Its methods are safe from
// several goroutines. Every object has "time" (RFC 3339, UTC, by the controller's clock),
// "event", and, but for the summary, "host". The events and their fields, with times in
// seconds and sizes in bytes:
//
//	connecting  address
//	asking
//	plan        platform{release codename arch} counts{create update delete act maybe same}
//	            resources[]: resource task kind summary deltas[]{name before after} until
//	            content{form exists diff before after}
//	applying    run
//	step_began  number title resource
//	step_ended  number title seconds failed
//	output      line raw
//	progress    title done total
//	note        text
//	changed     resource task kind summary deltas[]
//	restored    unit paths[] runs undone
//	verifying   checks
//	checked     name from seconds passed error
//	printed     line stream raw
//	finished    status changed same seconds error hint output after[]
//	            restored{unit paths[] runs error output}
//	summary     hosts[]{host status} again
//
// Fields may be added. What is empty may be left out. Bytes that are not UTF-8 are U+FFFD; a
// line that has some is there in raw too, byte by byte, in base64.
type JSON struct {
	masker *Masker
	now    func() time.Time

	mu    sync.Mutex
	w     io.Writer
	err   error // the first of writing
	hosts []hostStatus
}

type hostStatus struct {
	Host   string        `json:"host"`
	Status engine.Status `json:"status"`
}

type summary struct {
	head
	Hosts []hostStatus `json:"hosts"`
	Again string       `json:"again,omitempty"`
}

// NewJSON returns a JSON that writes to w, with secrets masked.
func NewJSON(w io.Writer, secrets []string) *JSON {
	return &JSON{masker: NewMasker(secrets), now: time.Now, w: w, hosts: []hostStatus{}}
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
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if end, ok := r.(*finished); ok {
		j.hosts = append(j.hosts, hostStatus{end.Host, end.Status})
	}
	j.write(r)
}

// Summary writes how every host that came to its end did.
func (j *JSON) Summary(again string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := &summary{head: head{Time: newStamp(j.now()), Event: "summary"}, Hosts: j.hosts, Again: j.masker.Mask(again)}
	j.write(r)
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
