package acceptance

import (
	"cmp"
	"flag"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// turns lets as many tests at a time have hosts as -parallel says, those that take longest
// first: go test itself starts parallel tests in no order, and their parallel parts after all
// others, so that the longest would run alone at the end.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting []waiter
	has     map[string]bool // names of tests
}

type waiter struct {
	rank  int // the lowest first
	begin chan struct{}
}

// longest are the tests that take longest, about in that order.
var longest = []string{
	"TestProof", "TestSweep", "TestFault15ChangeThatCutsTheConnectionIsUndone", "TestBackupAndRestore", "TestMetricsOfOtherHosts",
	"TestDashboardIsDrawnInABrowser", "TestExamples", "TestAlerts", "TestParts", "TestHealthcheckOfATLSOnlySite",
	"TestSweepFromBare", "TestGraphite", "TestWebappThatLeaks", "TestGraphiteOfSeveralHosts", "TestFailover", "TestStatsD", "TestGimel",
	"TestReadme", "TestOwnRelease", "TestFault13And14BrokenConfiguration", "TestModel", "TestUpgrade", "TestFault39SecretsStayWhereTheyBelong",
}

// newTurns takes over what -parallel says, and lets go test itself start all of them.
func newTurns() (*turns, error) {
	parallel := flag.Lookup("test.parallel")
	free, err := strconv.Atoi(parallel.Value.String())
	if err != nil {
		return nil, err
	}
	return &turns{free: free, has: map[string]bool{}}, parallel.Value.Set("1000")
}

// turn waits until it is the test's turn to have hosts; it lasts until they are gone. Hosts are
// made by those who have called it, and the parts of a test share its turn.
func turn(t *testing.T) {
	t.Helper()
	name := t.Name()
	if line.serves(name) {
		return
	}
	came := time.Now()
	line.wait(rank(name))
	line.serve(name, true)
	t.Cleanup(func() {
		line.serve(name, false)
		line.end()
	})
	t.Logf("its turn came after %s, which go test counts as its own", time.Since(came).Round(time.Second))
}

func rank(name string) int {
	name, _, _ = strings.Cut(name, "/")
	if at := slices.Index(longest, name); at >= 0 {
		return at
	}
	return len(longest)
}

// serves says whether a test has its turn, or one that it is a part of.
func (q *turns) serves(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for has := range q.has {
		if name == has || strings.HasPrefix(name, has+"/") {
			return true
		}
	}
	return false
}

func (q *turns) serve(name string, has bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.has[name] = has
	if !has {
		delete(q.has, name)
	}
}

func (q *turns) wait(rank int) {
	w := waiter{rank, make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	slices.SortStableFunc(q.waiting, func(a, b waiter) int { return cmp.Compare(a.rank, b.rank) })
	q.mu.Unlock()
	// All tests come in the same instant: nobody begins before all stand in line.
	time.AfterFunc(100*time.Millisecond, q.next)
	<-w.begin
}

func (q *turns) end() {
	q.mu.Lock()
	q.free++
	q.mu.Unlock()
	q.next()
}

// next lets those at the head of the line begin.
func (q *turns) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.free > 0 && len(q.waiting) > 0 {
		q.free--
		close(q.waiting[0].begin)
		q.waiting = q.waiting[1:]
	}
}

// TestTurns has more tests than turns: the longest begin first.
func TestTurns(t *testing.T) { synctest.Test(t, inTurns) }

func inTurns(t *testing.T) {
	q := &turns{free: 2}
	var mu sync.Mutex
	var began []int
	var all sync.WaitGroup
	for _, rank := range []int{9, 1, 3, 9, 2} {
		all.Go(func() {
			q.wait(rank)
			mu.Lock()
			began = append(began, rank)
			mu.Unlock()
			time.Sleep(50 * time.Millisecond)
			q.end()
		})
	}
	all.Wait()
	slices.Sort(began[:2]) // these two at once
	if want := []int{1, 2}; !slices.Equal(began[:2], want) || q.free != 2 {
		t.Errorf("began %v, want %v first; %d free at the end", began, want, q.free)
	}
}
