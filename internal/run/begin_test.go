package run

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"provision/internal/engine"
	"provision/internal/lab/simulated"
)

// While so many hosts have their turn, as many log in, and no more.
func TestAsManyLogInAsHaveTheirTurn(t *testing.T) {
	for _, forks := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) { asManyLogIn(t, forks) })
	}
}

func asManyLogIn(t *testing.T, forks int) {
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
	const login, turn = 5 * time.Second, 7 * time.Second
	eachBegins(jobs, forks, func(j *job) {
		done := j.beginning.login(j)
		count(&logins, 1)
		time.Sleep(login)
		count(&logins, -1)
		done()
		for range 2 { // a host that is connected anew keeps its turn
			j.beginning.turn(j)
		}
		count(&turns, 1)
		time.Sleep(turn)
		count(&turns, -1)
		if elapsed := j.clock.elapsed(); elapsed != login+turn {
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
		await(t, "the others to be logged in", func() bool { return watched() == 4 })
		fleet.Cut()
		await(t, "it to be seen that no connection is left", func() bool { return watched() == 0 })
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

// watched are the connections of this process that have not ended, by who watches each.
func watched() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "provision/internal/remote.(*sshTransport).watch.func1()")
}

// await waits until something is so.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("waited in vain for %s", what)
			return
		}
	}
}
