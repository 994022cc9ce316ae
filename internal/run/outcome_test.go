package run

import (
	"context"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
)

// How a host's work ended, and what to do next, follows from the error alone.
func TestOutcome(t *testing.T) {
	rehearsal := &engine.StepError{Step: recipe.Numbered{Step: recipe.Rehearse{Unit: "web.service"}}, Status: 1}
	lost := &remote.Error{What: "web1", Problem: "gone", Kinds: []error{remote.ErrUnreachable}}
	for name, row := range map[string]struct {
		err    error
		status engine.Status
		hint   string // in it
	}{
		"it went well":                       {nil, engine.StatusSame, ""},
		"a configuration that does not pass": {rehearsal, engine.StatusFailed, "web.service goes on with what it has"},
		"and files before it were put back":  {&engine.RestoredError{Failed: rehearsal}, engine.StatusFailed, "mend the configuration"},
		"no connection":                      {lost, engine.StatusUnreachable, ""},
		"Ctrl-C":                             {context.Canceled, engine.StatusInterrupted, ""},
		"what no plan foresaw":               {engine.ErrUnforeseen, engine.StatusFailed, "as it was found"},
		"another system":                     {supported(recipe.Answer{System: "ubuntu 24.04"}), engine.StatusFailed, "provision exec -H web1"},
		"a plan that is stale":               {engine.ErrStale, engine.StatusStale, "look at the new plan"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := status(row.err, engine.StatusSame); got != row.status {
				t.Errorf("status %s, want %s", got, row.status)
			}
			got := Hint(row.err, "web1")
			if (row.hint == "") != (got == "") || !strings.Contains(got, row.hint) {
				t.Errorf("hint %q, want %q in it", got, row.hint)
			}
			if restored, ok := row.err.(*engine.RestoredError); ok && strings.Contains(got, "goes on") {
				t.Errorf("%v: hint %q, though something was put back", restored, got)
			}
		})
	}
}
