package memory_test

import (
	"strings"
	"testing"

	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A line that was there before stays when another is wanted, beside it and not in its place: nothing
// takes it away, and the other has replaced nothing.
func TestALineOfOthersStaysBesideANewOne(t *testing.T) {
	for name, before := range map[string]*recipe.Before{"theirs": {Line: "alpha beta"}, "not known": nil} {
		old := resource.Line{Path: "/a", Line: "alpha beta", Key: "alpha "}.Trace()
		old.Before = before
		noted := memory.Memory{Head: memory.Head{Task: "x"}, Traces: []recipe.Trace{old}}
		head, _, _ := strings.Cut(noted.Text(), "\n")
		found := facts(append(lines("alpha beta\n"), known(recipe.MemoryKey("x"), recipe.Memory{Head: head})))
		var wanted recipe.Recipe
		wanted.Add(resource.Line{Path: "/a", Line: "alpha gamma"})
		host := memory.Host{Memories: map[string]memory.Memory{"x": noted}, Facts: found}
		joined, told, err := host.Plan(wanted, []memory.Wants{memory.Of("x", wanted)})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range joined.Items {
			switch thing := item.Resource.(type) {
			case resource.FormerLine:
				t.Errorf("%s: %q is to go", name, thing.Line.Line)
			case memory.Note:
				now, err := memory.Parse(thing.Task, thing.Text)
				if err != nil || len(now.Traces) != 1 || now.Traces[0].Before == nil || !now.Traces[0].Before.Nothing {
					t.Errorf("%s: noted is %s, %v", name, thing.Text, err)
				}
			}
		}
		if len(told) != 1 || !strings.Contains(told[0], "line alpha beta of /a stays") {
			t.Errorf("%s: told %q", name, told)
		}
	}
}

// What would go with all that is in it stays also for a task of which nothing is noted, and only for
// what that wants there.
func TestATreeStaysForWhatTheInventoryWantsInIt(t *testing.T) {
	for _, row := range []struct {
		other recipe.Resource
		stays bool
	}{
		{resource.File{Path: "/d/e/b.conf"}, true},
		{resource.Certificate{Path: "/etc/b.pem", Key: "/d/b.key"}, true},
		{resource.File{Path: "/d/b.conf", Absent: true}, false},
		{resource.File{Path: "/d.conf"}, false},
		{resource.Directory{Path: "/"}, false},
	} {
		for _, old := range []recipe.Remembered{resource.Tree{Path: "/d"}, resource.Directory{Path: "/d", Data: true}} {
			trace := old.Trace()
			trace.Before = &recipe.Before{Nothing: true}
			noted := memory.Memory{Head: memory.Head{Task: "a"}, Traces: []recipe.Trace{trace}}
			head, _, _ := strings.Cut(noted.Text(), "\n")
			var others recipe.Recipe
			others.Add(row.other)
			host := memory.Host{
				Memories: map[string]memory.Memory{"a": noted}, Others: []memory.Wants{memory.Of("b", others)}, Purge: true,
				Facts: facts([]recipe.Effect{known(recipe.MemoryKey("a"), recipe.Memory{Head: head})}),
			}
			joined, told, err := host.Plan(recipe.Recipe{}, []memory.Wants{{Task: "a"}})
			if err != nil {
				t.Fatal(err)
			}
			goes := false
			for _, item := range joined.Items {
				directory, ok := item.Resource.(resource.Directory)
				goes = goes || ok && directory.Path == "/d"
			}
			if said := strings.Contains(strings.Join(told, "\n"), "a: "+trace.Kind+" /d stays: b wants "); goes == row.stays || said != row.stays {
				t.Errorf("%s for %s: goes %v, told %q", trace.Kind, row.other.ID(), goes, told)
			}
		}
	}
}
