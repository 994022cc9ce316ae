package run

import (
	"sync"
	"testing"
	"time"
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
