package server

import (
	"net/http"
	"time"

	"provision/internal/gimel/store"
)

type notesShown struct {
	Hypothesis string       `json:"hypothesis"`
	Owner      string       `json:"owner"`
	Decision   string       `json:"decision"`
	Log        []entryShown `json:"log"`
}

type entryShown struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

func shownNotes(notes store.Notes) notesShown {
	shown := notesShown{Hypothesis: notes.Hypothesis, Owner: notes.Owner, Decision: notes.Decision, Log: []entryShown{}}
	for _, entry := range notes.Log {
		shown.Log = append(shown.Log, entryShown(entry))
	}
	return shown
}

func (s *Server) showNotes(w http.ResponseWriter, r *http.Request) {
	if detail, ok := s.detail(w, r); ok {
		writeJSON(w, http.StatusOK, shownNotes(detail.Notes))
	}
}

// notesBody is what changes an experiment's notes: what is absent stays, what
// is empty goes, and an entry is added to the log.
type notesBody struct {
	Hypothesis *string `json:"hypothesis"`
	Owner      *string `json:"owner"`
	Decision   *string `json:"decision"`
	Entry      string  `json:"entry"`
}

func (s *Server) annotateExperiment(w http.ResponseWriter, r *http.Request) {
	name, ok := s.nameOf(w, r)
	var body notesBody
	if !ok || !readJSON(w, r, &body) {
		return
	}
	if err := (changes{s}).Annotate(r.Context(), namespaceOf(r), name, store.Annotation(body)); err != nil {
		s.refuseChange(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
