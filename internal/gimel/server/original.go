package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"provision/internal/gimel/event"
	"provision/internal/gimel/results"
	"provision/internal/gimel/store"
)

// original wraps a route of the original gimel that needs the API key. The
// original's gateway answers 403 to a wrong one.
func (s *Server) original(method string, what role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowAll(w.Header())
		switch r.Method {
		case method:
		case http.MethodOptions:
			preflight(w, method)
			return
		default:
			methodNotAllowed(w, method)
			return
		}
		if !roleOf(r.Header.Get("X-Api-Key"), s.keys).may(what) {
			s.Counters.Unauthorized()
			writeJSON(w, http.StatusForbidden, map[string]string{"message": "Forbidden"})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.RequestTimeout)
		defer cancel()
		next(w, r.WithContext(ctx))
	}
}

type originalMeta struct {
	Meta struct {
		Scope *string `json:"scope"`
	} `json:"meta"`
}

type originalExperiment struct {
	Experiment string         `json:"experiment"`
	Goals      []originalGoal `json:"goals"`
	Problem    string         `json:"problem,omitempty"` // why it cannot be read
}

type originalGoal struct {
	Goal    string           `json:"goal"`
	Results []originalResult `json:"results"`
}

type originalResult struct {
	Label     string `json:"label"`
	Successes int64  `json:"successes"`
	Trials    int64  `json:"trials"`
}

// originalExperiments answers as the original's all() does: for those in scope
// too that there are not.
func (s *Server) originalExperiments(w http.ResponseWriter, r *http.Request) {
	var meta originalMeta
	var experiments []*store.Experiment
	var err error
	if scope := r.URL.Query().Get("scope"); scope != "" {
		meta.Meta.Scope = &scope
		experiments, err = s.inScope(r.Context(), namespaceOf(r), strings.Split(scope, ","))
	} else {
		experiments, err = s.Store.Experiments(r.Context(), namespaceOf(r))
	}
	if err != nil {
		s.unavailable(w, err)
		return
	}
	answer := []any{meta}
	for _, experiment := range experiments {
		answer = append(answer, asOriginal(experiment))
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) inScope(ctx context.Context, namespace string, names []string) ([]*store.Experiment, error) {
	found, err := s.Store.Named(ctx, namespace, names)
	if err != nil {
		return nil, err
	}
	var chosen []*store.Experiment
	for _, name := range names {
		at := slices.IndexFunc(found, func(e *store.Experiment) bool { return e.Name == name })
		if at < 0 {
			chosen = append(chosen, &store.Experiment{Name: name})
		} else {
			chosen = append(chosen, found[at])
		}
	}
	return chosen, nil
}

func asOriginal(e *store.Experiment) originalExperiment {
	shaped := originalExperiment{Experiment: e.Name, Goals: []originalGoal{}}
	if e.Problem != nil {
		shaped.Problem = e.Problem.Error()
	}
	for _, goal := range results.Goals(e) {
		entry := originalGoal{Goal: goal, Results: []originalResult{}}
		for _, variant := range results.Counts(e, goal) {
			entry.Results = append(entry.Results, originalResult{
				Label: variant.Label, Successes: variant.Successes, Trials: variant.Trials})
		}
		shaped.Goals = append(shaped.Goals, entry)
	}
	return shaped
}

func (s *Server) originalDelete(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("experiment")
	if name == "" {
		writeError(w, http.StatusBadRequest, "experiment: is missing")
		return
	}
	if err := s.Store.Delete(r.Context(), namespaceOf(r), name); err != nil {
		s.unavailable(w, err)
		return
	}
	writeJSON(w, http.StatusOK, nil)
}

func namespaceOf(r *http.Request) string {
	if namespace := r.URL.Query().Get("namespace"); namespace != "" {
		return namespace
	}
	return event.DefaultNamespace
}

func (s *Server) unavailable(w http.ResponseWriter, err error) {
	if errors.Is(err, store.ErrUnreadable) {
		s.Log.Error("an experiment cannot be read", "error", err)
		writeError(w, http.StatusInternalServerError, err.Error()+"; it is left as it is: mend that field in Redis, or delete the experiment")
		return
	}
	problem := "redis does not answer"
	if store.IsFull(err) {
		problem = "redis is full (maxmemory): it takes deletions alone"
	}
	s.Log.Error(problem, "error", err)
	w.Header().Set("Retry-After", "1")
	writeError(w, http.StatusServiceUnavailable, problem)
}

func writeError(w http.ResponseWriter, status int, problem string) {
	writeJSON(w, status, map[string]string{"error": problem})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(value); err != nil { // a number that JSON does not know: no empty 200
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the client has gone; nothing is left to say to it
}
