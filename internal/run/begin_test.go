package run

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/lab/simulated"
)

// While so many hosts have their turn, as many log in, and no more.
func TestAsManyLogInAsHaveTheirTurn(t *testing.T) {
	for _, forks := range []int{1, 4} {
		var jobs []*job
		for range 40 {
			jobs = append(jobs, &job{clock: &clock{}})
		}
		var mu sync.Mutex
		var logins, turns, mostLogins, mostTurns, mostOfBoth int
		count := func(of *int, by int) {
			mu.Lock()
			defer mu.Unlock()
			*of += by
			mostLogins, mostTurns, mostOfBoth = max(mostLogins, logins), max(mostTurns, turns), max(mostOfBoth, logins+turns)
		}
		eachBegins(jobs, forks, func(j *job) {
			done := j.beginning.login(j)
			count(&logins, 1)
			time.Sleep(5 * time.Millisecond)
			count(&logins, -1)
			done()
			for range 2 { // a host that is connected anew keeps its turn
				j.beginning.turn(j)
			}
			count(&turns, 1)
			time.Sleep(5 * time.Millisecond)
			count(&turns, -1)
			if elapsed := j.clock.elapsed(); elapsed > 100*time.Millisecond {
				t.Errorf("%d at once: %s are the host's own", forks, elapsed)
			}
		})
		both := 2 * forks
		if forks == 1 {
			both = 1
		}
		if mostLogins != forks || mostTurns != forks || mostOfBoth != both {
			t.Errorf("%d at once: %d log in, %d have their turn, %d of both", forks, mostLogins, mostTurns, mostOfBoth)
		}
		for _, j := range jobs {
			if j.hasTurn {
				t.Errorf("%d at once: a turn without an end", forks)
			}
		}
	}
}

// A connection that ends while its host waits for its turn was not in use: it is made anew.
func TestConnectionThatEndsBeforeItsTurnIsMadeAnew(t *testing.T) {
	fleet := &simulated.Fleet{Real: askedHere}
	if err := fleet.Start(); err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	work := simulatedWork(t, &machine{dir: t.TempDir()}, fleet, 4, Blueprint{})
	var had atomic.Int64
	two, others := make(chan struct{}), make(chan struct{})
	go func() {
		<-two
		time.Sleep(300 * time.Millisecond) // the others log in
		fleet.Cut()
		time.Sleep(100 * time.Millisecond)
		close(others)
	}()
	results, err := reading(t.Context(), work, Settings{Forks: 2, Observe: func(engine.HostEvent) {}}, func(ctx context.Context, j *job) {
		if !j.connect(ctx) {
			return
		}
		nth := had.Add(1)
		if nth == 2 {
			close(two)
		}
		<-others
		_, err := j.host.Probe(ctx, nil)
		if nth <= 2 {
			err = nil // its connection was in use
		}
		j.finish(engine.StatusDone, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		is(t, result.Finished, engine.StatusDone)
	}
}
