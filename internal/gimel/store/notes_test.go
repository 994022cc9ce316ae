package store

import (
	"errors"
	"reflect"
	"testing"

	"provision/internal/gimel/redistest"
)

func declare(t *testing.T, s *Store, d Declaration) {
	t.Helper()
	if _, err := s.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestNotesStayUntilTheyAreChangedAndGoWithTheExperiment(t *testing.T) {
	server := redistest.Start(t)
	s := newStore(t, server.URL(), exactSettings)
	ctx := t.Context()
	text := func(s string) *string { return &s }
	if err := s.Annotate(ctx, "n", "e", Annotation{Owner: text("Ada")}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("of none: %v", err)
	}
	declare(t, s, Declaration{Namespace: "n", Experiment: "e"})
	for _, a := range []Annotation{
		{Hypothesis: text("blue sells"), Owner: text("Ada"), Entry: "begun"},
		{Decision: text("keep blue"), Entry: "decided: two words"},
		{Owner: text("")},
	} {
		if err := s.Annotate(ctx, "n", "e", a); err != nil {
			t.Fatal(err)
		}
	}
	notes := func() Notes {
		e, err := s.Experiment(ctx, "n", "e")
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Notes(ctx, e)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := notes()
	if got.Hypothesis != "blue sells" || got.Owner != "" || got.Decision != "keep blue" || len(got.Log) != 2 ||
		got.Log[0].Text != "begun" || got.Log[1].Text != "decided: two words" || got.Log[0].At.IsZero() {
		t.Errorf("%+v", got)
	}
	e, err := s.Experiment(ctx, "n", "e")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tell(ctx, "n", "e", e.Life(), "a verdict"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, "n", "e"); err != nil {
		t.Fatal(err)
	}
	if err := s.Tell(ctx, "n", "e", e.Life(), "of one that has gone"); err != nil {
		t.Fatal(err)
	}
	if left := server.Client().Keys(ctx, "*").Val(); len(left) != 0 {
		t.Errorf("left in Redis: %q", left)
	}
	declare(t, s, Declaration{Namespace: "n", Experiment: "e"})
	if got := notes(); !reflect.DeepEqual(got, Notes{}) {
		t.Errorf("another life has %+v", got)
	}
}

func TestTheLogKeepsTheLast(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	declare(t, s, Declaration{Namespace: "n", Experiment: "e"})
	for range logKeeps + 3 {
		if err := s.Annotate(t.Context(), "n", "e", Annotation{Entry: "again"}); err != nil {
			t.Fatal(err)
		}
	}
	e, _ := s.Experiment(t.Context(), "n", "e")
	if notes, err := s.Notes(t.Context(), e); err != nil || len(notes.Log) != logKeeps {
		t.Errorf("%d entries, %v", len(notes.Log), err)
	}
}
