package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/recipe"
	"provision/internal/script"
)

// deadRuns is a question that every host is asked beside those of its recipe: a run that
// died may have done all that was planned, and still have left temporaries, a policy that
// keeps services from starting, and a change that nobody has verified. Whose lock is held
// is not dead; a step of it may go on.
func deadRuns() recipe.Probe {
	return recipe.Probe{Key: recipe.CommandKey("runs that died"), Script: `cd ` + script.State + `/runs || exit 1
set --
for run in *; do [ ! -e "$run/open" ] || set -- "$@" "$run"; done
[ $# -gt 0 ] && flock -n -s ../lock true && echo "$*"`}
}

// died returns the runs that died on the host.
func died(facts recipe.Facts) []string {
	if found := facts.Command(deadRuns().Key.Name); found.Exit == 0 {
		return strings.Fields(found.Output)
	}
	return nil
}

// unsettledChanges is another such question: a guarded change that is neither confirmed nor
// undone is no state to make a plan from. One that cannot be undone while nobody is at work is
// left to the next run, which is told why not. The exit status tells whether somebody's run
// holds the lock.
func unsettledChanges() recipe.Probe {
	return recipe.Probe{Key: recipe.CommandKey("changes that may be undone"), Script: `cd ` + script.State + `/armed || exit 1
flock -n -s ../lock true; free=$?
set --
for unit in *; do
if [ -e "$unit/open" ] || { [ -e "$unit/undoing" ] && [ $free -ne 0 ]; }; then set -- "$@" "$unit"; fi
done
[ $# -gt 0 ] || exit 1
holder=$(cat ../holder 2>/dev/null)
[ $free -eq 0 ] || set -- "$@" "${holder:-one that has ended}"
printf '%s\n' "$@"
[ $free -eq 0 ] && exit 2
exit 0`}
}

// unsettledError says that a host has a guarded change that is neither confirmed nor undone.
type unsettledError struct {
	units  []string
	holder string // whose run it is, "" of one that died
}

func (e *unsettledError) Error() string {
	text := "the change to " + strings.Join(e.units, ", ") + " is neither confirmed nor undone yet"
	if e.holder != "" {
		return text + ", of the run of " + e.holder
	}
	return text + ", of a run that died"
}

// unsettled returns an *unsettledError, nil when there is nothing to wait for.
func (h host) unsettled(facts recipe.Facts) error {
	if h.anyway {
		return nil
	}
	found := facts.Command(unsettledChanges().Key.Name)
	lines := strings.Split(strings.TrimSpace(found.Output), "\n")
	switch found.Exit {
	case 0:
		return &unsettledError{lines[:len(lines)-1], lines[len(lines)-1]}
	case 2:
		return &unsettledError{lines, ""}
	}
	return nil
}

const (
	settleWithin = time.Minute // of a plan alone, which has no patience of its own
	settlePause  = time.Second
)

// settled asks a host what a plan is made of, again and again while a guarded change there is
// neither confirmed nor undone. When that takes too long and a run holds the host, it is
// locked; without a run nobody will decide, and the next one has to.
func (j *job) settled(ctx context.Context, ask func() error) error {
	for began, told := time.Now(), false; ; {
		err := ask()
		var waiting *unsettledError
		switch {
		case !errors.As(err, &waiting):
			return err
		case time.Since(began) > j.settings.Patience && waiting.holder != "":
			return fmt.Errorf("%w: %w", journal.ErrLocked, waiting)
		case time.Since(began) > j.settings.Patience:
			j.host.anyway = true
		case !told:
			j.observe(engine.Note{Text: waiting.Error() + ": waiting for that"})
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settlePause):
		}
	}
}
