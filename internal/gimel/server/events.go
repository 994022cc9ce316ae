package server

import (
	"net/http"
	"net/url"
	"sync"
	"time"

	"provision/internal/gimel/event"
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
}

func (e eventBody) query() string {
	query := url.Values{}
	for name, value := range map[string]string{"namespace": e.Namespace, "experiment": e.Experiment,
		"variant": e.Variant, "event": e.Event, "uuid": e.UUID, "value": e.Value} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query.Encode()
}

// mostEvents of one request.
const mostEvents = 1000

// trackEvents counts events for a key: the answer says of each what became of
// it, in order. 503 means that some are not counted: sending all again does no
// harm.
func (s *Server) trackEvents(w http.ResponseWriter, r *http.Request) {
	var body eventsBody
	if !readJSON(w, r, &body) {
		return
	}
	if len(body.Events) > mostEvents {
		writeError(w, http.StatusUnprocessableEntity, "events: more than 1000")
		return
	}
	became := make([]string, len(body.Events))
	var all sync.WaitGroup
	for i, one := range body.Events {
		all.Go(func() { became[i] = s.outcome(one.query()) })
	}
	all.Wait()
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

func (s *Server) outcome(rawQuery string) string {
	began := time.Now()
	defer func() { s.Counters.Answered(time.Since(began)) }()
	parsed, reason := event.Parse(rawQuery, s.Limits)
	if reason != "" {
		s.Counters.Dropped(reason)
		return string(reason)
	}
	// Without the request's context: a visitor who leaves the page has still
	// sent the event.
	outcome, err := s.Committer.Commit(parsed)
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
