package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/report"
	"provision/internal/resource"
	"provision/internal/run"
)

// planOf is a plan of one change.
func planOf(change recipe.Change) engine.Plan {
	change.Kind = recipe.Update
	return engine.Plan{
		Platform: recipe.Platform{System: recipe.System{Release: 12, Arch: "amd64"}},
		Items:    []engine.Planned{{Item: recipe.Item{Resource: resource.Package{Name: "x"}, Task: "t"}, Change: change}},
	}
}

func steps(steps ...recipe.Step) engine.Plan { return planOf(recipe.Change{Steps: steps}) }

// becoming is a plan of a file whose content will be shown.
func becoming(content, until string) engine.Plan {
	plan := planOf(recipe.Change{Until: until, Diff: &recipe.FileDiff{Path: "/etc/x", After: []byte(content)}})
	plan.Items[0].Change.Kind = recipe.Becomes
	return plan
}

func TestDigest(t *testing.T) {
	secrets := []string{"hunter2-hunter2"}
	of := func(plan engine.Plan) string {
		t.Helper()
		sum, err := digest([]byte("salt"), plan, secrets)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	write := func(content string, secret bool) recipe.Step {
		return recipe.WriteFile{Path: "/etc/x", Content: []byte(content), Secret: secret, Attributes: recipe.Attributes{Mode: 0o600}}
	}
	diff := func(before, after string, secret bool) engine.Plan {
		return planOf(recipe.Change{Diff: &recipe.FileDiff{Path: "/etc/x", Exists: true, Before: []byte(before), After: []byte(after), Secret: secret}})
	}
	rehearse := func(step recipe.Step) recipe.Step {
		return recipe.Rehearse{Unit: "x.service", Steps: []recipe.Step{step}}
	}
	for _, c := range []struct {
		name     string
		one, two engine.Plan
		same     bool
	}{
		{"the same", steps(write("a", false)), steps(write("a", false)), true},
		{"content", steps(write("a", false)), steps(write("b", false)), false},
		{"secret content", steps(write("a", true)), steps(write("b", true)), true},
		{"a secret in content", steps(write("a hunter2-hunter2", false)), steps(write("a [secret]", false)), true},
		{"no longer secret", steps(write("a", true)), steps(write("a", false)), false},
		{"mode", steps(write("a", false)), steps(recipe.WriteFile{Path: "/etc/x", Content: []byte("a")}), false},
		{"what is there now", diff("a", "c", false), diff("b", "c", false), false},
		{"what is there now, secret", diff("a", "c", true), diff("b", "d", true), true},
		{"kind of step", steps(recipe.Remove{Path: "/x"}), steps(recipe.MakeDirectory{Path: "/x"}), false},
		{"order", steps(recipe.Remove{Path: "/x"}, recipe.Remove{Path: "/y"}), steps(recipe.Remove{Path: "/y"}, recipe.Remove{Path: "/x"}), false},
		{"script", steps(recipe.Exec{Script: "a"}), steps(recipe.Exec{Script: "b"}), false},
		{"input of a script", steps(recipe.Exec{Input: recipe.NewSecret("a")}), steps(recipe.Exec{Input: recipe.NewSecret("b")}), true},
		{"age of the lists", steps(recipe.InstallPackages{Names: []string{"x"}, Update: true}), steps(recipe.InstallPackages{Names: []string{"x"}}), true},
		{"packages", steps(recipe.InstallPackages{Names: []string{"x"}}), steps(recipe.InstallPackages{Names: []string{"y"}}), false},
		{"rehearsed", steps(rehearse(write("a", false))), steps(rehearse(write("b", false))), false},
		{"rehearsed secret", steps(rehearse(write("a", true))), steps(rehearse(write("b", true))), true},
		{"what becomes", becoming("a", "p is installed"), becoming("a", "p is installed"), true},
		{"what becomes another", becoming("a", "p is installed"), becoming("b", "p is installed"), false},
		{"what becomes, after another step", becoming("a", "p is installed"), becoming("a", "q is installed"), false},
		{"deltas", planOf(recipe.Change{Deltas: []recipe.Delta{{Name: "mode", Before: "1", After: "2"}}}), planOf(recipe.Change{Deltas: []recipe.Delta{{Name: "mode", Before: "0", After: "2"}}}), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := of(c.one) == of(c.two); got != c.same {
				t.Errorf("the same: %v, want %v", got, c.same)
			}
		})
	}
	other, err := digest([]byte("other"), steps(write("a", false)), secrets)
	if err != nil || other == of(steps(write("a", false))) {
		t.Errorf("another salt, the same digest (%v)", err)
	}
	if content := steps(write("hunter2-hunter2", true)); string(content.Items[0].Change.Steps[0].(recipe.WriteFile).Content) != "hunter2-hunter2" {
		t.Error("the plan itself was changed")
	}
}

func TestSavedPlanHoldsNoSecret(t *testing.T) {
	f := &flags{}
	f.selection.extra = []string{"graphite.password=@password"}
	e := errand{typed: []string{"root@a"}, secrets: []string{"hunter2-hunter2"}, work: []run.Work{{Target: run.Target{Name: "a"}}}}
	plan := planOf(recipe.Change{
		Summary: "with hunter2-hunter2",
		Diff:    &recipe.FileDiff{Path: "/etc/x", After: []byte("password hunter2-hunter2\n")},
		Steps:   []recipe.Step{recipe.WriteFile{Path: "/etc/x", Content: []byte("hunter2-hunter2")}},
	})
	saved, err := f.savePlan(e, []string{"graphite"}, map[string]engine.Plan{"a": plan}, []run.Result{{Host: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.plan")
	if err := saved.write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), "hunter2") || !strings.Contains(string(data), "[secret]") {
		t.Errorf("%v:\n%s", err, data)
	}
	back, err := readPlan(path)
	if err != nil || back.Hosts[0].Digest != saved.Hosts[0].Digest || back.Extra[0] != f.selection.extra[0] {
		t.Errorf("%v: read back %+v", err, back)
	}
}

// A host that waits for others is planned after them, whatever that plan is; at any other time a plan is
// the one that was saved.
func TestSavedPlanOfAHostThatWaits(t *testing.T) {
	for _, c := range []struct {
		name   string
		saved  savedHost
		digest string
		late   bool
		agreed bool
	}{
		{"the same", savedHost{Digest: "a"}, "a", false, true},
		{"another", savedHost{Digest: "a"}, "b", false, false},
		{"it waited, and was not to", savedHost{Digest: "a"}, "a", true, false},
		{"it waits, as was saved", savedHost{After: []string{"ca1"}}, "b", true, true},
		{"it was to wait, and could be planned at once", savedHost{After: []string{"ca1"}}, "b", false, false},
		{"it goes without, as was saved", savedHost{Digest: "a", After: []string{"ca1"}}, "a", false, true},
		{"it goes without, and makes other changes", savedHost{Digest: "a", After: []string{"ca1"}}, "b", false, false},
		{"and is planned again", savedHost{Digest: "a", After: []string{"ca1"}}, "b", true, true},
	} {
		if got := c.saved.agreed(c.digest, c.late); got != c.agreed {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// What is shown of a host is what is agreed to: another plan, or none, is one that somebody has put there.
func TestSavedPlanShowsWhatIsDone(t *testing.T) {
	plan := planOf(recipe.Change{Diff: &recipe.FileDiff{Path: "/etc/x", After: []byte("hunter2-hunter2\n")}})
	plan.Items[0].Item.At = recipe.Position{File: "tasks/x.star", Line: 7}
	other, moved := planOf(recipe.Change{Diff: &recipe.FileDiff{Path: "/etc/x", After: []byte("harmless\n")}}), plan
	moved.Items = []engine.Planned{plan.Items[0], {Item: recipe.Item{Resource: resource.Directory{Path: "/y"}}}}
	moved.Items[0].Item.At.Line = 8
	secrets := []string{"hunter2-hunter2"}
	saved := savedPlan{Plans: []json.RawMessage{report.PlanRecord(plan, secrets)}}
	for _, c := range []struct {
		name  string
		host  savedHost
		plan  engine.Plan
		shows bool
	}{
		{"the same", savedHost{Plan: 1}, plan, true},
		{"from another line, beside what is the same", savedHost{Plan: 1}, moved, true},
		{"another", savedHost{Plan: 1}, other, false},
		{"none", savedHost{}, plan, false},
	} {
		if got := saved.shows(c.host, c.plan, secrets); got != c.shows {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
