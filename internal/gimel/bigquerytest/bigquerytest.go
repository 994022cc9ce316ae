// Package bigquerytest is a server that answers what gimel asks BigQuery as
// Google's REST reference documents it (cloud.google.com/bigquery/docs/reference/rest),
// over a PostgreSQL. It is not BigQuery: what Google does otherwise than it
// documents is not here.
package bigquerytest

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"provision/internal/gimel/postgrestest"
)

// The one dataset that there is.
const (
	Project  = "shop-analytics"
	Dataset  = "gimel"
	Location = "europe-west3"
)

// Server answers as BigQuery does.
type Server struct {
	URL string

	t   testing.TB
	key []byte // PEM: making one takes a moment

	mu      sync.Mutex
	db      *pgx.Conn
	tables  map[string]*table // and views
	jobs    map[string]*job
	uploads map[string]*upload
	queries map[string]any
	faults  []Fault
	asked   map[string]int
	slow    time.Duration
}

// Fault is what one request is answered instead.
type Fault struct {
	Method string // of the API: jobs.insert, jobs.get, jobs.query, datasets.get, tables.get, tables.insert
	Status int    // 0: the connection is cut
	Reason string
	After  bool // what was asked for is done all the same
}

// Start runs a server until the test ends, with a PostgreSQL of its own.
func Start(t testing.TB) *Server {
	t.Helper()
	s := prepare(t)
	web := httptest.NewServer(s.routes())
	t.Cleanup(web.Close)
	s.URL = web.URL
	return s
}

// StartTLS is Start for other hosts: at every address of this one, as example.com
// with a certificate that it returns in PEM.
func StartTLS(t testing.TB) (s *Server, certificate []byte) {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	s = prepare(t)
	web := httptest.NewUnstartedServer(s.routes())
	web.Listener.Close()
	web.Listener = listener
	web.StartTLS()
	t.Cleanup(web.Close)
	s.URL = fmt.Sprintf("https://example.com:%d", listener.Addr().(*net.TCPAddr).Port)
	return s, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
}

func prepare(t testing.TB) *Server {
	t.Helper()
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, key: key, db: postgrestest.Start(t).Connect(), tables: map[string]*table{}, jobs: map[string]*job{}, uploads: map[string]*upload{}, queries: map[string]any{}, asked: map[string]int{}}
	s.Exec("set timezone to 'UTC'") // as BigQuery's is
	s.Exec("create schema " + Dataset)
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	const api = "/bigquery/v2/projects/{project}"
	for pattern, method := range map[string]struct {
		name   string
		answer func(r *http.Request) (any, error)
	}{
		"GET " + api + "/datasets/{dataset}":                {"datasets.get", s.getDataset},
		"GET " + api + "/datasets/{dataset}/tables/{table}": {"tables.get", s.getTable},
		"POST " + api + "/datasets/{dataset}/tables":        {"tables.insert", s.insertTable},
		"GET " + api + "/jobs/{job}":                        {"jobs.get", s.getJob},
		"POST " + api + "/queries":                          {"jobs.query", s.query},
		"GET " + api + "/queries/{job}":                     {"jobs.getQueryResults", s.queryResults},
		"POST /upload" + api + "/jobs":                      {"jobs.insert", s.insertJob},
		"PUT /upload" + api + "/jobs":                       {"jobs.insert", s.continueUpload},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, method.name, method.answer) })
	}
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.t.Errorf("bigquerytest: %s %s is not answered here", r.Method, r.URL)
		http.NotFound(w, r)
	})
	return mux
}

// Exec runs a statement in the PostgreSQL underneath, as somebody else would.
func (s *Server) Exec(statement string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.db.Exec(context.Background(), statement); err != nil {
		s.t.Fatal(err)
	}
}

// Scan reads one row from the PostgreSQL underneath.
func (s *Server) Scan(query string, into ...any) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.db.QueryRow(context.Background(), query).Scan(into...); err != nil {
		s.t.Fatal(err)
	}
}

// Fail answers the next requests of the faults' methods with these, in order.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Slow makes every job that comes take so long.
func (s *Server) Slow(long time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = long
}

// Asked is how often a method was asked for.
func (s *Server) Asked(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[method]
}

// Drop takes a table away.
func (s *Server) Drop(name string) {
	s.t.Helper()
	s.Exec("drop table if exists " + Dataset + "." + name + " cascade")
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tables) // the views go with it
}

// apiError is an answer other than 2xx (reference, "Error messages").
type apiError struct {
	code            int
	reason, message string
}

func (e apiError) Error() string { return e.message }

func notFound(what, name string) error {
	return apiError{http.StatusNotFound, "notFound", fmt.Sprintf("Not found: %s %s", what, name)}
}

func duplicate(what, name string) error {
	return apiError{http.StatusConflict, "duplicate", fmt.Sprintf("Already Exists: %s %s", what, name)}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, method string, answer func(*http.Request) (any, error)) {
	if r.Header.Get("Authorization") == "" {
		write(w, nil, apiError{http.StatusUnauthorized, "authError", "Request is missing required authentication credential"})
		return
	}
	if project := r.PathValue("project"); project != Project {
		write(w, nil, notFound("Project", project))
		return
	}
	fault := s.fault(method)
	if fault == nil {
		said, err := answer(r)
		write(w, said, err)
		return
	}
	if fault.After {
		_, _ = answer(r)
	}
	if fault.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	write(w, nil, apiError{fault.Status, fault.Reason, "as the test wants it"})
}

func (s *Server) fault(method string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[method]++
	for i, fault := range s.faults {
		if fault.Method == method {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return &fault
		}
	}
	return nil
}

func write(w http.ResponseWriter, said any, err error) {
	w.Header().Set("Content-Type", "application/json")
	switch problem := err.(type) {
	case nil:
		if session, is := said.(*session); is {
			session.tell(w)
			return
		}
	case apiError:
		w.WriteHeader(problem.code)
		said = map[string]any{"error": map[string]any{"code": problem.code, "message": problem.message,
			"errors": []any{map[string]any{"domain": "global", "reason": problem.reason, "message": problem.message}}}}
	default:
		w.WriteHeader(http.StatusBadRequest)
		said = map[string]any{"error": map[string]any{"code": http.StatusBadRequest, "message": err.Error(),
			"errors": []any{map[string]any{"domain": "global", "reason": "invalid", "message": err.Error()}}}}
	}
	_ = json.NewEncoder(w).Encode(said) // who has left is not told
}
