package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
)

// share reads a share of a test, nil of "".
func share(text string) *Share {
	if text == "" {
		return nil
	}
	read, err := ParseShare(text)
	if err != nil {
		panic(err)
	}
	return &read
}

// fleet is a try of hosts whose plans and changes are made up.
type fleet struct {
	hosts     int
	same      []int         // on which nothing is to be changed
	unplanned map[int]error // of which no plan can be made
	ends      map[int]error // how the changes end, where not well
	lost      []int         // whose connection is lost in the middle of that
	lacking   map[int][]int // that go without what others have, and are proved in a second turn
	halves    []int         // of these, on which something is left to change then
	waiting   []int         // that are planned in the second turn
	circle    map[int]int   // that wait in the second turn, for another
	stopped   bool          // when the second is begun

	mu     sync.Mutex
	begun  []int // in the order in which they were
	atOnce int
	most   int
	asked  int
	stop   chan struct{} // is closed when the second is begun, where it is stopped then
}

func (f *fleet) number(j *job) int {
	var number int
	fmt.Sscanf(j.Target.Name, "web%d", &number)
	return number
}

func (f *fleet) plan(_ context.Context, j *job) {
	n := f.number(j)
	if err := f.unplanned[n]; err != nil {
		j.finish("", err)
		return
	}
	waits := f.circle[n]
	switch {
	case waits > 0 && (j.begun || f.circle[waits] == n) && j.run[fmt.Sprint("web", waits)]:
		j.waits, j.unmet = []string{fmt.Sprint("web", waits)}, errors.New("it is not there yet")
		return
	case j.begun && !slices.Contains(f.halves, n):
		return
	case j.late:
	case len(f.lacking[n]) > 0:
		for _, other := range f.lacking[n] {
			j.lacks = append(j.lacks, fmt.Sprint("web", other))
		}
	case slices.Contains(f.waiting, n):
		j.waits, j.unmet = []string{"web1"}, errors.New("it is not there yet")
		return
	}
	if !slices.Contains(f.same, n) {
		j.made.Items = []engine.Planned{{Item: recipe.Item{Resource: resource.Directory{Path: "/x"}}, Change: recipe.Change{Kind: recipe.Create}}}
	}
}

func (f *fleet) apply(_ context.Context, j *job) {
	n := f.number(j)
	f.mu.Lock()
	f.begun = append(f.begun, n)
	f.atOnce++
	f.most = max(f.most, f.atOnce)
	if f.stop != nil && len(f.begun) == 2 {
		close(f.stop)
	}
	f.mu.Unlock()
	time.Sleep(time.Second)
	if j.again {
		j.result.Changed = 1
		f.mu.Lock()
		f.atOnce--
		f.mu.Unlock()
		return
	}
	if slices.Contains(f.lost, n) {
		j.boot = "before"
	}
	j.finish(engine.StatusChanged, f.ends[n])
	f.mu.Lock()
	f.atOnce--
	f.mu.Unlock()
}

// goes takes the fleet through a run, whose time is no real one: all that can happen at once does.
func (f *fleet) goes(t *testing.T, pace Pace, forks int) (ended map[int]engine.Finished) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { ended = f.run(t, pace, forks) })
	return ended
}

func (f *fleet) run(t *testing.T, pace Pace, forks int) map[int]engine.Finished {
	t.Helper()
	if f.stopped {
		f.stop = make(chan struct{})
	}
	var work []Work
	for n := range f.hosts {
		work = append(work, Work{Target: Target{Name: fmt.Sprintf("web%d", n+1), Local: true}})
	}
	settings := Settings{Forks: forks, Pace: pace, Stop: f.stop, Observe: func(engine.HostEvent) {}, Confirm: func() bool { f.asked++; return true }}
	results, err := askedBefore(t.Context(), work, settings, f.plan, f.apply)
	if err != nil {
		t.Fatal(err)
	}
	ended := map[int]engine.Finished{}
	for i, result := range results {
		ended[i+1] = result.Finished
	}
	return ended
}

// Who fails, or cannot be reached, ends the run for those that are not begun, as its pace says; those that
// are at work come to their end.
func TestWhenNoFurtherHostIsBegun(t *testing.T) {
	broken, unreachable := errors.New("broken"), fmt.Errorf("web: %w", remote.ErrUnreachable)
	for _, test := range []struct {
		name                                         string
		window, canary, batch, maxFail, maxUnreached string
		fleet                                        *fleet
		begun                                        int
		why                                          string // "" where all are begun
	}{
		{name: "a window", window: "2", fleet: &fleet{hosts: 10}, begun: 10},
		{name: "a part in percent", window: "10%", fleet: &fleet{hosts: 5}, begun: 5},
		{name: "a canary breaks", canary: "1", fleet: &fleet{hosts: 10, ends: map[int]error{1: broken}}, begun: 1, why: "web1 failed, and is a canary"},
		{name: "a canary breaks, and hosts may fail", canary: "1", maxFail: "3", fleet: &fleet{hosts: 10, ends: map[int]error{1: broken}}, begun: 1, why: "web1 failed, and is a canary"},
		{name: "a canary cannot be reached at its turn", canary: "2", maxFail: "3", fleet: &fleet{hosts: 10, ends: map[int]error{2: unreachable}}, begun: 2, why: "web2 could not be reached, and is a canary"},
		{name: "canaries are good", canary: "2", window: "3", fleet: &fleet{hosts: 10}, begun: 10},
		{name: "one fails in a window of one", window: "1", fleet: &fleet{hosts: 10, ends: map[int]error{3: broken}}, begun: 3, why: "web3 failed, and --max-fail is 0"},
		{name: "one may fail", window: "1", maxFail: "1", fleet: &fleet{hosts: 10, ends: map[int]error{3: broken}}, begun: 10},
		{name: "counted over the whole run", window: "1", maxFail: "1", fleet: &fleet{hosts: 10, ends: map[int]error{3: broken, 7: broken}}, begun: 7, why: "web3, web7 failed, and --max-fail is 1"},
		{name: "a part may fail", window: "1", maxFail: "20%", fleet: &fleet{hosts: 10, ends: map[int]error{1: broken, 2: broken, 3: broken}}, begun: 3, why: "web1, web2, web3 failed, and --max-fail is 20%"},
		{name: "less than a host may fail", window: "1", maxFail: "10%", fleet: &fleet{hosts: 5, ends: map[int]error{1: broken}}, begun: 1, why: "web1 failed, and --max-fail is 10%"},
		{name: "max-fail alone", maxFail: "1", fleet: &fleet{hosts: 10, ends: map[int]error{1: broken, 2: broken}}, begun: 2, why: "web1, web2 failed, and --max-fail is 1"},
		{name: "no pace", fleet: &fleet{hosts: 4, ends: map[int]error{1: broken, 2: broken}}, begun: 4},
		{name: "one cannot be planned", window: "2", fleet: &fleet{hosts: 4, unplanned: map[int]error{4: broken}}, begun: 0, why: "web4 failed, and --max-fail is 0"},
		{name: "unreachable is apart", window: "1", fleet: &fleet{hosts: 4, unplanned: map[int]error{4: unreachable}, ends: map[int]error{1: unreachable}}, begun: 3},
		{name: "too many are unreachable", window: "1", maxUnreached: "1", fleet: &fleet{hosts: 5, unplanned: map[int]error{5: unreachable}, ends: map[int]error{2: unreachable}}, begun: 2, why: "web5, web2 could not be reached, and --max-unreachable is 1"},
		{name: "lost in the middle is failed", window: "1", fleet: &fleet{hosts: 4, ends: map[int]error{2: unreachable}, lost: []int{2}}, begun: 2, why: "web2 failed, and --max-fail is 0"},
		{name: "not announced is failed", window: "1", fleet: &fleet{hosts: 4, ends: map[int]error{2: engine.ErrStale}}, begun: 2, why: "web2 failed, and --max-fail is 0"},
		{name: "a step fails", batch: "1,2,50%", fleet: &fleet{hosts: 10, ends: map[int]error{2: broken}}, begun: 2, why: "web2 failed, and --max-fail is 0"},
		{name: "what is as wanted takes no part", window: "1", canary: "1", fleet: &fleet{hosts: 6, same: []int{1, 2, 4}, ends: map[int]error{3: broken}}, begun: 1, why: "web3 failed, and is a canary"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pace := Pace{Window: share(test.window), Canary: share(test.canary), MaxFail: share(test.maxFail), MaxUnreachable: share(test.maxUnreached)}
			for _, part := range strings.Split(test.batch, ",") {
				if of := share(part); of != nil {
					pace.Batches = append(pace.Batches, *of)
				}
			}
			forks := 1
			if test.window != "" || test.canary != "" {
				forks = 30
			}
			f := test.fleet
			ended := f.goes(t, pace, forks)
			if len(f.begun) != test.begun {
				t.Errorf("begun: %v, want %d", f.begun, test.begun)
			}
			for n, end := range ended {
				switch {
				case slices.Contains(f.begun, n) || f.unplanned[n] != nil || slices.Contains(f.same, n):
					if end.Status == engine.StatusNotBegun {
						t.Errorf("web%d: %s", n, end.Status)
					}
				case end.Status != engine.StatusNotBegun || end.Err.Error() != test.why:
					t.Errorf("web%d: %s: %v, want %s", n, end.Status, end.Err, test.why)
				}
			}
			if most := map[string]int{"1": 1, "2": 2, "3": 3, "10%": 1}[test.window]; most > 0 && f.most > most {
				t.Errorf("%d at once", f.most)
			}
		})
	}
}

// In a step all have ended before the next one is begun; a window is full as long as there are hosts.
func TestWaves(t *testing.T) {
	for _, test := range []struct {
		name            string
		pace            Pace
		hosts, canaries int
		want            []wave
	}{
		{"window", Pace{Window: share("2")}, 5, 0, []wave{{5, 2, false}}},
		{"window of a part", Pace{Window: share("25%")}, 10, 0, []wave{{10, 3, false}}},
		{"window beyond forks", Pace{Window: share("100%")}, 100, 0, []wave{{100, 30, false}}},
		{"canary", Pace{Canary: share("2")}, 50, 2, []wave{{2, 2, true}, {48, 30, false}}},
		{"more canaries than hosts", Pace{Canary: share("5")}, 3, 5, []wave{{3, 3, true}}},
		{"steps", Pace{Batches: []Share{{1, false}, {10, true}, {100, true}}}, 40, 0, []wave{{1, 1, false}, {4, 4, false}, {35, 30, false}}},
		{"the last step again", Pace{Batches: []Share{{2, false}}}, 5, 0, []wave{{2, 2, false}, {2, 2, false}, {1, 1, false}}},
		{"all of them", Pace{Canary: share("1"), Batches: []Share{{3, false}}, Window: share("2")}, 6, 1, []wave{{1, 1, true}, {3, 2, false}, {2, 2, false}}},
		{"nothing", Pace{Window: share("2")}, 0, 0, nil},
	} {
		if got := test.pace.waves(test.hosts, test.canaries, 30); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// Who presses Ctrl-C has no further host begun, and is not asked in vain where none will be.
func TestWindowIsInterrupted(t *testing.T) {
	f := &fleet{hosts: 6, stopped: true}
	ended := f.goes(t, Pace{Window: share("2")}, 30)
	if len(f.begun) > 3 || ended[6].Status != engine.StatusInterrupted || f.most != 2 {
		t.Errorf("begun %v, %d at once; the last: %+v", f.begun, f.most, ended[6])
	}
	f = &fleet{hosts: 2, unplanned: map[int]error{1: errors.New("broken")}}
	if ended := f.goes(t, Pace{Window: share("1")}, 30); f.asked != 0 || ended[2].Status != engine.StatusNotBegun {
		t.Errorf("asked %d times, %+v", f.asked, ended[2])
	}
}

func TestShare(t *testing.T) {
	for text, of := range map[string]int{"1": 1, "3": 3, "10%": 1, "25%": 3, "100%": 10, "0%": 1} {
		if got := share(text).Of(10); got != of || share(text).String() != text {
			t.Errorf("%s of 10: %d, want %d", text, got, of)
		}
	}
	if got := share("10%").Of(5); got != 1 {
		t.Errorf("10%% of 5: %d", got)
	}
	for _, wrong := range []string{"", "-1", "x", "101%", "1.5", "%", "10 %"} {
		if read, err := ParseShare(wrong); err == nil {
			t.Errorf("%q: %v", wrong, read)
		}
	}
}

// Each host is asked again at its turn: what was not announced is not done there, though nobody looks at the
// plans, and no further host is begun.
func TestAtItsTurnAHostIsAskedAgain(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.remembering.From = "here"
		var work []Work
		for _, name := range []string{"a", "b", "c"} {
			task := taskOf(name, resource.File{Path: m.path(name), Content: "ours\n"})
			if name == "a" { // what is done to the first changes the second
				task = taskOf(name, resource.Command{Name: "bend", Script: "echo ours >" + m.path("b") + "; chmod 600 " + m.path("b"), Unless: "test -e " + m.path("b"), Changes: []recipe.Key{}})
			}
			work = append(work, Work{Target: Target{Name: name, Local: true}, Blueprint: Blueprint{Tasks: []recipe.Task{task}, Remembering: m.remembering}})
		}
		settings := Settings{Forks: 30, Pace: Pace{Window: share("1")}, Unasked: true, Patience: time.Minute, Observe: func(engine.HostEvent) {}}
		settings.Header.Verb = "install"
		results, err := Install(t.Context(), work, settings)
		if err != nil {
			t.Fatal(err)
		}
		is(t, results[0].Finished, engine.StatusChanged)
		is(t, results[1].Finished, engine.StatusStale)
		is(t, results[2].Finished, engine.StatusNotBegun)
		if m.read(t, "b") != "ours\n" || m.read(t, "c") != "" {
			t.Errorf("b: %q, c: %q", m.read(t, "b"), m.read(t, "c"))
		}
	})
}

// The window of hosts that are drained, which nobody asked for, is as one of 1: a host that could not even be
// planned keeps all others from being begun.
func TestImpliedWindowStopsAtWhatFailedBefore(t *testing.T) {
	serving := &job{Work: Work{Target: Target{Name: "web1"}, Blueprint: Blueprint{Drains: []Drain{{Task: "serving"}}}}}
	serving.made.Drained = true
	failed := &job{Work: Work{Target: Target{Name: "web2"}}, ended: true, result: engine.Finished{Status: engine.StatusFailed}}
	for _, pace := range []Pace{{}, {Window: &Share{Number: 1}}} {
		p := newPacer(pace, 10, 2)
		p.count(failed)
		p.spare([]*job{serving, failed})
		if p.why() == "" {
			t.Errorf("%+v: goes on", pace)
		}
	}
}
