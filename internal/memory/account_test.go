package memory_test

import (
	"strings"
	"testing"

	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// remembers returns the memory that a plan of a task notes at its end.
func remembers(t *testing.T, host memory.Host, resources ...recipe.Resource) (memory.Memory, recipe.Recipe, string) {
	t.Helper()
	wanted := recipe.Recipe{}
	for _, r := range resources {
		wanted.Items = append(wanted.Items, recipe.Item{Resource: r, Task: "x"})
	}
	planned, told, err := host.Plan(wanted, []memory.Wants{memory.Of("x", wanted)})
	if err != nil {
		t.Fatal(err)
	}
	last := len(planned.Items) - 1
	note := planned.Items[last].Resource.(memory.Note)
	noted, err := memory.Parse(note.Task, note.Text)
	if err != nil {
		t.Fatal(err)
	}
	planned.Items = planned.Items[:last]
	return noted, planned, strings.Join(told, "\n")
}

// remembered is a host that has noted a task.
func remembered(m memory.Memory, effects []recipe.Effect) memory.Host {
	found := facts(effects)
	head, _, _ := strings.Cut(m.Text(), "\n")
	found[recipe.MemoryKey("x")] = recipe.Fact{Value: recipe.Memory{Head: head}}
	return memory.Host{Memories: map[string]memory.Memory{"x": m}, Facts: found}
}

// A group that a task gave a user leaves with it, and one that the user was in stays.
func TestGroupsOfAUserLeave(t *testing.T) {
	in := append(member("u"), account...)
	out := append(member(), account...)
	gave := resource.User{Name: "u", Groups: []string{"g"}}
	for _, test := range []struct {
		name    string
		before  []recipe.Effect
		then    []recipe.Resource
		removal string
		told    string
	}{
		{"the task no longer gives it", out, []recipe.Resource{resource.User{Name: "u"}}, "gpasswd --delete u g", ""},
		{"the task is removed", out, nil, "gpasswd --delete u g", "user u as it is now"},
		{"the user was in it", in, nil, "", "user u as it is now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			noted, _, _ := remembers(t, memory.Host{Facts: facts(test.before)}, gave)
			_, planned, told := remembers(t, remembered(noted, in), test.then...)
			if got := removes(t, planned, in); got != test.removal || !strings.Contains(told, test.told) {
				t.Errorf("removes %q, told %q; want %q, %q", got, told, test.removal, test.told)
			}
		})
	}
}

// Of a memory that noted no groups of a user it is not known who gave those that are found.
func TestGroupsThatNoMemoryHas(t *testing.T) {
	in := append(member("u"), account...)
	noted, _, _ := remembers(t, memory.Host{Facts: facts(nil)}, resource.User{Name: "u"})
	noted, _, _ = remembers(t, remembered(noted, in), resource.User{Name: "u", Groups: []string{"g"}})
	_, planned, told := remembers(t, remembered(noted, in))
	if got := removes(t, planned, in); got != "" || !strings.Contains(told, "u in the group g (it is not known") {
		t.Errorf("removes %q, told %q", got, told)
	}
}

// removes are the titles of what the resources of a plan change that is not of a user's own.
func removes(t *testing.T, planned recipe.Recipe, now []recipe.Effect) string {
	t.Helper()
	var titles []string
	for _, item := range planned.Items {
		if _, user := item.Resource.(resource.User); !user {
			titles = append(titles, settles(t, item.Resource, facts(now))...)
		}
	}
	return strings.Join(titles, "; ")
}
