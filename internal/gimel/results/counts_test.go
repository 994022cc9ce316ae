package results

import (
	"slices"
	"testing"

	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

func TestCountsPutTheControlFirst(t *testing.T) {
	counters := []store.Counter{
		{Event: "buy", Variant: "blue", Count: 2}, {Event: "participate", Variant: "blue", Count: 10},
		{Event: "participate", Variant: "control", Count: 11}, {Event: "participate", Variant: "amber", Count: 12},
	}
	tests := map[string]struct {
		declared []store.Variant
		want     []statistics.Variant
	}{
		"undeclared: control, then by name": {nil, []statistics.Variant{
			{Label: "control", Trials: 11}, {Label: "amber", Trials: 12}, {Label: "blue", Trials: 10, Successes: 2}}},
		"declared: in that order, then the others": {[]store.Variant{{Label: "green", Weight: 1}, {Label: "blue", Weight: 3}},
			[]statistics.Variant{{Label: "green", Weight: 1}, {Label: "blue", Weight: 3, Trials: 10, Successes: 2},
				{Label: "control", Trials: 11}, {Label: "amber", Trials: 12}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Counts(&store.Experiment{Counters: counters, Variants: test.declared}, "buy")
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// One forged request, "aaa", must not become the control of an experiment that nobody declared, nor
// take a share of its traffic.
func TestAForgedVariantIsAStray(t *testing.T) {
	e := &store.Experiment{Counters: []store.Counter{
		{Event: "participate", Variant: "aaa", Count: 1}, {Event: "participate", Variant: "blue", Count: 500},
		{Event: "participate", Variant: "green", Count: 510}, {Event: "buy", Variant: "zzz", Count: 3}}}
	got := Counts(e, "buy")
	want := []statistics.Variant{{Label: "blue", Weight: 1, Trials: 500}, {Label: "green", Weight: 1, Trials: 510},
		{Label: "aaa", Trials: 1}, {Label: "zzz", Successes: 3}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if check := statistics.CheckSampleRatio(got); check.Alarm {
		t.Errorf("the split: %+v", check)
	}
}

func TestGoalsAreTheDeclaredAndTheCounted(t *testing.T) {
	e := &store.Experiment{Goals: []string{"look", "buy"}, Counters: []store.Counter{
		{Event: "participate", Variant: "v"}, {Event: "buy", Variant: "v"}, {Event: "ask", Variant: "w"}}}
	if got := Goals(e); !slices.Equal(got, []string{"ask", "buy", "look"}) {
		t.Errorf("goals = %v", got)
	}
}
