package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// routeAPI serves /api/v1. Experiments are named by query parameters
// (namespace, name): a name may hold what a path would change, such as "..".
func (s *Server) routeAPI(mux *http.ServeMux) {
	protect := http.NewCrossOriginProtection().Handler
	route := func(pattern string, next http.HandlerFunc) {
		mux.Handle(pattern, protect(s.authorized(s.limited(next))))
	}
	route("GET /api/v1/experiments", s.listExperiments)
	route("GET /api/v1/experiment", s.showExperiment)
	route("PUT /api/v1/experiment", s.declareExperiment)
	route("DELETE /api/v1/experiment", s.deleteExperiment)
	route("POST /api/v1/experiment/archive", s.setState(store.Archived))
	route("POST /api/v1/experiment/restore", s.setState(store.Running))
	route("GET /api/v1/experiment/results", s.showResults)
	route("GET /api/v1/export", s.export)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "no such route, or not with this method")
	})
}

// authorized asks for the API key, or for a session of the dashboard.
func (s *Server) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		key := r.Header.Get("X-Api-Key")
		if s.apiKey.matches(key) || key == "" && s.sessions.valid(r) {
			next.ServeHTTP(w, r)
			return
		}
		s.Counters.Unauthorized()
		writeError(w, http.StatusUnauthorized, "header X-Api-Key: missing or wrong")
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
}

type variantBody struct {
	Label  string  `json:"label"`
	Weight float64 `json:"weight"`
	Trials int64   `json:"trials"`
}

func bodyOf(summary results.Summary) experimentBody {
	body := experimentBody{
		Namespace: summary.Namespace, Name: summary.Name, Declared: summary.Declared, Archived: summary.Archived,
		PlannedTrials: summary.PlannedTrials, Goals: summary.Goals, Variants: []variantBody{},
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

func (s *Server) listExperiments(w http.ResponseWriter, r *http.Request) {
	details, err := s.reader.Experiments(r.Context(), namespaceOf(r))
	if err != nil {
		s.unavailable(w, err)
		return
	}
	bodies := []experimentBody{}
	for _, detail := range details {
		bodies = append(bodies, bodyOf(detail.Summary))
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
		writeJSON(w, http.StatusOK, bodyOf(detail.Summary))
	}
}

// declarationBody is what PUT takes.
type declarationBody struct {
	Variants []struct {
		Label  string   `json:"label"`
		Weight *float64 `json:"weight"` // absent: 1
	} `json:"variants"`
	Goals         []string `json:"goals"`
	PlannedTrials int64    `json:"planned_trials"`
}

func (s *Server) declareExperiment(w http.ResponseWriter, r *http.Request) {
	name, ok := s.nameOf(w, r)
	if !ok {
		return
	}
	var body declarationBody
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		writeError(w, http.StatusBadRequest, "body: "+err.Error())
		return
	}
	if _, err := decoder.Token(); err != io.EOF {
		writeError(w, http.StatusBadRequest, "body: more than one JSON value")
		return
	}
	declaration, err := s.declaration(namespaceOf(r), name, body)
	if err != nil {
		writeError(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	created, err := s.Store.Declare(r.Context(), declaration)
	if err != nil {
		s.unavailable(w, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	if detail, ok := s.detail(w, r); ok {
		writeJSON(w, status, bodyOf(detail.Summary))
	}
}

func (s *Server) declaration(namespace, name string, body declarationBody) (store.Declaration, error) {
	d := store.Declaration{Namespace: namespace, Experiment: name, Planned: body.PlannedTrials}
	if body.PlannedTrials < 0 {
		return d, errors.New("planned_trials: is negative")
	}
	labels := map[string]bool{}
	for i, variant := range body.Variants {
		if reason := event.CheckName(variant.Label, s.Limits.Name); reason != "" {
			return d, fmt.Errorf("variants[%d].label: %s", i, reason)
		}
		if labels[variant.Label] {
			return d, fmt.Errorf("variants[%d].label: %q is there twice", i, variant.Label)
		}
		labels[variant.Label] = true
		weight := 1.0
		if variant.Weight != nil {
			weight = *variant.Weight
		}
		if weight <= 0 || math.IsInf(weight, 0) {
			return d, fmt.Errorf("variants[%d].weight: must be above zero", i)
		}
		d.Variants = append(d.Variants, store.Variant{Label: variant.Label, Weight: weight})
	}
	for i, goal := range body.Goals {
		if reason := event.CheckName(goal, s.Limits.Name); reason != "" {
			return d, fmt.Errorf("goals[%d]: %s", i, reason)
		}
		if goal == event.Participate {
			return d, fmt.Errorf("goals[%d]: participate is no goal", i)
		}
	}
	d.Goals = body.Goals
	return d, nil
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
		err := s.Store.SetState(r.Context(), namespaceOf(r), name, state)
		if errors.Is(err, store.ErrNotFound) {
			writeError(w, http.StatusNotFound, fmt.Sprintf("no experiment %q in namespace %q", name, namespaceOf(r)))
			return
		}
		if err != nil {
			s.unavailable(w, err)
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
	body := resultsBody{experimentBody: bodyOf(detail.Summary), Results: []goalBody{}}
	for i, report := range results.Analyse(detail, alpha, time.Now()) {
		body.Results = append(body.Results, goalBody{Goal: detail.Results[i].Name, Report: report})
	}
	writeJSON(w, http.StatusOK, body)
}
