package recipe_test

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// daemon acts, and answers for its unit.
type daemon struct{ thing }

func (d daemon) ID() string { return "daemon:" + d.Name }
func (d daemon) Acts() bool { return true }
func (d daemon) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.PendingKey(d.Name)}}
}

// program notifies a unit by its own steps.
type program struct{ thing }

func (p program) Restarted() []string { return []string{p.Want} }

// tasks reads recipes: a task's name and its items, a capital letter for one that acts; a>S
// notifies S, and a+S does so by its own steps.
func tasks(texts ...string) []recipe.Recipe {
	var all []recipe.Recipe
	for _, text := range texts {
		name, items, _ := strings.Cut(text, ": ")
		var r recipe.Recipe
		for _, item := range strings.Fields(items) {
			it, unit, notifies := strings.Cut(item, ">")
			own, restarted, restarts := strings.Cut(item, "+")
			switch {
			case notifies:
				r.Add(thing{Name: it}, recipe.Notification{Unit: unit, Action: recipe.Reload})
			case restarts:
				r.Add(program{thing{Name: own, Want: restarted}})
			case strings.HasPrefix(item, "/"):
				r.Add(at{thing{Name: item}})
			case item != strings.ToLower(item):
				r.Add(daemon{thing{Name: item}})
			default:
				r.Add(thing{Name: item})
			}
		}
		r.Label(name)
		all = append(all, r)
	}
	return all
}

func names(r recipe.Recipe) string {
	var all []string
	for _, item := range r.Items {
		_, name, _ := strings.Cut(item.Resource.ID(), ":")
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestJoinOrders(t *testing.T) {
	for _, test := range []struct {
		name  string
		tasks []string
		want  string
	}{
		{"nothing", nil, ""},
		{"one", []string{"x: a b A c"}, "a b A c"},
		{"two apart", []string{"x: a", "y: b"}, "a b"},
		{"the same is one", []string{"x: a b", "y: a c"}, "a b c"},
		{"what a task has before something shared stays there", []string{"x: a b", "y: c b d"}, "a c b d"},
		{"two that contradict each other in what does not act: the first has it", []string{"x: a b", "y: b a"}, "a b"},
		{"a service follows what it reads in any task", []string{"x: a S b", "y: c S"}, "a c S b"},
		{"and what followed it in its own task stays behind it", []string{"x: S CREATE", "y: conf>S S DROP"}, "conf S CREATE DROP"},
		{"in three", []string{"x: S", "y: a S", "z: b S c"}, "a b S c"},
		{"two services, shared", []string{"x: a S b T", "y: c S d T e"}, "a c S b d T e"},
		{"its notifier of a task that has not the service itself", []string{"x: S a", "y: b>S"}, "b S a"},
		{"also one that notifies by its own steps", []string{"x: S a", "y: b+S"}, "b S a"},
		{"alone it stays", []string{"x: S a"}, "S a"},
		{"twice in one task it is the last, what does not act the first", []string{"x: a S b S a c"}, "a b S c"},
		{"a command does not move before what its task has before it", []string{"x: p q", "y: q CHECK p"}, "q CHECK p"},
		{"what is in a directory stands behind it, whatever else tasks contradict each other in", []string{"x: /p /p/x f S", "y: f T /p"}, "f T /p /p/x S"},
		{"unless its task has it before, as what goes", []string{"x: /p/x /p", "y: /p"}, "/p/x /p"},
		{"much is in the order in which it came", []string{"x: a b c d e", "y: f g h"}, "a b c d e f g h"},
	} {
		joined, err := recipe.Join(tasks(test.tasks...)...)
		if err != nil || names(joined) != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, names(joined), err, test.want)
		}
	}
}

func TestJoinRefusesWhatNoOrderServes(t *testing.T) {
	for _, test := range []struct {
		name  string
		tasks []string
		want  string
	}{
		{"a notifier behind its service", []string{"x: S a>S"}, "x has daemon:S before thing:a, x's thing:a notifies daemon:S"},
		{"that another task has before it", []string{"x: S a", "y: a>S S"}, "x has daemon:S before thing:a, y has thing:a before daemon:S"},
		{"that another task brings", []string{"x: S b a", "y: c a>S"}, "x has daemon:S before thing:a, y's thing:a notifies daemon:S"},
		{"two services the other way round", []string{"x: S b T", "y: T S"}, "x has daemon:S before daemon:T, y has daemon:T before daemon:S"},
		{"three tasks in a circle", []string{"x: S T", "y: T U", "z: U S"}, "x has daemon:S before daemon:T, y has daemon:T before daemon:U, z has daemon:U before daemon:S"},
	} {
		_, err := recipe.Join(tasks(test.tasks...)...)
		if want := "no order serves all tasks: " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %q", test.name, err, want)
		}
	}
}

// at is a thing at a path: its Name.
type at struct{ thing }

func (a at) ID() string    { return "at:" + a.Name + a.Want }
func (a at) Place() string { return a.Name }

// stood is another kind of thing at a path.
type stood struct{ at }

func (s stood) ID() string { return "stood:" + s.Name }

func TestJoinRefusesDifferentWants(t *testing.T) {
	file, part := at{thing{Name: "/a"}}, at{thing{Name: "/a", Want: "1"}}
	for _, test := range []struct {
		recipes []recipe.Recipe
		want    string
	}{
		{[]recipe.Recipe{of("graphite", thing{Name: "a", Want: "1"}), of("gimel", thing{Name: "a", Want: "2"})}, "thing:a: graphite and gimel want it different"},
		{[]recipe.Recipe{of("x", thing{Name: "a", Want: "1"}, thing{Name: "a", Want: "2"})}, "thing:a: x wants it twice, different"},
		{[]recipe.Recipe{of("x", file), of("y", stood{file})}, "/a: x and y want it as at:/a and as stood:/a"},
		{[]recipe.Recipe{of("x", stood{file}, part)}, "/a: x wants it twice, as stood:/a and as at:/a1"},
		{[]recipe.Recipe{of("x", file, part), of("y", part, at{thing{Name: "/b"}})}, ""}, // parts of one, as the lines of a file
	} {
		_, err := recipe.Join(test.recipes...)
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

func TestJoinKeepsTheStrongerNotification(t *testing.T) {
	reload := recipe.Notification{Unit: "a", Action: recipe.Reload}
	restart := recipe.Notification{Unit: "a", Action: recipe.Restart}
	other := recipe.Notification{Unit: "b", Action: recipe.Reload}
	for _, test := range []struct{ first, second, want []recipe.Notification }{
		{nil, nil, nil},
		{[]recipe.Notification{reload}, []recipe.Notification{restart}, []recipe.Notification{restart}},
		{[]recipe.Notification{restart}, []recipe.Notification{reload}, []recipe.Notification{restart}},
		{[]recipe.Notification{reload}, []recipe.Notification{other}, []recipe.Notification{reload, other}},
	} {
		var first, second recipe.Recipe
		first.Add(thing{Name: "a"}, test.first...)
		second.Add(thing{Name: "a"}, test.second...)
		joined, err := recipe.Join(first, second)
		if err != nil || !slices.Equal(joined.Items[0].Notifies, test.want) {
			t.Errorf("%v and %v: %v, %v", test.first, test.second, joined, err)
		}
		if !slices.Equal(first.Items[0].Notifies, test.first) {
			t.Errorf("Join changed its argument: %v", first.Items[0].Notifies)
		}
	}
}
