package store

import (
	"slices"
	"testing"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

// What verdicts go by is kept as it was when participants came, where it is declared otherwise since:
// of the first such change, and not before a rehearsal is over.
func TestWhatWasDeclaredBeforeIsKept(t *testing.T) {
	declared := func(change func(*Declaration)) Declaration {
		d := Declaration{Namespace: "alephbet", Experiment: "e", Planned: 1000, Goals: []string{"sign-up", "ask", "buy"},
			Variants: []Variant{{"red one", 1}, {"blue", 1}}, Kinds: map[string]event.Kind{"buy": event.Value}}
		if change != nil {
			change(&d)
		}
		return d
	}
	for name, c := range map[string]struct {
		change func(*Declaration)
		noted  bool
	}{
		"nothing":               {nil, false},
		"order of other goals":  {func(d *Declaration) { d.Goals = []string{"sign-up", "buy", "ask"} }, false},
		"the largest value":     {func(d *Declaration) { d.Max = map[string]float64{"buy": 500} }, false},
		"the weights alone":     {func(d *Declaration) { d.Variants = []Variant{{"red one", 1}, {"blue", 2}} }, false}, // that is "ramped"
		"the size":              {func(d *Declaration) { d.Planned = 500 }, true},
		"no size":               {func(d *Declaration) { d.Planned = 0 }, true},
		"the primary goal":      {func(d *Declaration) { d.Goals = []string{"buy", "ask", "sign-up"} }, true},
		"one goal more":         {func(d *Declaration) { d.Goals = append(d.Goals, "look") }, true},
		"one goal less":         {func(d *Declaration) { d.Goals = d.Goals[:2] }, true},
		"the control":           {func(d *Declaration) { d.Variants = []Variant{{"blue", 1}, {"red one", 1}} }, true},
		"any goal is as good":   {func(d *Declaration) { d.Goals = nil }, true},
		"the kind of a goal":    {func(d *Declaration) { d.Kinds = nil }, false}, // that is the goal's
		"the size, back and on": {func(d *Declaration) { d.Planned = 2000 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, redistest.Start(t).URL(), exactSettings)
			declare := func(d Declaration) *Experiment {
				t.Helper()
				if _, err := s.Declare(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				found, err := s.Experiment(t.Context(), "alephbet", "e")
				if err != nil {
					t.Fatal(err)
				}
				return found
			}
			declare(declared(func(d *Declaration) { d.Planned, d.Goals, d.Kinds = 7, []string{"look"}, nil }))
			commitAll(t, s, participants("e", "blue", 0, 19))
			if e := declare(declared(nil)); e.Before != nil {
				t.Fatalf("after 19 participants: %+v", e.Before)
			}
			commitAll(t, s, participants("e", "blue", 19, 20))
			e := declare(declared(c.change))
			if (e.Before != nil) != c.noted {
				t.Fatalf("%+v", e.Before)
			}
			for _, planned := range []int64{3, 1000} {
				declare(declared(func(d *Declaration) { d.Planned = planned }))
			}
			e = declare(declared(nil))
			b := e.Before
			if b == nil || b.Planned != 1000 || b.Control != "red one" || b.Primary != "sign-up" || !slices.Equal(b.Goals, []string{"ask", "buy", "sign-up"}) || time.Since(b.At) > time.Minute {
				t.Errorf("%+v", b)
			}
			if e.Was["buy"] != event.Value || e.Was["ask"] != event.Unique {
				t.Errorf("kinds: %v", e.Was)
			}
			if err := s.Delete(t.Context(), "alephbet", "e"); err != nil {
				t.Fatal(err)
			}
			if e := declare(declared(c.change)); e.Before != nil {
				t.Errorf("another life: %+v", e.Before)
			}
		})
	}
}

// One that nobody had declared when participants came, imported ones too, is judged as one that
// nobody planned.
func TestADeclarationThatComesLate(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	commitAll(t, s, participants("e", "blue", 0, 10))
	if err := s.client.HSet(t.Context(), experimentKey("alephbet", "e"), "b:participate:red", 500).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "e", Planned: 300, Goals: []string{"buy"}}); err != nil {
		t.Fatal(err)
	}
	e, err := s.Experiment(t.Context(), "alephbet", "e")
	if err != nil || e.Before == nil || e.Before.Planned != 0 || e.Before.Primary != "" || len(e.Before.Goals) > 0 || e.Planned != 300 {
		t.Errorf("%+v, %v", e.Before, err)
	}
}
