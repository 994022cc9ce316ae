// Package server speaks HTTP: the protocol of the original gimel, an API of
// its own under /api/v1, and the dashboard.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"provision/internal/gimel/dashboard"
	"provision/internal/gimel/event"
	"provision/internal/gimel/results"
	"provision/internal/gimel/store"
	"provision/internal/gimel/telemetry"
)

// Store is what the server asks of the counters.
type Store interface {
	results.Store
	Ready(ctx context.Context) error
	Declare(ctx context.Context, d store.Declaration) (created bool, err error)
	SetState(ctx context.Context, namespace, experiment, state string) error
	Delete(ctx context.Context, namespace, name string) error
	Annotate(ctx context.Context, namespace, name string, a store.Annotation) error
	Named(ctx context.Context, namespace string, names []string) ([]*store.Experiment, error)
}

// Committer returns after an event is committed. CommitAside leaves room for
// Commit.
type Committer interface {
	Commit(e event.Event) (store.Outcome, error)
	CommitAside(e event.Event) (store.Outcome, error)
}

// Settings are what a server is made of.
type Settings struct {
	Store      Store
	Committer  Committer
	Counters   *telemetry.Counters
	Log        *slog.Logger
	TrackPaths []string
	Limits     event.Limits
	// RequestTimeout bounds every request but those for events, which the
	// Committer bounds.
	RequestTimeout time.Duration
	// APIKey opens all of the API; ReadKey shows, and TrackKey takes events,
	// where they are not empty.
	APIKey, ReadKey, TrackKey []byte
	// Password opens the dashboard; ViewerPassword only shows it, where it is
	// not empty.
	Password, ViewerPassword []byte
	SessionKey               []byte // signs the dashboard's cookies
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	Settings
	reader   results.Reader
	keys     []key
	sessions *sessions
	troubles troubles
	senders  chan struct{} // one for each request of many events
}

// New makes a server.
func New(settings Settings) *Server {
	return &Server{
		Settings: settings,
		reader:   results.Reader{Store: settings.Store},
		keys:     keysOf(settings),
		sessions: newSessions(settings.SessionKey, settings.Password, settings.ViewerPassword),
		senders:  make(chan struct{}, senders),
	}
}

// Handler routes the requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, path := range s.TrackPaths {
		mux.HandleFunc(path, s.track)
	}
	mux.HandleFunc("/experiments", s.original(http.MethodGet, reader, s.originalExperiments))
	mux.HandleFunc("/delete", s.original(http.MethodDelete, admin, s.originalDelete))
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.Counters.Handler())
	s.routeAPI(mux)
	s.routeDashboard(mux)
	return s.timed(mux)
}

// timed tells the counters how long what is no event took, by the pattern that
// the mux has found for it.
func (s *Server) timed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		mux.ServeHTTP(w, r)
		if !slices.Contains(s.TrackPaths, r.Pattern) {
			s.Counters.Served(r.Pattern, time.Since(began))
		}
	})
}

// routeDashboard puts a session before every page but the login and what it
// is drawn with. Other sites cannot post to it (http.CrossOriginProtection).
func (s *Server) routeDashboard(mux *http.ServeMux) {
	protect := http.NewCrossOriginProtection().Handler
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/dashboard/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /dashboard/login", s.loginPage)
	mux.Handle("POST /dashboard/login", protect(s.limited(http.HandlerFunc(s.login))))
	mux.Handle("POST /dashboard/logout", protect(http.HandlerFunc(s.logout)))
	mux.Handle("GET /dashboard/assets/", http.StripPrefix("/dashboard/", dashboard.Assets()))
	pages := dashboard.Handler(s.reader, changes{s}, mayChange)
	mux.Handle("GET /dashboard/export", s.signedIn(s.limited(http.HandlerFunc(s.export))))
	mux.Handle("/dashboard/", protect(s.signedIn(http.StripPrefix("/dashboard", s.limited(pages)))))
}

// limited gives a request a deadline. That of its body is Listener's.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.RequestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// health says that the process lives.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("ok\n"))
}

// ready says whether events can be counted now.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.RequestTimeout)
	defer cancel()
	if err := s.Store.Ready(ctx); err != nil {
		s.Log.Warn("not ready", "error", err)
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}
