package project

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"
	"go.starlark.net/starlark"

	"provision/internal/engine"
	"provision/internal/memory"
	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// plan is what a run of a task would change on a modelled host, as a value of a test.
type plan struct {
	engine.Plan
	trial  *trial
	own    string       // the task that is tested
	tasks  []model.Task // of the run
	wanted recipe.Recipe
	checks []recipe.Check
	before *model.Host
}

// attribute is something that a value says of itself: documentation as much as code.
type attribute[T any] struct {
	name, kind, about string
	value             func(T) starlark.Value
}

// valued is a value with attributes.
type valued[T any] []attribute[T]

func (a valued[T]) names() []string {
	var names []string
	for _, one := range a {
		names = append(names, one.name)
	}
	return names
}

// attr is the attribute of a value that is called what.
func (a valued[T]) attr(what, name string, of T) (starlark.Value, error) {
	for _, one := range a {
		if one.name == name {
			return one.value(of), nil
		}
	}
	return nil, unknownAttribute(what, name, a.names(), "it has no such part", "it has "+strings.Join(a.names(), ", "))
}

// word documents a value with attributes.
func (a valued[T]) word(name, about, example string) *Word {
	w := &Word{Name: name, Group: Tests, About: about, Example: example, value: true}
	for _, one := range a {
		w.Parameters = append(w.Parameters, Parameter{Name: one.name, Type: one.kind, Help: one.about})
	}
	return w
}

var planParts = valued[*plan]{
	{"changes", "list of changes", "What changes, in order; of what the task needs too.", func(p *plan) starlark.Value {
		var all []starlark.Value
		for _, c := range p.all() {
			if !c.Change.Empty() {
				all = append(all, c)
			}
		}
		return starlark.NewList(all)
	}},
	{"steps", "list of texts", "What is done for them, in order: \"write /etc/motd\", \"restart shop.service\".", func(p *plan) starlark.Value {
		var all []string
		for _, c := range p.all() {
			all = append(all, c.steps()...)
		}
		return listOf(all)
	}},
	{"checks", "list of texts", "The names of the checks of the task's verify.", func(p *plan) starlark.Value {
		var all []string
		for _, check := range p.checks {
			all = append(all, check.Name)
		}
		return listOf(all)
	}},
}

// all are the changes, and what stays the same; what the host remembers is no business of a test.
func (p *plan) all() []*change {
	var all []*change
	for _, planned := range p.Items {
		switch planned.Item.Resource.(type) {
		case memory.Note, resource.KeptMemory:
		default:
			all = append(all, &change{planned, p})
		}
	}
	return all
}

// String is the plan as a golden file has it: of the task's own.
func (p *plan) String() string {
	var s strings.Builder
	needs := ""
	for _, c := range p.all() {
		switch {
		case c.Change.Empty():
		case c.Item.Task == p.own || c.Item.Task == "":
			s.WriteString(c.String())
		case !strings.Contains(needs, c.Item.Task):
			needs += "and what " + c.Item.Task + " brings\n"
		}
	}
	if s.Len()+len(needs) == 0 {
		return "nothing to change\n"
	}
	return s.String() + needs
}

// Type implements starlark.Value.
func (p *plan) Type() string { return "plan" }

// Freeze implements starlark.Value.
func (p *plan) Freeze() {}

// Truth is whether something changes.
func (p *plan) Truth() starlark.Bool { return starlark.Bool(!p.Empty()) }

// Hash implements starlark.Value.
func (p *plan) Hash() (uint32, error) { return 0, errors.New("unhashable: plan") }

// AttrNames implements starlark.HasAttrs.
func (p *plan) AttrNames() []string { return planParts.names() }

// Attr implements starlark.HasAttrs.
func (p *plan) Attr(name string) (starlark.Value, error) { return planParts.attr("plan", name, p) }

// Get implements starlark.Mapping: plan["file:/etc/motd"], whether that changes or not.
func (p *plan) Get(key starlark.Value) (starlark.Value, bool, error) {
	text, ok := starlark.AsString(key)
	if !ok {
		return nil, false, plain(fmt.Sprintf("plan[…]: want a text, found %s", key.Type()), `plan["file:/etc/motd"]`)
	}
	var keys []string
	for _, c := range p.all() {
		if key := c.Item.Resource.ID(); key == text {
			return c, true, nil
		} else {
			keys = append(keys, key)
		}
	}
	advice := "it has " + strings.Join(keys, ", ")
	if near := recipe.Nearest(text, keys); near != "" {
		advice = fmt.Sprintf("did you mean plan[%q]?", near)
	}
	return nil, false, plain(fmt.Sprintf("plan[%q]: is not in the plan", text), advice)
}

// change is one thing of a plan, as a value of a test.
type change struct {
	engine.Planned
	of *plan
}

// kind names the sort of the change in a test.
func (c *change) kind() string {
	switch c.Change.Kind {
	case recipe.NoChange:
		return "same"
	case recipe.Act:
		return "run"
	}
	return string(c.Change.Kind)
}

var changeParts = valued[*change]{
	{"key", "text", "What it is of: \"file:/etc/motd\", \"service:shop.service\".", func(c *change) starlark.Value { return starlark.String(c.Item.Resource.ID()) }},
	{"kind", "text", "create, update, delete, run, same; becomes, where what stands there is known only after an earlier step, and what will stand there now; or maybe: only the host can tell, then.", func(c *change) starlark.Value { return starlark.String(c.kind()) }},
	{"says", "text", "What differs, in a few words: \"0644 root:root\".", func(c *change) starlark.Value { return starlark.String(c.says()) }},
	{"content", "text", "What a file will hold; [secret] stands for a secret.", func(c *change) starlark.Value { return starlark.String(c.content()) }},
	{"diff", "text", "How a file's content differs, as diff -u has it, without its head.", func(c *change) starlark.Value { return starlark.String(c.diff()) }},
	{"steps", "list of texts", "What is done for it.", func(c *change) starlark.Value { return listOf(c.steps()) }},
	{"notifies", "list of texts", "What takes the change in: \"restart shop.service\".", func(c *change) starlark.Value { return listOf(c.notifies()) }},
	{"task", "text", "The task that wants it.", func(c *change) starlark.Value { return starlark.String(c.Item.Task) }},
	{"at", "text", "Where that says so: \"tasks/shop/task.star:14\".", func(c *change) starlark.Value { return starlark.String(c.Item.At.Short()) }},
}

func (c *change) says() string {
	var words []string
	if c.Change.Until != "" {
		words = append(words, "known after "+c.Change.Until)
	}
	if c.Change.Summary != "" {
		words = append(words, c.Change.Summary)
	}
	for _, delta := range c.Change.Deltas {
		words = append(words, strings.Replace(strings.TrimSuffix(fmt.Sprintf("%s %s → %s", delta.Name, delta.Before, delta.After), " → "), "  ", " ", 1))
	}
	return c.of.trial.masked(strings.Join(words, ", "))
}

// content is what a file has when its change is made.
func (c *change) content() string {
	diff := c.Change.Diff
	if diff == nil || c.Change.Kind == recipe.Delete {
		return ""
	}
	return c.shown(diff.After)
}

// shortestMasked is the least number of bytes of a secret that is masked where it stands: what is
// shorter stands in half of all words.
const shortestMasked = 4

// shown is a content as a test may see it.
func (c *change) shown(content []byte) string {
	if c.Change.Diff.Secret && slices.ContainsFunc(c.of.trial.secrets, func(s string) bool { return len(s) < shortestMasked }) {
		return secretMark + "\n"
	}
	if !utf8.Valid(content) {
		return fmt.Sprintf("[%d bytes that are no text]\n", len(content))
	}
	return c.of.trial.masked(string(content))
}

func (c *change) diff() string {
	if c.Change.Diff == nil {
		return ""
	}
	return difference(c.shown(c.Change.Diff.Before), c.content())
}

// difference is a unified diff without its head.
func difference(before, after string) string {
	diff := udiff.Unified("", "", before, after)
	for range 2 {
		_, diff, _ = strings.Cut(diff, "\n")
	}
	return diff
}

// steps are the titles of what is done, without what is noted on the way.
func (c *change) steps() []string {
	var all []string
	for _, step := range c.Change.Steps {
		switch step.(type) {
		case recipe.Remember, recipe.Notify, recipe.Clear, recipe.Watch:
		default:
			all = append(all, step.Title())
		}
	}
	return all
}

func (c *change) notifies() []string {
	var all []string
	for _, n := range c.Item.Notifies {
		all = append(all, string(n.Action)+" "+recipe.Notified(n.Unit))
	}
	return all
}

// String is the change as a golden file has it: a line, and what belongs to it below.
func (c *change) String() string {
	var s strings.Builder
	s.WriteString(c.kind() + " " + c.Item.Resource.ID())
	if says := c.says(); says != "" {
		s.WriteString("  " + says)
	}
	s.WriteString("\n")
	if notifies := c.notifies(); len(notifies) > 0 && !c.Change.Empty() {
		s.WriteString("    then: " + strings.Join(notifies, ", ") + "\n")
	}
	for _, step := range c.steps() {
		s.WriteString("    step: " + step + "\n")
	}
	lines := strings.Lines(c.diff())
	for line := range lines {
		if !strings.HasPrefix(line, "@@") || c.Change.Diff.Exists {
			s.WriteString("    | " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	return s.String()
}

// Type implements starlark.Value.
func (c *change) Type() string { return "change" }

// Freeze implements starlark.Value.
func (c *change) Freeze() {}

// Truth is whether something changes.
func (c *change) Truth() starlark.Bool { return starlark.Bool(!c.Change.Empty()) }

// Hash implements starlark.Value.
func (c *change) Hash() (uint32, error) { return 0, errors.New("unhashable: change") }

// AttrNames implements starlark.HasAttrs.
func (c *change) AttrNames() []string { return changeParts.names() }

// Attr implements starlark.HasAttrs.
func (c *change) Attr(name string) (starlark.Value, error) {
	return changeParts.attr("change", name, c)
}
