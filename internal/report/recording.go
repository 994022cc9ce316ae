package report

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"provision/internal/engine"
)

// Recording is what is kept of a run for its page: what would change on each host, and what was done there,
// when, and for how long. It holds no secret: all of it passed the gate.
type Recording struct {
	By      string         `json:"by"`
	Version string         `json:"version"`
	Plans   []recordedPlan `json:"plans"` // each once
	Hosts   []recordedHost `json:"hosts"`
	Cut     string         `json:"cut,omitempty"` // what was left out, for it was too long
}

// recordedPlan is what changes by a plan.
type recordedPlan struct {
	Platform  platform   `json:"platform"`
	Counts    counts     `json:"counts"`
	Resources []resource `json:"resources"` // those that change
}

// recordedHost is what happened on a host. Times are in seconds since the run began.
type recordedHost struct {
	Host  string    `json:"host"`
	Plan  int       `json:"plan,omitempty"` // which of the plans is its, from 1 on
	Spans []spent   `json:"spans,omitempty"`
	Told  []string  `json:"told,omitempty"` // what a person should know
	End   *finished `json:"end,omitempty"`
}

// spent is something that took time on a host.
type spent struct {
	Kind    word    `json:"kind"` // connect, ask, step, check
	Title   string  `json:"title"`
	From    float64 `json:"from"`
	Seconds float64 `json:"seconds"`
	Failed  bool    `json:"failed,omitempty"`
}

// mostSpans is how many of a host are kept.
const mostSpans = 2000

// Recorder records a run. Its methods are safe from several goroutines.
type Recorder struct {
	masker *Masker
	now    func() time.Time
	began  time.Time

	mu    sync.Mutex
	whole Recording
	hosts map[string]*recordedHost
	order []string
	plans map[[sha256.Size]byte]int
	open  map[string]spent // of a host, what is under way
}

// NewRecorder returns who records a run that begins now, with secrets masked.
func NewRecorder(by, version string, secrets []string, now func() time.Time) *Recorder {
	return &Recorder{
		masker: NewMasker(secrets), now: now, began: now(), whole: Recording{By: by, Version: version},
		hosts: map[string]*recordedHost{}, plans: map[[sha256.Size]byte]int{}, open: map[string]spent{},
	}
}

// Event records an event.
func (r *Recorder) Event(e engine.HostEvent) {
	switch event := e.Event.(type) {
	case engine.Output, engine.Progress, engine.Printed, engine.Graphed, engine.Changed:
		return // a page has no room for it, or has it from the plan
	case engine.PlanMade:
		r.planned(e.Host, event.Plan)
		return
	}
	now := r.now()
	record := newRecord(e, now)
	if record == nil {
		return
	}
	gate(record, r.clean)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.follow(r.host(e.Host), record, now.Sub(r.began).Seconds())
}

// clean masks a text and makes it harmless.
func (r *Recorder) clean(text string) string { return sanitize(r.masker.Mask(text), false) }

func (r *Recorder) host(name string) *recordedHost {
	if h := r.hosts[name]; h != nil {
		return h
	}
	r.hosts[name] = &recordedHost{Host: name}
	r.order = append(r.order, name)
	return r.hosts[name]
}

// planned records what changes by a plan; of the rest it counts how much there is.
func (r *Recorder) planned(host string, made engine.Plan) {
	now := r.now()
	record := newChanges(head{}, made)
	gate(record, r.clean)
	plan := recordedPlan{record.Platform, record.Counts, record.Resources}
	text, _ := json.Marshal(plan) // it is plain data
	sum := sha256.Sum256(text)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.plans[sum] == 0 {
		r.whole.Plans = append(r.whole.Plans, plan)
		r.plans[sum] = len(r.whole.Plans)
	}
	h := r.host(host)
	h.Plan = r.plans[sum]
	r.close(h, now.Sub(r.began).Seconds(), false)
}

// follow takes a record into what is known of a host.
func (r *Recorder) follow(h *recordedHost, record record, at float64) {
	begin := func(kind word, title string) {
		r.close(h, at, false)
		r.open[h.Host] = spent{Kind: kind, Title: title, From: at}
	}
	switch record := record.(type) {
	case *connecting:
		begin("connect", "connect to "+record.Address)
	case *asking:
		begin("ask", "ask the host what it has")
	case *applying:
		begin("ask", "lock the host, and ask it again")
	case *stepBegan:
		begin("step", record.Title)
	case *stepEnded:
		r.close(h, at, record.Failed)
	case *verifying:
		r.close(h, at, false)
	case *checked:
		h.add(spent{Kind: "check", Title: record.Name, From: max(at-record.Seconds, 0), Seconds: record.Seconds, Failed: !record.Passed && !record.LeftOut})
	case *note:
		h.Told = append(h.Told, record.Text)
	case *restored:
		h.Told = append(h.Told, fmt.Sprintf("%s did not survive the change: its files are put back", record.Unit))
	case *finished:
		r.close(h, at, false)
		h.End = record
	}
}

// close ends what is under way on a host.
func (r *Recorder) close(h *recordedHost, at float64, failed bool) {
	if its, under := r.open[h.Host]; under {
		its.Seconds, its.Failed = at-its.From, failed
		h.add(its)
		delete(r.open, h.Host)
	}
}

func (h *recordedHost) add(s spent) {
	if len(h.Spans) < mostSpans {
		h.Spans = append(h.Spans, s)
	}
}

// Bytes returns the recording, of most bytes at the most: of one that is longer the diffs are left out, then
// what took time. It is nil of one that is longer even so.
func (r *Recorder) Bytes(most int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	whole := r.whole
	for _, name := range r.order {
		whole.Hosts = append(whole.Hosts, *r.hosts[name])
	}
	for _, shorten := range []func(Recording) Recording{
		func(r Recording) Recording { return r }, Recording.withoutDiffs, Recording.withoutTimes,
	} {
		whole = shorten(whole)
		if text := packed(whole); len(text) <= most {
			return text
		}
	}
	return nil
}

func (r Recording) withoutDiffs() Recording {
	r.Cut, r.Plans = "the diffs", slices.Clone(r.Plans)
	for i := range r.Plans {
		r.Plans[i].Resources = slices.Clone(r.Plans[i].Resources)
		for j := range r.Plans[i].Resources {
			r.Plans[i].Resources[j].Content = nil
		}
	}
	return r
}

// withoutTimes is a recording without diffs that has no times either.
func (r Recording) withoutTimes() Recording {
	r.Cut, r.Hosts = "the diffs and the times of steps", slices.Clone(r.Hosts)
	for i := range r.Hosts {
		r.Hosts[i].Spans = nil
	}
	return r
}

func packed(whole Recording) []byte {
	var text bytes.Buffer
	zipped, _ := gzip.NewWriterLevel(&text, gzip.BestSpeed) // the level is a valid one, and a buffer takes everything
	_ = json.NewEncoder(zipped).Encode(whole)
	_ = zipped.Close()
	return text.Bytes()
}

// mostUnpacked bounds a recording that is read, in bytes.
const mostUnpacked = 256 << 20

// ReadRecording reads what Bytes returned.
func ReadRecording(text []byte) (Recording, error) {
	var whole Recording
	zipped, err := gzip.NewReader(bytes.NewReader(text))
	if err == nil {
		err = json.NewDecoder(io.LimitReader(zipped, mostUnpacked)).Decode(&whole)
	}
	if err == nil {
		err = cmp.Or(whole.check(), zipped.Close())
	}
	return whole, err
}

// check refuses what names plans that are not there.
func (r Recording) check() error {
	for _, h := range r.Hosts {
		if h.Plan < 0 || h.Plan > len(r.Plans) {
			return fmt.Errorf("%s: there is no plan %d", h.Host, h.Plan)
		}
	}
	return nil
}
