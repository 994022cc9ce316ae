package server

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
)

// eventsBody is what a server sends that tracks by itself, as a payment that
// came: each event has the fields of an event's query.
type eventsBody struct {
	Events []eventBody `json:"events"`
}

type eventBody struct {
	Namespace  string `json:"namespace"`
	Experiment string `json:"experiment"`
	Variant    string `json:"variant"`
	Event      string `json:"event"`
	UUID       string `json:"uuid"`
	Value      string `json:"value"`
	Visitor    string `json:"visitor"`
}

func (e eventBody) query() string {
	query := url.Values{}
	for name, value := range map[string]string{"namespace": e.Namespace, "experiment": e.Experiment,
		"variant": e.Variant, "event": e.Event, "uuid": e.UUID, "value": e.Value, "visitor": e.Visitor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query.Encode()
}

// mostEvents of one request.
const mostEvents = 1000

const (
	// eventsAtOnce of a request are on their way at a time, so that it takes no
	// more of the queue: as many as make good batches.
	eventsAtOnce = 64
	// senders are how many such requests are served at a time.
	senders = 8
)

// trackEvents counts events for a key: the answer says of each what became of
// it, in order. 503 means that some are not counted, and 429 that none is:
// sending all again does no harm.
func (s *Server) trackEvents(w http.ResponseWriter, r *http.Request) {
	var body eventsBody
	if !readJSON(w, r, &body) {
		return
	}
	if len(body.Events) > mostEvents {
		writeError(w, http.StatusUnprocessableEntity, "events: more than 1000")
		return
	}
	select {
	case s.senders <- struct{}{}:
		defer func() { <-s.senders }()
	default:
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusTooManyRequests, "too many send events at once")
		return
	}
	became := make([]string, len(body.Events))
	var all errgroup.Group
	all.SetLimit(eventsAtOnce)
	var failed atomic.Bool // then all comes again: the rest is not tried
	for i, one := range body.Events {
		all.Go(func() error {
			became[i] = notCounted
			if !failed.Load() {
				became[i] = s.outcome(one.query(), aside)
			}
			if became[i] == notCounted {
				failed.Store(true)
			}
			return nil
		})
	}
	_ = all.Wait() // none has an error
	status := http.StatusOK
	for _, one := range became {
		if one == notCounted {
			w.Header().Set("Retry-After", "1")
			status = http.StatusServiceUnavailable
			break
		}
	}
	writeJSON(w, status, map[string]any{"outcomes": became})
}

// What becomes of an event, beside the reasons for which one is dropped.
const (
	counted       = "counted"
	countedBefore = "counted_before"
	notCounted    = "not_counted"
)

// Whose an event is, for the queue: those aside came with a key.
const (
	visitors = false
	aside    = true
)

func (s *Server) outcome(rawQuery string, aside bool) string {
	began := time.Now()
	defer func() { s.Counters.Answered(time.Since(began)) }()
	parsed, reason := event.Parse(rawQuery, s.Limits)
	if reason != "" {
		s.Counters.Dropped(reason)
		return string(reason)
	}
	parsed.Keyed = aside
	// Without the request's context: a visitor who leaves the page has still
	// sent the event.
	var outcome store.Outcome
	var err error
	if aside {
		outcome, err = s.Committer.CommitAside(parsed)
	} else {
		outcome, err = s.Committer.Commit(parsed)
	}
	switch {
	case err != nil:
		s.refuse(err)
		return notCounted
	case outcome.Reason != "":
		s.Counters.Dropped(outcome.Reason)
		return string(outcome.Reason)
	}
	s.Counters.Counted(outcome.Added)
	if outcome.Unlogged {
		s.Counters.Unlogged()
	}
	if outcome.Added {
		return counted
	}
	return countedBefore
}
