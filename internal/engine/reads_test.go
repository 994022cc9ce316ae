package engine_test

import (
	"slices"
	"testing"

	"provision/internal/engine"
	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// derived is a file, and a command that makes something of it when its guard says that this
// is not of the file's present content; and one that makes something of that.
func derived(content string) recipe.Recipe {
	source := recipe.PathKey("/etc/source")
	var r recipe.Recipe
	r.Add(resource.File{Path: source.Name, Content: content})
	r.Add(resource.Command{Name: "derive", Unless: "x", Script: "x", Reads: []recipe.Key{source}})
	r.Add(resource.Command{Name: "publish", Unless: "x", Script: "x", Reads: []recipe.Key{recipe.CommandKey("derive")}})
	r.Add(resource.Command{Name: "other", Unless: "x", Script: "x", Reads: []recipe.Key{recipe.PathKey("/etc/else")}})
	return r
}

// after is a guard that is content when a step was done later than another.
func after(step, other string) func(*model.Host) int {
	return func(h *model.Host) int {
		last := map[string]int{step: -1, other: -1}
		for i, title := range h.Done {
			last[title] = i
		}
		if last[step] > last[other] {
			return 0
		}
		return 1
	}
}

func derivingHost(t *testing.T) *model.Host {
	t.Helper()
	host := bareHost()
	host.Guards["derive"] = after("derive", "write /etc/source")
	host.Guards["publish"] = after("publish", "derive")
	host.Guards["other"] = after("other", "")
	if _, err := host.Converge(derived("a\n")); err != nil {
		t.Fatal(err)
	}
	return host
}

func TestChangeOfWhatAGuardReadsMakesItUnknown(t *testing.T) {
	host := derivingHost(t)
	if want := []string{"write /etc/source", "derive", "publish", "other"}; !slices.Equal(host.Done, want) {
		t.Fatalf("first run: done %q, want %q", host.Done, want)
	}
	plan, err := host.Converge(derived("b\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `update file:/etc/source — content differs
         write /etc/source
maybe  command:derive — known after /etc/source has changed
maybe  command:publish — known after /etc/source has changed
`
	if got := model.Text(plan); got != want {
		t.Errorf("plan:\n%s\nwant:\n%s", got, want)
	}
	if want := []string{"write /etc/source", "derive", "publish"}; !slices.Equal(host.Done[4:], want) {
		t.Errorf("done %q, want %q", host.Done[4:], want)
	}
}

func TestGuardThatIsContentAfterTheChangeRunsNothing(t *testing.T) {
	host := derivingHost(t)
	host.Guards["derive"] = func(*model.Host) int { return 0 }
	host.Done = host.Done[:0:0]
	host.Guards["publish"] = host.Guards["derive"]
	host.Guards["other"] = host.Guards["derive"]
	plan, err := host.Converge(derived("b\n"))
	if err != nil || len(plan.Changes()) != 3 || !slices.Equal(host.Done, []string{"write /etc/source"}) {
		t.Errorf("%v; plan:\n%s\ndone %q", err, model.Text(plan), host.Done)
	}
}

// What is itself known only later makes unknown too: a service that may take a change in, a
// command that may run and says what it changes.
func TestWhatMayChangeMakesAGuardUnknown(t *testing.T) {
	unit, made := recipe.UnitKey("daemon.service"), recipe.PathKey("/run/made")
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "daemon", Brings: []recipe.Key{recipe.PathKey("/etc/default")}})
	wanted.Add(resource.Link{Path: "/etc/default", Absent: true}, restart("daemon.service"))
	wanted.Add(resource.Service{Unit: "daemon.service"})
	wanted.Add(resource.Command{Name: "make", Unless: "x", Script: "x", Reads: []recipe.Key{unit}, Changes: []recipe.Key{made}})
	wanted.Add(resource.File{Path: made.Name, Absent: true})
	wanted.Add(resource.Command{Name: "use", Unless: "x", Script: "x", Reads: []recipe.Key{made}})
	plan, err := engine.NewPlan(wanted, recipe.Facts{unit: {Value: recipe.Unit{Load: "loaded", Active: "active", State: "enabled"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, planned := range plan.Items[1:] {
		if planned.Change.Kind != recipe.MayBe || planned.Change.Until != "daemon is installed" {
			t.Errorf("%s: %q until %q", planned.Item.Resource.ID(), planned.Change.Kind, planned.Change.Until)
		}
	}
}

// A command without a guard, which may run, makes the guards that read it unknown.
func TestGuardThatReadsAHandler(t *testing.T) {
	for _, row := range []struct {
		brings []recipe.Key
		kinds  []recipe.ChangeKind // of the handler and of what reads that it has run
	}{
		{[]recipe.Key{}, []recipe.ChangeKind{recipe.Act, recipe.MayBe}},
		{nil, []recipe.ChangeKind{recipe.MayBe, recipe.MayBe}},
	} {
		host := bareHost()
		host.Guards["publish"] = after("publish", "derive")
		var wanted recipe.Recipe
		wanted.Add(resource.Package{Name: "p", Brings: row.brings})
		wanted.Add(resource.File{Path: "/etc/source", Content: "a\n"}, recipe.RunOf("derive"))
		wanted.Add(resource.Command{Name: "derive", Script: "x", Changes: []recipe.Key{}})
		wanted.Add(resource.Command{Name: "publish", Unless: "x", Script: "x", Reads: []recipe.Key{recipe.CommandKey("derive")}})
		plan, err := host.Converge(wanted)
		if err != nil || plan.Items[2].Change.Kind != row.kinds[0] || plan.Items[3].Change.Kind != row.kinds[1] {
			t.Errorf("brings %v: %v\n%s", row.brings, err, model.Text(plan))
		}
		if n := len(host.Done); n < 2 || host.Done[n-1] != "publish" {
			t.Errorf("done %q", host.Done)
		}
	}
}

// What a package brings at a path is not known before, and its content neither.
func TestLineOfAFileThatAPackageBrings(t *testing.T) {
	host := bareHost()
	host.Brings["p"] = recipe.WriteFile{Path: "/etc/p", Content: []byte("a\n"), Attributes: recipe.Attributes{Mode: 0o644, Owner: "root", Group: "root"}}.Effects()
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "p", Brings: []recipe.Key{recipe.PathKey("/etc/p")}})
	wanted.Add(resource.Line{Path: "/etc/p", Line: "b 1", Key: "b "})
	if _, err := host.Converge(wanted); err != nil {
		t.Fatal(err)
	}
	if content := string(host.Facts.Content("/etc/p").Bytes); content != "a\nb 1\n" {
		t.Errorf("the file is %q", content)
	}
}
