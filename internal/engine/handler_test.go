package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// aliases is a file that a command takes in.
func aliases(content, guard string) recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.File{Path: "/etc/aliases", Content: content}, recipe.RunOf("newaliases"))
	r.Add(resource.Command{Name: "newaliases", Script: "newaliases", Unless: guard, Changes: []recipe.Key{}})
	return r
}

var aliasesDone = []string{"note: run newaliases", "write /etc/aliases", "newaliases", "done: newaliases"}

// A command without a guard runs when it is notified, and only then; one with a guard then too.
func TestCommandRunsWhenItIsNotified(t *testing.T) {
	for _, guard := range []string{"", "true"} {
		host := bareHost()
		host.Guards["newaliases"] = func(*model.Host) int { return 0 }
		for _, content := range []string{"a\n", "b\n"} {
			host.Done = nil
			plan, err := host.Converge(aliases(content, guard))
			if err != nil || !slices.Equal(host.Done, aliasesDone) {
				t.Errorf("guard %q: %v, done %q", guard, err, host.Done)
			}
			if change := plan.Items[1].Change; change.Kind != recipe.Act || change.Summary != "run: to take in what changed" {
				t.Errorf("guard %q: it is not announced: %+v", guard, change)
			}
			host.Done = nil
			if plan, err := host.Converge(aliases(content, guard)); err != nil || !plan.Empty() || len(host.Done) > 0 {
				t.Errorf("guard %q: a second run: %v, done %q", guard, err, host.Done)
			}
		}
	}
}

// What a run that died, or whose command failed, has left to do is done by the next.
func TestCommandThatIsStillNotifiedRuns(t *testing.T) {
	host := bareHost()
	host.Fail["newaliases"] = true
	if _, err := host.Converge(aliases("a\n", "")); err == nil || host.Facts.Pending(recipe.Handler("newaliases")).Action != recipe.Run {
		t.Fatalf("error %v, facts %v", err, host.Facts)
	}
	clear(host.Fail)
	host.Done = nil
	if _, err := host.Converge(aliases("a\n", "")); err != nil || !slices.Equal(host.Done, aliasesDone[2:]) {
		t.Errorf("%v, done %q", err, host.Done)
	}
}

// A file that may change may have it run.
func TestCommandMayBeNotified(t *testing.T) {
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "mailer"})
	wanted.Include(aliases("a\n", ""))
	host := bareHost()
	host.Brings["mailer"] = stands("/etc/aliases", "a\n")
	plan, err := host.Converge(wanted)
	if err != nil || plan.Items[2].Change.Kind != recipe.MayBe || slices.Contains(host.Done, "newaliases") {
		t.Errorf("%v, %+v, done %q", err, plan.Items[2].Change, host.Done)
	}
}

// The files of a service that does not survive come back: a command that has taken them in runs again,
// in the next run, and one that has not yet has nothing to do.
func TestCommandAndFilesThatArePutBack(t *testing.T) {
	recipeOf := func(content string, early bool) recipe.Recipe {
		index := resource.Command{Name: "index", Script: "index", Changes: []recipe.Key{}}
		var r recipe.Recipe
		r.Add(resource.File{Path: "/etc/daemon.conf", Content: content}, restart("daemon.service"), recipe.RunOf("index"))
		if early {
			r.Add(index)
		}
		r.Add(resource.Service{Unit: "daemon.service"})
		if !early {
			r.Add(index)
		}
		return r
	}
	for _, early := range []bool{true, false} {
		host := bareHost()
		if _, err := host.Converge(recipeOf("a\n", early)); err != nil {
			t.Fatal(err)
		}
		host.Fail["restart daemon.service"] = true
		told := ""
		_, _, err := model.Apply(t.Context(), host, host, recipeOf("bad\n", early), func(event engine.Event) {
			switch event := event.(type) {
			case engine.StepEnded:
				if event.Failed {
					clear(host.Fail)
				}
			case engine.Note:
				told += event.Text
			}
		}, nil)
		var restored *engine.RestoredError
		if !errors.As(err, &restored) {
			t.Fatalf("error %v", err)
		}
		if waits := host.Facts.Pending(recipe.Handler("index")).Action != ""; waits != early || strings.Contains(told, "index: has run") != early {
			t.Errorf("it has run: %t; it waits: %t; told %q, done %q", early, waits, told, host.Done)
		}
	}
}

// A command's name may be any text, and is a file's on the host.
func TestNamesOfHandlers(t *testing.T) {
	for _, name := range []string{"newaliases", "make room for /srv/a b", "größer: 100 %", "..", "a.service"} {
		noted := recipe.Handler(name)
		if recipe.Notified(noted) != name || !recipe.IsHandler(noted) || strings.ContainsAny(noted, "/ \n") {
			t.Errorf("%q is noted as %q, of %q", name, noted, recipe.Notified(noted))
		}
	}
	if recipe.IsHandler("a.service") || recipe.Notified("a.service") != "a.service" {
		t.Error("a unit is taken for a command")
	}
}

func TestHandlersAreValidated(t *testing.T) {
	never := recipe.Recipe{Items: aliases("a\n", "").Items[1:]}
	alone := recipe.Recipe{Items: aliases("a\n", "").Items[:1]}
	long := recipe.Recipe{}
	name := strings.Repeat("x", 250)
	long.Add(resource.File{Path: "/etc/x"}, recipe.RunOf(name))
	long.Add(resource.Command{Name: name, Script: "x"})
	for want, r := range map[string]recipe.Recipe{"it would never run": never, "is not in the recipe": alone, "too long to be noted": long, "": aliases("a\n", "")} {
		err := r.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// It stands behind what notifies it in any task, or there is no order.
	backwards := recipe.Recipe{}
	backwards.Add(resource.Command{Name: "first", Script: "x"})
	backwards.Add(resource.Command{Name: "then", Script: "x", Unless: "y"}, recipe.RunOf("first"))
	if _, err := recipe.Join(backwards); err == nil || !strings.Contains(err.Error(), "no order") {
		t.Errorf("a command before what notifies it: %v", err)
	}
	joined, err := recipe.Join(recipe.Recipe{Items: aliases("a\n", "").Items[1:]}, recipe.Recipe{Items: aliases("a\n", "").Items[:1]})
	if err != nil || joined.Items[1].Resource.ID() != "command:newaliases" {
		t.Errorf("%v, %v", err, joined)
	}
}
