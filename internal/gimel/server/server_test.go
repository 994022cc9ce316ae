package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/commit"
	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
	"provision/internal/gimel/store"
	"provision/internal/gimel/telemetry"
)

const (
	testKey      = "an API key for the tests"
	testPassword = "correct horse battery"

	testReadKey, testTrackKey, testViewer = "a key that shows all", "a key that tracks only", "only looking"
)

// site is a server over a Redis of its own.
type site struct {
	t      *testing.T
	redis  *redistest.Server
	store  *store.Store
	url    string
	client *http.Client
}

// newSite is one that waits for Redis as long as a busy machine may need.
func newSite(t *testing.T, change ...func(*store.Settings)) *site {
	t.Helper()
	return newSiteWithin(t, 2*time.Minute, change...)
}

// newSiteWithin is one that waits for Redis for so long.
func newSiteWithin(t *testing.T, timeout time.Duration, change ...func(*store.Settings)) *site {
	t.Helper()
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	client, err := store.Connect(store.Address{URL: redis.URL(), Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	settings := store.Settings{Counting: store.Exact, HashKey: []byte("hash key"), UndeclaredCap: 3, CounterCap: 4}
	for _, apply := range change {
		apply(&settings)
	}
	counters := store.New(client, settings)
	var committer *commit.Committer
	metrics := telemetry.NewCounters("test", func() int { return committer.Waiting() })
	committer = commit.New(counters, commit.Settings{Queue: 64, Batch: 16, Pipelines: 1, Timeout: timeout}, metrics.Committed)
	t.Cleanup(committer.Close)
	server := New(Settings{
		Store: counters, Committer: committer, Counters: metrics, Log: slog.New(slog.DiscardHandler),
		TrackPaths: []string{"/track", "/choice"}, Limits: event.DefaultLimits, RequestTimeout: timeout,
		APIKey: []byte(testKey), ReadKey: []byte(testReadKey), TrackKey: []byte(testTrackKey),
		Password: []byte(testPassword), ViewerPassword: []byte(testViewer), SessionKey: []byte("session key"),
	})
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := server.Listen([]net.Listener{socket})
	listener.Start()
	web := &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		web.CloseIdleConnections()
		if err := listener.Drain(0, time.Minute); err != nil {
			t.Error(err)
		}
	})
	return &site{t: t, redis: redis, store: counters, url: "http://" + socket.Addr().String(), client: web}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (s *site) do(method, target, body string, headers ...string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := s.client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(text)}
}

func (s *site) withKey(method, target, body string) answer {
	s.t.Helper()
	return s.do(method, target, body, "X-Api-Key", testKey)
}

// track sends an event as the AlephBet client does.
func (s *site) track(experiment, variant, name, uuid string) answer {
	s.t.Helper()
	return s.do("GET", "/track?"+url.Values{"experiment": {experiment}, "uuid": {uuid}, "variant": {variant},
		"event": {name}, "namespace": {"alephbet"}}.Encode(), "")
}

func (s *site) count(experiment, name, variant string) int64 {
	s.t.Helper()
	found, err := s.store.Experiment(s.t.Context(), "alephbet", experiment)
	if err != nil {
		s.t.Fatal(err)
	}
	return found.Count(name, variant)
}

func (s *site) metric(line string) bool {
	s.t.Helper()
	return strings.Contains(s.do("GET", "/metrics", "").body, line+"\n")
}

func TestHealthReadinessAndMetrics(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if got := s.do("GET", path, ""); got.status != 200 || got.body != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	s.redis.Kill()
	if got := s.do("GET", "/readyz", ""); got.status != 503 {
		t.Errorf("/readyz without Redis: %+v", got)
	}
	if got := s.do("GET", "/healthz", ""); got.status != 200 {
		t.Errorf("/healthz without Redis: %+v", got)
	}
	if got := s.do("GET", "/metrics", ""); got.status != 200 || !strings.Contains(got.body, `gimel_build_info{version="test"} 1`) {
		t.Errorf("/metrics: %+v", got)
	}
	s.redis.Restart()
	if got := s.do("GET", "/readyz", ""); got.status != 200 {
		t.Errorf("/readyz with Redis back: %+v", got)
	}
}
