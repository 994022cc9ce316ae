package server

import (
	"context"
	"errors"
	"net/http"

	"provision/internal/gimel/commit"
	"provision/internal/gimel/telemetry"
)

// Header values that every event's answer shares. They must not be changed.
var (
	anyOrigin  = []string{"*"}
	noCache    = []string{"no-cache"}
	cacheRules = []string{"no-cache, no-store, must-revalidate"}
)

// allowAll sets the headers that the original sends: any page may ask, and
// nothing is kept.
func allowAll(header http.Header) {
	header["Access-Control-Allow-Origin"] = anyOrigin
	header["Pragma"] = noCache
	header["Cache-Control"] = cacheRules
}

// preflight answers a browser's OPTIONS.
func preflight(w http.ResponseWriter, methods string) {
	header := w.Header()
	allowAll(header)
	header.Set("Access-Control-Allow-Methods", methods+", OPTIONS")
	header.Set("Access-Control-Allow-Headers", "Content-Type, X-Api-Key")
	header.Set("Access-Control-Max-Age", "86400")
}

func methodNotAllowed(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods+", OPTIONS")
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
}

// track answers what is not a plain event; for those see connection.
func (s *Server) track(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodOptions:
		preflight(w, http.MethodGet)
		return
	default:
		allowAll(w.Header())
		methodNotAllowed(w, http.MethodGet)
		return
	}
	allowAll(w.Header())
	if !s.count(r.URL.RawQuery) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// count counts one event. For the AlephBet client only 200 is success, and
// everything else makes it send the event again with each later one. So true
// (200) means committed, or never valid; and false (503) that a retry is right.
func (s *Server) count(rawQuery string) bool {
	return s.outcome(rawQuery, visitors) != notCounted
}

func (s *Server) refuse(err error) {
	why := telemetry.NoRedis
	switch {
	case errors.Is(err, commit.ErrBusy):
		why = telemetry.Busy
	case errors.Is(err, commit.ErrLate), errors.Is(err, context.DeadlineExceeded):
		why = telemetry.Deadline
	}
	s.Counters.Refused(why)
	s.troubles.note(s.Log, err)
}
