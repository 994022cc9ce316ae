package acceptance

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// question is what a visitor asks: an error is an answer that is missing, or no good one.
type question func(context.Context) error

// visits are what became of a visitor's questions.
type visits struct {
	asked, failed int
	longest       time.Duration // from the last good answer before a failed one to the next
	last          error
}

func (v visits) String() string {
	return fmt.Sprintf("asked %d times: %d failed, the longest gap was %s", v.asked, v.failed, v.longest.Round(time.Millisecond))
}

// with adds what became of other questions.
func (v visits) with(other visits) visits {
	v.asked, v.failed, v.longest = v.asked+other.asked, v.failed+other.failed, max(v.longest, other.longest)
	if other.last != nil {
		v.last = other.last
	}
	return v
}

// visit asks every 100 ms, until the function that it returns is called.
func visit(ctx context.Context, ask question) func() visits {
	stop := make(chan struct{})
	var done sync.WaitGroup
	var v visits
	done.Go(func() {
		good, missed := time.Now(), false
		for next := true; next; {
			err := ask(ctx)
			v.asked++
			if missed = missed || err != nil; missed {
				v.longest = max(v.longest, time.Since(good))
			}
			if err != nil {
				v.failed, v.last = v.failed+1, err
			} else {
				good, missed = time.Now(), false
			}
			select {
			case <-stop:
				next = v.asked < 5
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return func() visits {
		time.Sleep(time.Second) // what the change broke may show only now
		close(stop)
		done.Wait()
		return v
	}
}

// askAlways asks for a graph, until the function that it returns is called, which says that
// no more than so long went by without an answer; 0: no request failed.
func (b broken) askAlways(t *testing.T) func(time.Duration) visits {
	t.Helper()
	asked := visit(t.Context(), b.web(t).render)
	return func(allowed time.Duration) visits {
		t.Helper()
		v := asked()
		t.Logf("a graph: %s", v)
		v.within(t, allowed)
		return v
	}
}

// within fails the test when more went unanswered than is allowed.
func (v visits) within(t *testing.T, allowed time.Duration) {
	t.Helper()
	if v.asked < 5 || v.failed > 0 && v.longest > allowed {
		t.Errorf("%s, and no more than %s is allowed: %v", v, allowed, v.last)
	}
}
