package results

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"provision/internal/gimel/event"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// watched is an experiment without any difference, whose owner looks every day and may declare it
// anew.
type watched struct {
	Detail
	source *rand.PCG
	honest bool // the store has noted what was declared before participants came
	shown  bool // a difference, at any look
}

func watch(planned int64, goals, declared int, honest bool, source *rand.PCG) *watched {
	w := &watched{source: source, honest: honest}
	w.Declared = true
	w.Variants = []statistics.Variant{{Label: "a", Weight: 1}, {Label: "b", Weight: 1}}
	for g := range goals {
		name := fmt.Sprint("goal", g)
		w.Results = append(w.Results, Goal{Name: name, Variants: slices.Clone(w.Variants)})
		if g < declared {
			w.Declaration.Goals = append(w.Declaration.Goals, name)
		}
	}
	w.Declaration.Planned = planned
	w.PlannedTrials, w.Primary = planned, first(w.Declaration.Goals)
	return w
}

func first(goals []string) string {
	if len(goals) == 0 {
		return ""
	}
	return goals[0]
}

// declare is what the store and Reader do with a declaration; before there was such a note, they
// believed it.
func (w *watched) declare(planned int64, goals []string) {
	if w.honest && w.Before == nil {
		w.Before = &store.Before{Planned: w.Declaration.Planned, Goals: w.Declaration.Goals, Primary: first(w.Declaration.Goals)}
	}
	w.Declaration.Planned, w.Declaration.Goals = planned, goals
	if w.Before == nil {
		w.PlannedTrials, w.Primary = planned, first(goals)
	}
}

// day brings visitors, who convert at one rate, and the owner looks the morning after.
func (w *watched) day(day int, visitors int64, alpha float64) {
	date := time.Date(2026, 1, 1+day, 0, 0, 0, 0, time.UTC)
	counted := make([]statistics.Variant, 2)
	for i := range counted {
		counted[i] = statistics.Variant{Label: w.Variants[i].Label, Trials: w.draw(2*visitors, 0.5)}
		w.Variants[i].Trials += counted[i].Trials
	}
	for g := range w.Results {
		of := slices.Clone(counted)
		for i := range of {
			of[i].Successes = w.draw(of[i].Trials, 0.1)
			w.Results[g].Variants[i].Trials += of[i].Trials
			w.Results[g].Variants[i].Successes += of[i].Successes
		}
		w.Results[g].Days = append(w.Results[g].Days, Day{Date: date, Variants: of})
	}
	w.look(date.AddDate(0, 0, 1), alpha)
}

func (w *watched) draw(n int64, p float64) int64 {
	return int64(distuv.Binomial{N: float64(n), P: p, Src: w.source}.Rand())
}

func (w *watched) look(now time.Time, alpha float64) {
	for _, report := range Judge(w.Detail, alpha, now) {
		switch report.Verdict {
		case statistics.EarlyDifference, statistics.Difference, statistics.LateDifference:
			w.shown = true
		}
	}
}

// best is the goal that shows most by now.
func (w *watched) best() string {
	best, least := "", 2.0
	for _, goal := range w.Results {
		if p := statistics.TwoProportionP(goal.Variants[0], goal.Variants[1]); p < least {
			best, least = goal.Name, p
		}
	}
	return best
}

// Whoever declares an experiment anew after looking is wrong no more often than alpha says: what
// verdicts go by is what was declared before participants came. Believed, as it was, each of these
// misleads far more often.
func TestWhoDeclaresAnewAfterLookingGainsNothing(t *testing.T) {
	const days, visitors = 20, 600
	passed := func(w *watched) { // the size that was passed yesterday
		w.declare(min(w.Variants[0].Trials, w.Variants[1].Trials)-visitors/2, w.Declaration.Goals)
	}
	for _, c := range []struct {
		name            string
		planned         int64
		goals, declared int
		misleads        bool // four times as often, if it is believed
		each            func(w *watched, day int)
	}{
		{"the size that was passed, each day", 10_000, 1, 1, true, func(w *watched, _ int) { passed(w) }},
		{"the same, and none was planned", 0, 1, 1, true, func(w *watched, _ int) { passed(w) }},
		{"the best goal as the primary one", 4000, 6, 6, true, func(w *watched, day int) {
			if best := w.best(); day == 8 {
				w.declare(4000, append([]string{best}, slices.DeleteFunc(slices.Clone(w.Declaration.Goals), func(g string) bool { return g == best })...))
			}
		}},
		{"the best goal alone, of a list", 0, 6, 6, false, func(w *watched, day int) {
			if day == 8 {
				w.declare(0, []string{w.best()})
			}
		}},
		{"the best goal alone, where none was declared", 0, 6, 0, false, func(w *watched, day int) {
			if day == 8 {
				w.declare(0, []string{w.best()})
			}
		}},
		{"another goal every other day", 0, 8, 1, false, func(w *watched, day int) {
			if day < 16 {
				w.declare(0, []string{fmt.Sprint("goal", day/2), "goal0"})
			}
		}},
	} {
		wrong := func(honest bool, alpha float64, repetitions int) (wrong int) {
			source := rand.NewPCG(41, 40_000)
			for range repetitions {
				w := watch(c.planned, c.goals, c.declared, honest, source)
				for day := 0; day < days && !w.shown; day++ {
					w.day(day, visitors, alpha)
					if !w.shown {
						c.each(w, day)
						w.look(time.Date(2026, 1, 2+day, 0, 0, 0, 0, time.UTC), alpha)
					}
				}
				if w.shown {
					wrong++
				}
			}
			return wrong
		}
		t.Run(c.name, func(t *testing.T) {
			believed := wrong(false, 0.05, 60)
			t.Logf("believed: wrong in %d of 60", believed)
			if c.misleads && believed < 9 {
				t.Error("the example misleads nobody")
			}
			repetitions := 200
			if testing.Short() {
				repetitions = 60
			}
			for _, alpha := range []float64{0.05, 0.01} {
				got := wrong(true, alpha, repetitions)
				t.Logf("at %g: wrong in %d of %d", alpha, got, repetitions)
				if (distuv.Binomial{N: float64(repetitions), P: alpha}).CDF(float64(got)-1) > 0.9999 {
					t.Errorf("%d of %d show a difference that is not there, alpha is %g", got, repetitions, alpha)
				}
			}
		})
	}
}

// Each goal has its standing by what was declared before participants came.
func TestWhichGoalsAreTested(t *testing.T) {
	declared := func(before *store.Before, was map[string]event.Kind, goals ...string) Detail {
		return Detail{Summary: Summary{Declared: true, Before: before, Was: was}, Declaration: store.Declaration{Goals: goals}}
	}
	value := map[string]event.Kind{"buy": event.Value}
	for _, c := range []struct {
		name    string
		of      Detail
		goal    string
		want    statistics.Distrust
		charged bool
	}{
		{"nobody declared the experiment", Detail{}, "any", "", true},
		{"declared", declared(nil, nil, "buy"), "buy", "", true},
		{"a stranger's, beside declared ones", declared(nil, nil, "buy"), "zzz", statistics.GoalDeclaredLate, false},
		{"declared without goals", declared(nil, nil), "zzz", statistics.GoalNotDeclared, true},
		{"declared since, where there were none", declared(&store.Before{}, nil, "buy"), "buy", "", true},
		{"and what is not", declared(&store.Before{}, nil, "buy"), "zzz", statistics.GoalNotDeclared, true},
		{"declared since, where there were some", declared(&store.Before{Goals: []string{"buy"}}, nil, "buy", "ask"), "ask", statistics.GoalDeclaredLate, false},
		{"given up", declared(&store.Before{Goals: []string{"ask", "buy"}}, nil, "buy"), "ask", "", true},
		{"of another kind", declared(nil, value, "buy"), "buy", statistics.KindChanged, true},
		{"given up, of a kind", declared(&store.Before{Goals: []string{"buy"}}, value), "buy", "", true},
	} {
		if got, charged := c.of.standing(c.goal); got != c.want || charged != c.charged {
			t.Errorf("%s: %q, %v", c.name, got, charged)
		}
	}
}

// Who declares some of the variants that had come has chosen among all, but for a stranger's few.
func TestVariantsThatWerePassedOver(t *testing.T) {
	of := func(before *store.Before, trials ...int64) Detail {
		d := Detail{Summary: Summary{Declared: true, Before: before}, Declaration: store.Declaration{Variants: []store.Variant{{Label: "a"}, {Label: "b"}}}}
		d.Variants = []statistics.Variant{{Label: "a", Weight: 1, Trials: 9000}, {Label: "b", Weight: 1, Trials: 9000}}
		for i, n := range trials {
			d.Variants = append(d.Variants, statistics.Variant{Label: fmt.Sprint(i), Trials: n})
		}
		return d
	}
	for _, c := range []struct {
		name string
		of   Detail
		want int
	}{
		{"declared before", of(nil, 1000, 1000), 0},
		{"a control was declared before", of(&store.Before{Control: "b"}, 1000, 1000), 0},
		{"none was", of(&store.Before{}, 1000, 1000), 2},
		{"and there are strays", of(&store.Before{}, 1000, 40, 3), 1},
		{"strays alone", of(&store.Before{}, 19, 3), 0},
	} {
		if got := c.of.PassedOver(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
