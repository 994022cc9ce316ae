package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

var exactSettings = Settings{Counting: Exact, HashKey: []byte("a key of 32 bytes, for the tests"), UndeclaredCap: 100, CounterCap: 50}

func connect(t testing.TB, url string) redis.UniversalClient {
	t.Helper()
	client, err := Connect(Address{URL: url, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// newStore is one whose scripts are guarded, which makes each call some three times as long: tests
// of many thousand calls do without.
func newStore(t testing.TB, url string, settings Settings) *Store {
	t.Helper()
	return New(guarded(connect(t, url)), settings)
}

func participants(experiment, variant string, from, to int) []event.Event {
	var events []event.Event
	for i := from; i < to; i++ {
		events = append(events, event.Event{Namespace: "alephbet", Experiment: experiment,
			Name: event.Participate, Variant: variant, UUID: fmt.Sprintf("uuid-%d", i)})
	}
	return events
}

func commitAll(t testing.TB, s *Store, events []event.Event) (added int) {
	t.Helper()
	for batch := range slices.Chunk(events, 256) {
		for i, outcome := range s.Commit(t.Context(), batch) {
			if outcome.Err != nil || outcome.Reason != "" {
				t.Fatalf("event %+v: %+v", batch[i], outcome)
			}
			if outcome.Added {
				added++
			}
		}
		s.Grow(t.Context())
	}
	return added
}

func count(t testing.TB, s *Store, experiment, name, variant string) int64 {
	t.Helper()
	found, err := s.Experiment(t.Context(), "alephbet", experiment)
	if err != nil {
		t.Fatal(err)
	}
	return found.Count(name, variant)
}

func TestExactCountsEveryUUIDOnceThroughManySplits(t *testing.T) {
	s := New(connect(t, redistest.Start(t).URL()), exactSettings)
	const n = 20_000
	events := participants("button color", "blue", 0, n)
	if added := commitAll(t, s, events); added != n {
		t.Errorf("added %d of %d", added, n)
	}
	if again := commitAll(t, s, events); again != 0 {
		t.Errorf("a resend added %d", again)
	}
	if got := count(t, s, "button color", "participate", "blue"); got != n {
		t.Errorf("count = %d, want %d", got, n)
	}
	checkBuckets(t, s, "button color", n)
}

// checkBuckets proves that each bucket is a small integer set, that every
// fingerprint is in the bucket where it is looked for, and that none is lost.
func checkBuckets(t *testing.T, s *Store, experiment string, want int) {
	t.Helper()
	found, err := s.Experiment(t.Context(), "alephbet", experiment)
	if err != nil {
		t.Fatal(err)
	}
	n := found.buckets["participate:blue"]
	if n < int64(want/bucketFill) {
		t.Errorf("%d buckets for %d", n, want)
	}
	total := 0
	for number := range n {
		key := bucketKey(experimentKey("alephbet", experiment), found.id, "participate:blue", number)
		if encoding := s.client.ObjectEncoding(t.Context(), key).Val(); encoding != "intset" {
			t.Errorf("bucket %d is a %s", number, encoding)
		}
		for _, text := range s.client.SMembers(t.Context(), key).Val() {
			var fingerprint int64
			fmt.Sscan(text, &fingerprint)
			if bucketOf(fingerprint, n) != number {
				t.Errorf("fingerprint %d is in bucket %d of %d", fingerprint, number, n)
			}
			total++
		}
	}
	if total != want {
		t.Errorf("%d fingerprints, want %d", total, want)
	}
}

// A burst can fill buckets faster than they are split.
func TestABucketThatOverflowedBecomesSmallAgain(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	events := participants("e", "blue", 0, 5000)
	for i, outcome := range s.Commit(t.Context(), events) { // one batch into one bucket
		if outcome.Err != nil || !outcome.Added {
			t.Fatalf("%d: %+v", i, outcome)
		}
	}
	for i := range 20 {
		commitAll(t, s, participants("e", "blue", 5000+i, 5001+i))
	}
	checkBuckets(t, s, "e", 5020)
}

func TestEachEventAndVariantCountsTheSameUUID(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	// AlephBet sends sha1("namespace.experiment.user_id") as the uuid of the
	// participation and of every goal of a user.
	uuid := "bd602047286a161da01f2c938461edde4e467a63"
	for _, name := range []string{"participate", "goal", "other"} {
		for _, variant := range []string{"blue", "red"} {
			e := event.Event{Namespace: "alephbet", Experiment: "experiment", Name: name, Variant: variant, UUID: uuid}
			if added := commitAll(t, s, []event.Event{e, e}); added != 1 {
				t.Errorf("%s %s: added %d, want 1", name, variant, added)
			}
		}
	}
}

func TestTwoProcessesShareACounter(t *testing.T) {
	server := redistest.Start(t)
	first, second := newStore(t, server.URL(), exactSettings), newStore(t, server.URL(), exactSettings)
	for from := 0; from < 4000; from += 500 {
		commitAll(t, first, participants("e", "blue", from, from+500))
		if added := commitAll(t, second, participants("e", "blue", from, from+500)); added != 0 {
			t.Fatalf("the second process added %d", added)
		}
		commitAll(t, second, participants("e", "blue", 10_000+from, 10_000+from+500))
	}
	if got := count(t, first, "e", "participate", "blue"); got != 8000 {
		t.Errorf("count = %d, want 8000", got)
	}
	checkBuckets(t, first, "e", 8000)
}

func TestCountsPerDay(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	before := time.Now().UTC().Format(time.DateOnly)
	commitAll(t, s, participants("e", "blue", 0, 30))
	commitAll(t, s, participants("e", "blue", 0, 30))
	found, err := s.Experiment(t.Context(), "alephbet", "e")
	if err != nil {
		t.Fatal(err)
	}
	days, err := s.Days(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	got := days[0][found.Counters[0]]
	if len(got) != 1 || got[0].Count != 30 || got[0].Day < before {
		t.Errorf("days = %+v, want 30 on %s", got, before)
	}
}

func TestNoUUIDReachesRedis(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	commitAll(t, s, participants("e", "blue", 0, 5))
	for _, key := range s.client.Keys(t.Context(), "*").Val() {
		dump := s.client.Dump(t.Context(), key).Val()
		if slices.Contains([]bool{contains(key, "uuid-"), contains(dump, "uuid-")}, true) {
			t.Errorf("a uuid is in %s", key)
		}
	}
}

func TestScriptsComeBackAfterRedisForgetsThem(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	commitAll(t, s, participants("e", "blue", 0, 10))
	if err := s.client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if added := commitAll(t, s, participants("e", "blue", 5, 15)); added != 5 {
		t.Errorf("added %d, want 5", added)
	}
	if err := s.client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.scripts.loaded(t.Context(), s.client); err != nil {
		t.Error(err)
	}
}

func TestGuardsGiveTheirReason(t *testing.T) {
	settings := exactSettings
	settings.UndeclaredCap, settings.CounterCap = 2, 3
	for _, counting := range []Counting{Exact, HLL} {
		settings.Counting = counting
		t.Run(string(counting), func(t *testing.T) { testGuards(t, settings) })
	}
}

func testGuards(t *testing.T, settings Settings) {
	s := newStore(t, redistest.Start(t).URL(), settings)
	_, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "declared",
		Variants: []Variant{{"red", 1}, {"blue", 2.5}}, Goals: []string{"buy"}})
	if err != nil {
		t.Fatal(err)
	}
	declared, err := s.Experiment(t.Context(), "alephbet", "declared")
	if err != nil || !declared.Declared || !slices.Equal(declared.Variants, []Variant{{"red", 1}, {"blue", 2.5}}) {
		t.Fatalf("declared: %+v, %v", declared, err)
	}
	for _, kept := range []string{"one", "two"} { // with so many visitors they make no room
		commitAll(t, s, participants(kept, "a", 0, 2*visited))
	}
	steps := []struct {
		experiment, name, variant string
		want                      event.Reason
	}{
		{"declared", "participate", "blue", ""},
		{"declared", "buy", "blue", ""},
		{"declared", "participate", "green", event.UndeclaredVariant},
		{"declared", "look", "blue", event.UndeclaredGoal},
		{"one", "participate", "a", ""},
		{"two", "participate", "a", ""},
		{"three", "participate", "a", event.TooManyExperiments},
		{"one", "participate", "b", ""},
		{"one", "participate", "c", ""},
		{"one", "participate", "d", event.TooManyCounters},
		{"one", "participate", "a", ""},
	}
	for i, step := range steps {
		e := event.Event{Namespace: "alephbet", Experiment: step.experiment, Name: step.name, Variant: step.variant, UUID: fmt.Sprint(i)}
		if got := s.Commit(t.Context(), []event.Event{e})[0]; got.Err != nil || got.Reason != step.want {
			t.Errorf("%+v: got %+v", step, got)
		}
	}
	if err := s.SetState(t.Context(), "alephbet", "one", Archived); err != nil {
		t.Fatal(err)
	}
	late := event.Event{Namespace: "alephbet", Experiment: "one", Name: "participate", Variant: "a", UUID: "late"}
	if got := s.Commit(t.Context(), []event.Event{late})[0]; got.Reason != event.Archived {
		t.Errorf("archived: %+v", got)
	}
	if err := s.SetState(t.Context(), "alephbet", "none", Archived); !errors.Is(err, ErrNotFound) {
		t.Errorf("SetState of nothing: %v", err)
	}
	s.settings.UndeclaredCap = 0
	late.Experiment = "four"
	if got := s.Commit(t.Context(), []event.Event{late})[0]; got.Reason != event.UndeclaredExperiment {
		t.Errorf("refused: %+v", got)
	}
}

func TestRedisDownIsAnErrorAndTheRetryCountsOnce(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := newStore(t, server.URL(), exactSettings)
	commitAll(t, s, participants("e", "blue", 0, 10))
	server.Kill()
	lost := participants("e", "blue", 5, 15)
	for _, outcome := range s.Commit(t.Context(), lost) {
		if outcome.Err == nil {
			t.Fatal("committed without a Redis")
		}
	}
	server.Restart()
	if added := commitAll(t, s, lost); added != 5 {
		t.Errorf("added %d, want 5", added)
	}
	if got := count(t, s, "e", "participate", "blue"); got != 15 {
		t.Errorf("count = %d, want 15", got)
	}
}

func TestFullRedisIsAnError(t *testing.T) {
	server := redistest.Start(t, "--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
	s := newStore(t, server.URL(), exactSettings)
	outcome := s.Commit(context.Background(), participants("e", "blue", 0, 1))[0]
	if outcome.Err == nil {
		t.Error("committed into a full Redis")
	}
}

// Weights that are declared anew while participants come are noted for good; the same on another
// scale are no change, and neither is one before anybody came.
func TestAChangedSplitIsNoted(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	declare := func(red, blue float64) bool {
		t.Helper()
		d := Declaration{Namespace: "alephbet", Experiment: "e", Variants: []Variant{{"red", red}, {"blue", blue}}, Goals: []string{"sign-up", "buy"}}
		if _, err := s.Declare(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		found, err := s.Experiment(t.Context(), "alephbet", "e")
		if err != nil {
			t.Fatal(err)
		}
		if found.Primary != "sign-up" {
			t.Errorf("primary goal %q", found.Primary)
		}
		return found.Ramped
	}
	if declare(90, 10) || declare(1, 1) {
		t.Error("noted before anybody came")
	}
	commitAll(t, s, participants("e", "blue", 0, 10))
	if declare(50, 50) {
		t.Error("another scale is noted")
	}
	if !declare(90, 10) {
		t.Error("a change is not noted")
	}
	if !declare(1, 1) {
		t.Error("the change is forgotten")
	}
}

// A list is read in as many round trips as one experiment: names, counts, days.
func TestAListCostsNoRoundTripForEach(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	for i := range 20 {
		commitAll(t, s, participants(fmt.Sprint(i), "blue", 0, 3))
	}
	trips := &counting{}
	s.client.AddHook(trips)
	all, err := s.Experiments(t.Context(), "alephbet")
	if err != nil {
		t.Fatal(err)
	}
	days, err := s.Days(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 20 || len(days) != 20 || days[19][all[19].Counters[0]][0].Count != 3 {
		t.Errorf("%d experiments, days %+v", len(all), days)
	}
	if trips.trips > 3 {
		t.Errorf("%d round trips", trips.trips)
	}
	if got, err := s.Namespaces(t.Context()); err != nil || !slices.Equal(got, []string{"alephbet"}) {
		t.Errorf("namespaces = %q, %v", got, err)
	}
}
