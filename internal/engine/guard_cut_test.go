package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"provision/internal/engine"
	"provision/internal/model"
	"provision/internal/recipe"
)

// cutSession loses its connection in a step, which the host does all the same.
type cutSession struct {
	*model.Host
	at string
}

func (s *cutSession) Do(ctx context.Context, steps []recipe.Numbered, _ []recipe.Probe, observe engine.Observer) (recipe.Facts, error) {
	for _, step := range steps {
		if s.at == "" {
			return nil, errors.New("the session is over")
		}
		if step.Step.Title() == s.at {
			s.at = ""
			_, err := s.Host.Do(ctx, steps, nil, func(engine.Event) {})
			return nil, errors.Join(err, errors.New("connection lost"))
		}
		if _, err := s.Host.Do(ctx, []recipe.Numbered{step}, nil, observe); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// verdicts is a host of which new connections say what became of a change.
type verdicts struct {
	*model.Host
	undone bool
	asked  []int // for which step to confirm it
}

func (v *verdicts) Verdict(_ context.Context, _ string, step int) (engine.Verdict, error) {
	v.asked = append(v.asked, step)
	if v.undone {
		return engine.VerdictUndone, nil
	}
	return engine.VerdictConfirmed, nil
}

// guardedApply changes a door that is there, over a session that is cut, and stops when a
// step has that title, or a note begins so.
func guardedApply(asked engine.Host, session engine.Session, stopAt string) (engine.Result, error) {
	stop := make(chan struct{})
	_, result, err := model.Apply(context.Background(), asked, session, door("b\n"), func(event engine.Event) {
		said := ""
		switch event := event.(type) {
		case engine.StepEnded:
			said = event.Title
		case engine.Note:
			said = event.Text
		}
		if stopAt != "" && strings.HasPrefix(said, stopAt) {
			stopAt = ""
			close(stop)
		}
	}, stop)
	return result, err
}

func openDoor(t *testing.T) *model.Host {
	t.Helper()
	host := model.NewHost(recipe.Platforms()[0])
	if _, err := host.Converge(door("a\n")); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	return host
}

func TestChangeThatCutsItsOwnConnectionStays(t *testing.T) {
	for _, at := range []string{"reload door.service", "confirm the change to door.service"} {
		t.Run(at, func(t *testing.T) {
			host := openDoor(t)
			asked := &verdicts{Host: host}
			result, err := guardedApply(asked, &cutSession{host, at}, "")
			var unconfirmed *engine.UnconfirmedError
			if !errors.Is(err, engine.ErrCut) || errors.As(err, &unconfirmed) {
				t.Fatalf("error: %v", err)
			}
			if len(result.Changed) != 4 || len(asked.asked) != 1 || asked.asked[0] == 0 {
				t.Errorf("changed %d, asked to confirm %v", len(result.Changed), asked.asked)
			}
			if result, err = guardedApply(asked, host, ""); err != nil || len(result.Changed) != 1 {
				t.Errorf("going on changed %d: %v", len(result.Changed), err)
			}
			if last := host.Done[len(host.Done)-1]; last != "write /etc/later" || slices.Contains(host.Done, "undo the change to door.service") {
				t.Errorf("done %q", host.Done)
			}
		})
	}
}

// deaf is a session that hears nothing from a step on, which the host does all the same.
type deaf struct {
	*model.Host
	at string
}

func (s *deaf) Do(ctx context.Context, steps []recipe.Numbered, _ []recipe.Probe, observe engine.Observer) (recipe.Facts, error) {
	if _, err := s.Host.Do(ctx, steps, nil, observe); err != nil || steps[len(steps)-1].Step.Title() != s.at {
		return nil, err
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// slow is a host on which a guarded change is not done at first.
type slow struct {
	*model.Host
	open int // how often it says so
}

func (s *slow) Verdict(ctx context.Context, unit string, step int) (engine.Verdict, error) {
	if s.open--; s.open >= 0 {
		return engine.VerdictOpen, nil
	}
	return s.Host.Verdict(ctx, unit, step)
}

// A connection may be cut so that neither side hears of it for minutes: new ones are tried
// while the step is under way.
func TestSilentCutIsNoticedBesideTheStep(t *testing.T) {
	for _, open := range []int{0, 3} {
		synctest.Test(t, func(t *testing.T) {
			host, began := openDoor(t), time.Now()
			_, err := guardedApply(&slow{host, open}, &deaf{host, "done: door.service"}, "")
			if !errors.Is(err, engine.ErrCut) || slices.Contains(host.Done, "undo the change to door.service") {
				t.Errorf("open %d times: error %v, done %q", open, err, host.Done)
			}
			if took := time.Since(began); took > recipe.UndoAfter {
				t.Errorf("open %d times: it took %s, and the host would have undone it", open, took)
			}
		})
	}
}

func TestHalfAChangeIsNotConfirmed(t *testing.T) {
	host := openDoor(t)
	asked := &verdicts{Host: host, undone: true}
	_, err := guardedApply(asked, &cutSession{host, "write /etc/door/b"}, "")
	var unconfirmed *engine.UnconfirmedError
	if !errors.As(err, &unconfirmed) || !unconfirmed.Undone || slices.Max(asked.asked) != 0 {
		t.Errorf("error %v, asked to confirm %v", err, asked.asked)
	}
}

// stuck is a session whose host has no room for its journal before a step.
type stuck struct {
	*model.Host
	at string
}

func (s *stuck) Do(ctx context.Context, steps []recipe.Numbered, _ []recipe.Probe, observe engine.Observer) (recipe.Facts, error) {
	for _, step := range steps {
		if step.Step.Title() == s.at {
			return nil, fmt.Errorf("%w: no space left on device", engine.ErrStuck)
		}
		if _, err := s.Host.Do(ctx, []recipe.Numbered{step}, nil, observe); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Nothing is waited for: the session is there to undo it, and its own words are the reason.
func TestStuckHostUndoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, began := openDoor(t), time.Now()
		asked := &verdicts{Host: host}
		_, err := guardedApply(asked, &stuck{host, "reload door.service"}, "")
		var unconfirmed *engine.UnconfirmedError
		if !errors.Is(err, engine.ErrStuck) || !errors.As(err, &unconfirmed) || !unconfirmed.Undone || len(asked.asked) > 0 {
			t.Errorf("error %v, asked to confirm %v", err, asked.asked)
		}
		if took := time.Since(began); took > 0 || host.Done[len(host.Done)-1] != "undo the change to door.service" {
			t.Errorf("it took %s, done %q", took, host.Done)
		}
	})
}

func TestConfirmingTooLateSaysThatItWasUndone(t *testing.T) {
	host := openDoor(t)
	result, err := guardedApply(&verdicts{Host: host, undone: true}, host, "")
	var unconfirmed *engine.UnconfirmedError
	if !errors.As(err, &unconfirmed) || !unconfirmed.Undone || !errors.Is(err, engine.ErrTooLate) {
		t.Errorf("error: %v", err)
	}
	if len(result.Changed) != 1 { // /etc/other, which has nothing to do with it
		t.Errorf("changed %d", len(result.Changed))
	}
}

// silent is a host that no new connection reaches, and whose session is cut.
type silent struct {
	*model.Host
	cancel context.CancelFunc
}

func (s *silent) Verdict(ctx context.Context, _ string, _ int) (engine.Verdict, error) {
	s.cancel()
	<-ctx.Done()
	return engine.VerdictOpen, ctx.Err()
}

func TestSecondInterruptSaysWhatIsNotKnown(t *testing.T) {
	for name, lost := range map[string]string{"while it is confirmed": "", "while it is seen undone": "write /etc/door/b"} {
		t.Run(name, func(t *testing.T) {
			host := openDoor(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			session := engine.Session(host)
			if lost != "" {
				session = &cutSession{host, lost}
			}
			_, _, err := model.Apply(ctx, &silent{Host: host, cancel: cancel}, session, door("b\n"), func(engine.Event) {}, nil)
			var unconfirmed *engine.UnconfirmedError
			if !errors.Is(err, engine.ErrInterrupted) || !errors.As(err, &unconfirmed) || unconfirmed.Undone || unconfirmed.Asked != (lost == "") {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestInterruptUndoesWhatIsArmed(t *testing.T) {
	for stopAt, cut := range map[string]bool{"write /etc/door/b": false, "a new connection has to confirm": true} {
		t.Run(stopAt, func(t *testing.T) {
			host := openDoor(t)
			host.Cut = cut
			_, err := guardedApply(host, host, stopAt)
			var unconfirmed *engine.UnconfirmedError
			if !errors.Is(err, engine.ErrInterrupted) || !errors.As(err, &unconfirmed) || !unconfirmed.Undone {
				t.Errorf("error: %v", err)
			}
			if last := host.Done[len(host.Done)-1]; last != "undo the change to door.service" {
				t.Errorf("done %q", host.Done)
			}
		})
	}
}
