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
