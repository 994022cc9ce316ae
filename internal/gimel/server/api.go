package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"provision/internal/gimel/dashboard"
	"provision/internal/gimel/event"
	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// routeAPI serves /api/v1. Experiments are named by query parameters
// (namespace, name): a name may hold what a path would change, such as "..".
func (s *Server) routeAPI(mux *http.ServeMux) {
	protect := http.NewCrossOriginProtection().Handler
	route := func(what role, pattern string, next http.HandlerFunc) {
		mux.Handle(pattern, protect(s.authorized(what, s.limited(next))))
	}
	route(tracker, "POST /api/v1/events", s.trackEvents)
	route(reader, "GET /api/v1/experiments", s.listExperiments)
	route(reader, "GET /api/v1/experiment", s.showExperiment)
	route(admin, "PUT /api/v1/experiment", s.declareExperiment)
	route(admin, "DELETE /api/v1/experiment", s.deleteExperiment)
	route(admin, "POST /api/v1/experiment/archive", s.setState(store.Archived))
	route(admin, "POST /api/v1/experiment/restore", s.setState(store.Running))
	route(reader, "GET /api/v1/experiment/notes", s.showNotes)
	route(admin, "POST /api/v1/experiment/notes", s.annotateExperiment)
	route(reader, "GET /api/v1/experiment/results", s.showResults)
	route(reader, "GET /api/v1/export", s.export)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "no such route, or not with this method")
	})
}

// experimentBody is an experiment as the API shows it.
type experimentBody struct {
	Namespace     string        `json:"namespace"`
	Name          string        `json:"name"`
	Declared      bool          `json:"declared"`
	Archived      bool          `json:"archived"`
	Started       string        `json:"started,omitempty"` // 2006-01-02
	PlannedTrials int64         `json:"planned_trials"`
	Variants      []variantBody `json:"variants"`
	Goals         []string      `json:"goals"`
	// Kinds of the goals that are not unique, the most of their values, and those
	// that want a key.
	Kinds map[string]event.Kind `json:"kinds,omitempty"`
	Max   map[string]float64    `json:"max,omitempty"`
	Keyed []string              `json:"keyed,omitempty"`
	// JudgedBy is what was declared when participants came, where it is declared
	// otherwise since: verdicts go by it.
	JudgedBy *judgedBody `json:"judged_by,omitempty"`
	// Problem is why it cannot be read; then there is no more than its name.
	Problem string `json:"problem,omitempty"`
}

type judgedBody struct {
	Until         string   `json:"until"` // 2006-01-02T15:04:05Z, of the first change
	PlannedTrials int64    `json:"planned_trials"`
	Goals         []string `json:"goals"`             // sorted; none: any that was counted
	Primary       string   `json:"primary,omitempty"` // that of them which decides
	Control       string   `json:"control,omitempty"`
}

type variantBody struct {
	Label  string  `json:"label"`
	Weight float64 `json:"weight"`
	Trials int64   `json:"trials"`
}

func bodyOf(summary results.Detail) experimentBody {
	body := experimentBody{
		Namespace: summary.Namespace, Name: summary.Name, Declared: summary.Declared, Archived: summary.Archived,
		PlannedTrials: summary.Declaration.Planned, Goals: summary.Goals, Kinds: summary.Kinds, Max: summary.Declaration.Max,
		Keyed:    slices.Sorted(maps.Keys(summary.Declaration.Keyed)),
		Variants: []variantBody{}, JudgedBy: judgedBy(summary.Before),
	}
	if summary.Problem != nil {
		body.Problem = summary.Problem.Error()
	}
	if body.Goals == nil {
		body.Goals = []string{}
	}
	if !summary.Started.IsZero() {
		body.Started = summary.Started.Format(time.DateOnly)
	}
	for _, variant := range summary.Variants {
		body.Variants = append(body.Variants, variantBody{Label: variant.Label, Weight: variant.Weight, Trials: variant.Trials})
	}
	return body
}

func judgedBy(before *store.Before) *judgedBody {
	if before == nil {
		return nil
	}
	return &judgedBody{Until: before.At.Format(time.RFC3339), PlannedTrials: before.Planned, Primary: before.Primary,
		Goals: append([]string{}, before.Goals...), Control: before.Control}
}

func (s *Server) listExperiments(w http.ResponseWriter, r *http.Request) {
	details, err := s.reader.Experiments(r.Context(), namespaceOf(r))
	if err != nil {
		s.unavailable(w, err)
		return
	}
	bodies := []experimentBody{}
	for _, detail := range details {
		bodies = append(bodies, bodyOf(detail))
	}
	writeJSON(w, http.StatusOK, map[string]any{"experiments": bodies})
}

// detail reads the experiment that a request names, or answers why not.
func (s *Server) detail(w http.ResponseWriter, r *http.Request) (results.Detail, bool) {
	name, ok := s.nameOf(w, r)
	if !ok {
		return results.Detail{}, false
	}
	detail, err := s.reader.Experiment(r.Context(), namespaceOf(r), name)
	if errors.Is(err, results.ErrNotFound) {
		writeError(w, http.StatusNotFound, fmt.Sprintf("no experiment %q in namespace %q", name, namespaceOf(r)))
		return results.Detail{}, false
	}
	if err != nil {
		s.unavailable(w, err)
		return results.Detail{}, false
	}
	return detail, true
}

func (s *Server) nameOf(w http.ResponseWriter, r *http.Request) (string, bool) {
	name := r.URL.Query().Get("name")
	for field, text := range map[string]string{"name": name, "namespace": namespaceOf(r)} {
		if reason := event.CheckName(text, s.Limits.Name); reason != "" {
			writeError(w, http.StatusBadRequest, field+": "+string(reason))
			return "", false
		}
	}
	return name, true
}

func (s *Server) showExperiment(w http.ResponseWriter, r *http.Request) {
	if detail, ok := s.detail(w, r); ok {
		writeJSON(w, http.StatusOK, bodyOf(detail))
	}
}

// readJSON reads a body that is one value, or answers why not.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		writeError(w, http.StatusBadRequest, "body: "+err.Error())
		return false
	}
	if _, err := decoder.Token(); err != io.EOF {
		writeError(w, http.StatusBadRequest, "body: more than one JSON value")
		return false
	}
	return true
}

func (s *Server) declareExperiment(w http.ResponseWriter, r *http.Request) {
	name, ok := s.nameOf(w, r)
	var body declarationBody
	if !ok || !readJSON(w, r, &body) {
		return
	}
	created, err := changes{s}.declare(r.Context(), body.of(namespaceOf(r), name))
	if err != nil {
		s.refuseChange(w, r, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	if detail, ok := s.detail(w, r); ok {
		writeJSON(w, status, bodyOf(detail))
	}
}

// refuseChange answers what kept a change from being made.
func (s *Server) refuseChange(w http.ResponseWriter, r *http.Request, err error) {
	mistake, isMistake := errors.AsType[dashboard.Mistake](err)
	switch {
	case isMistake:
		writeError(w, http.StatusUnprocessableEntity, string(mistake))
	case errors.Is(err, store.ErrNotFound):
		writeError(w, http.StatusNotFound, fmt.Sprintf("no experiment %q in namespace %q", r.URL.Query().Get("name"), namespaceOf(r)))
	default:
		s.unavailable(w, err)
	}
}

func (s *Server) deleteExperiment(w http.ResponseWriter, r *http.Request) {
	name, ok := s.nameOf(w, r)
	if !ok {
		return
	}
	if err := s.Store.Delete(r.Context(), namespaceOf(r), name); err != nil {
		s.unavailable(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) setState(state string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, ok := s.nameOf(w, r)
		if !ok {
			return
		}
		if err := (changes{s}).SetState(r.Context(), namespaceOf(r), name, state); err != nil {
			s.refuseChange(w, r, err)
			return
		}
		s.showExperiment(w, r)
	}
}

type resultsBody struct {
	experimentBody
	Results []goalBody `json:"results"`
}

type goalBody struct {
	Goal   string            `json:"goal"`
	Report statistics.Report `json:"report"`
}

// showResults analyses every goal; the query's alpha (default 0.05) is the
// accepted risk of a false positive.
func (s *Server) showResults(w http.ResponseWriter, r *http.Request) {
	alpha := statistics.DefaultAlpha
	if text := r.URL.Query().Get("alpha"); text != "" {
		var err error
		if alpha, err = strconv.ParseFloat(text, 64); err != nil || alpha <= 0 || alpha >= 1 {
			writeError(w, http.StatusBadRequest, "alpha: must be between 0 and 1")
			return
		}
	}
	detail, ok := s.detail(w, r)
	if !ok {
		return
	}
	body := resultsBody{experimentBody: bodyOf(detail), Results: []goalBody{}}
	for i, report := range results.Analyse(detail, alpha, time.Now()) {
		body.Results = append(body.Results, goalBody{Goal: detail.Results[i].Name, Report: report})
	}
	writeJSON(w, http.StatusOK, body)
}
