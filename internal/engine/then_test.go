package engine_test

import (
	"context"
	"errors"
	"testing"

	"provision/internal/engine"
	"provision/internal/model"
	"provision/internal/recipe"
)

// following is a session that tells which steps a question follows.
type following struct {
	*model.Host
	armed    bool
	followed int
	early    bool // something was armed then
}

func (f *following) Do(ctx context.Context, steps []recipe.Numbered, then []recipe.Probe, observe engine.Observer) (recipe.Facts, error) {
	for _, step := range steps {
		switch step.Step.(type) {
		case recipe.Arm:
			f.armed = true
		case recipe.Confirm, recipe.Undo:
			f.armed = false
		}
	}
	if then != nil {
		f.followed++
		f.early = f.early || f.armed
	}
	return f.Host.Do(ctx, steps, then, observe)
}

// asked is a host that must not be asked but by its session.
type asked struct{ *model.Host }

func (asked) Probe(context.Context, []recipe.Probe) (recipe.Answer, error) {
	return recipe.Answer{}, errors.New("asked once more")
}

func TestQuestionsGoWithTheStepsBefore(t *testing.T) {
	host := bareHost()
	wanted := daemon("a\n")
	facts := found(t, host, wanted)
	plan, err := engine.NewPlan(wanted, facts)
	if err != nil {
		t.Fatal(err)
	}
	session := &following{Host: host}
	run := engine.Run{Host: asked{host}, Session: session, Wanted: wanted, Plan: plan, Observe: func(engine.Event) {}}
	if _, err := run.Apply(t.Context(), facts); err != nil {
		t.Fatal(err)
	}
	if session.followed == 0 {
		t.Error("no question went with steps")
	}
}

// What is armed may be undone yet: what the host has then is no news.
func TestNothingIsAskedWithWhatIsArmed(t *testing.T) {
	host := openDoor(t)
	session := &following{Host: host}
	if _, _, err := model.Apply(t.Context(), host, session, door("b\n"), func(engine.Event) {}, nil); err != nil {
		t.Fatal(err)
	}
	if session.early || session.followed != 1 {
		t.Errorf("a question while something was armed: %t; questions: %d, want 1, with the file after the door", session.early, session.followed)
	}
}
