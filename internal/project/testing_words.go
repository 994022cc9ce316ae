package project

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// tester is what a test gets: t.
type tester struct{ of *building }

// String implements starlark.Value.
func (t *tester) String() string { return "t" }

// Type implements starlark.Value.
func (t *tester) Type() string { return "test" }

// Freeze implements starlark.Value.
func (t *tester) Freeze() {}

// Truth implements starlark.Value.
func (t *tester) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (t *tester) Hash() (uint32, error) { return 0, errors.New("unhashable: test") }

// testerName begins the names of the words of a test.
const testerName = "t."

// releaseName is the attribute of t that is no word.
const releaseName = "release"

// AttrNames implements starlark.HasAttrs.
func (t *tester) AttrNames() []string {
	names := []string{releaseName}
	for _, word := range testWords() {
		names = append(names, strings.TrimPrefix(word.Name, testerName))
	}
	slices.Sort(names)
	return names
}

// Attr implements starlark.HasAttrs.
func (t *tester) Attr(name string) (starlark.Value, error) {
	if name == releaseName {
		t.of.trial.anyRelease = true
		return starlark.MakeInt(t.of.trial.platform.Release), nil
	}
	for _, word := range testWords() {
		if word.Name == testerName+name {
			return starlark.NewBuiltin(word.Name, t.of.project.say(word)), nil
		}
	}
	return nil, unknownAttribute("t", name, t.AttrNames(), "a test has no such word", "it has "+strings.Join(t.AttrNames(), ", "))
}

// had is what a modelled host has before a test.
type had struct {
	plan  *plan
	items recipe.Recipe
}

// hostArguments say which host a task is for, and with what.
func hostArguments() []Parameter {
	return []Parameter{
		byName(textDict("vars", "The task's variables, as hosts.yaml would set them: {\"domain\": \"shop.example.org\"}; those of a task that it needs as \"nginx.tls\".")),
		byName(textDict("host", "What is known of the host: {\"release\": 12, \"cpus\": 4, \"groups\": [\"web\"]}. Without a release the test runs on a host of each, one after the other.")),
		peersArgument(),
		byName(text("instance", "Which of several of the task it is, as blue of shop@blue: v.instance.")),
		byName(Parameter{
			Name: "has", Type: "list of resources, or a plan", Default: "a bare host",
			Help: "What is there already: resources, as build returns them; or a plan, and the host is as that has left it.",
			read: func(c *call, v starlark.Value) (any, error) { return c.had(v) },
		}),
	}
}

// textDict is a parameter that takes a dict whose keys are texts.
func textDict(name, help string) Parameter {
	return Parameter{Name: name, Type: "dict", Help: help, read: func(c *call, v starlark.Value) (any, error) {
		dict, ok := v.(*starlark.Dict)
		if !ok {
			return nil, fmt.Errorf("want a dict, found %s", c.found(v))
		}
		for _, key := range dict.Keys() {
			if _, ok := key.(starlark.String); !ok {
				return nil, fmt.Errorf("want a dict whose keys are texts, found %s in it", c.found(key))
			}
		}
		return dict.Items(), nil
	}}
}

// had reads what a host has.
func (c *call) had(v starlark.Value) (had, error) {
	if p, ok := v.(*plan); ok {
		return had{plan: p}, nil
	}
	var h had
	list, ok := v.(starlark.Iterable)
	if _, dict := v.(*starlark.Dict); !ok || dict {
		return h, plain(fmt.Sprintf("want a list of resources or a plan, found %s", c.found(v)), `[package("nginx-light")], or t.plan()`)
	}
	for one := range starlark.Elements(list) {
		t, ok := one.(*thing)
		if !ok || t.word.Group != Resources {
			return h, plain(fmt.Sprintf("want resources, found %s in it", c.found(one)), `[package("nginx-light"), file("/etc/motd", "Hello\n")]`)
		}
		h.items.Items = append(h.items.Items, t.items...)
	}
	return h, nil
}

// looked is a parameter that takes any value, None too.
func looked(name, kind, help string) Parameter {
	p := required(anyValue(name, kind, help))
	p.None = true
	return p
}

// testWords are what t has.
func testWords() []*Word {
	word := func(w Word, returns func(*call) (starlark.Value, error)) *Word {
		w.Name, w.Group, w.returns = testerName+w.Name, Tests, returns
		return &w
	}
	return []*Word{
		word(Word{
			Name:       "plan",
			About:      "The plan of the task on a host that is modelled: what a run would change there. The host is bare, but for what has says and for what every Debian has, as the group sudo; its release is 12 in the test's first run, and 13 in its second.",
			Example:    "p = t.plan(vars = {\"domain\": \"shop.example.org\"}, host = {\"cpus\": 4})\nt.contains(p.steps, \"restart shop.service\")",
			Parameters: hostArguments(),
		}, (*call).testPlan),
		word(Word{
			Name:       "converged",
			About:      "Applies the task's plan on the model: then a second plan has to be empty. It fails at the line of what would change again, and returns the plan that it applied.",
			Example:    "t.converged(vars = {\"workers\": 4})",
			Parameters: hostArguments(),
		}, (*call).testConverged),
		word(Word{
			Name:       "fails",
			About:      "The task has to be refused: a value that is out of bounds, a fail(…) in build.",
			Example:    "t.fails(\"must be between 1 and 64\", vars = {\"workers\": 65})",
			Parameters: append([]Parameter{required(text("contains", "Is in what is told."))}, hostArguments()...),
		}, (*call).testFails),
		word(Word{
			Name:    "golden",
			About:   "Compares with a file in testdata/ beside the test; provision test --update writes it. Of a plan it has the task's own changes, with every diff; [secret] stands for a secret.",
			Example: "t.golden(\"bare-%d.golden\" % t.release, t.plan())",
			Parameters: []Parameter{
				required(text("name", "The file's name.")),
				looked("value", "a plan, a change or a text", "What has to be in it."),
			},
		}, (*call).testGolden),
		word(Word{
			Name:       "equal",
			About:      "Two values have to be the same.",
			Example:    "t.equal(t.plan()[\"file:/etc/shop/env\"].notifies, [\"restart shop.service\"])",
			Parameters: []Parameter{looked("got", "any", "What is found."), looked("want", "any", "What is wanted.")},
		}, (*call).testEqual),
		word(Word{
			Name:       "contains",
			About:      "A text has to have a part, a list an element, a plan a key, a dict a key.",
			Example:    "t.contains(t.plan()[\"file:/etc/shop/env\"].content, \"WORKERS=2\")",
			Parameters: []Parameter{looked("all", "any", "A text, a list, a plan, a dict."), looked("part", "any", "What has to be in it.")},
		}, func(c *call) (starlark.Value, error) { return c.testIn(true) }),
		word(Word{
			Name:       "lacks",
			About:      "A text must not have a part, nor a list an element, a plan a key, a dict a key.",
			Example:    "t.lacks(t.plan(host = {\"release\": 13}), \"package:php8.2-fpm\")",
			Parameters: []Parameter{looked("all", "any", "A text, a list, a plan, a dict."), looked("part", "any", "What must not be in it.")},
		}, func(c *call) (starlark.Value, error) { return c.testIn(false) }),
	}
}

// testingWords documents a test.
func testingWords() []*Word {
	return append(testWords(),
		valued[int]{{releaseName, "number", "The release of hosts that do not say theirs: 12, then 13.", nil}}.word("t",
			"What a test gets: def test_NAME(t), in tasks/NAME/task_test.star, or in tasks/NAME_test.star beside a task that is one file. It runs without a host.",
			"t.golden(\"bare-%d.golden\" % t.release, t.plan())"),
		planParts.word("plan", "What t.plan returns: what a run would change. plan[\"file:/etc/motd\"] is one thing of it, whether that changes or not, and \"file:/etc/motd\" in plan asks for one.", "t.equal([c.key for c in t.plan().changes], [\"file:/etc/motd\"])"),
		changeParts.word("change", "One thing of a plan.", "t.equal(t.plan()[\"file:/etc/motd\"].kind, \"create\")"),
	)
}

func (c *call) testPlan() (starlark.Value, error) {
	m, err := c.modelledHost()
	if err != nil {
		return nil, err
	}
	p, err := m.planned(c.trial)
	if err != nil {
		return nil, c.refusedOf(err)
	}
	return p, nil
}

func (c *call) testConverged() (starlark.Value, error) {
	value, err := c.testPlan()
	if err != nil {
		return nil, err
	}
	p := value.(*plan)
	host := p.before.Clone()
	if _, err := host.Converge(p.wanted); err != nil {
		return nil, c.refusedOf(c.unconverged(p, err))
	}
	// And once more by what the host remembers.
	again, err := host.Whole(p.tasks...)
	if err != nil {
		return nil, c.refusedOf(err)
	}
	left, err := host.Plan(again)
	if err != nil {
		return nil, c.refusedOf(err)
	}
	if !left.Empty() {
		return nil, c.refusedOf(c.again(p, left))
	}
	return p, nil
}

// unconverged is the error of a plan that could not be applied, or left something.
func (c *call) unconverged(p *plan, err error) error {
	var step *engine.StepError
	if errors.As(err, &step) || !errors.Is(err, engine.ErrNotConverged) {
		return err
	}
	host := p.before.Clone()
	_, _ = host.Converge(p.wanted) // it ended so before
	left, planning := host.Plan(p.wanted)
	if planning != nil || left.Empty() {
		return err
	}
	return c.again(p, left)
}

// again is the error of what a second run would change, at the place of the first of it.
func (c *call) again(p *plan, left engine.Plan) error {
	var others []string
	var first *change
	for _, planned := range left.Changes() {
		one := &change{planned, p}
		if first == nil {
			first = one
			continue
		}
		others = append(others, planned.Item.Where())
	}
	problem := first.Item.Resource.ID() + " would change again in a second run"
	if says := first.says(); says != "" {
		problem += ": " + says
	}
	if len(others) > 0 {
		problem += "; and so would " + strings.Join(others, ", ")
	}
	return &recipe.SourceError{At: first.Item.At, Problem: problem, Advice: "two things of the task want it different, or what it wants is never so", Cause: &Difference{first.diff()}}
}

func (c *call) testFails() (starlark.Value, error) {
	m, err := c.modelledHost()
	if err != nil {
		return nil, err
	}
	wanted := given[string](c, "contains")
	p, err := m.planned(c.trial)
	if err == nil {
		return nil, &advised{c.word.Name + ": the task is not refused", "what is told has to contain " + fmt.Sprintf("%q", wanted), &Difference{p.String()}}
	}
	told := err.Error()
	if !strings.Contains(told, wanted) {
		return nil, plain(fmt.Sprintf("%s: what is told has no %q in it: %s", c.word.Name, wanted, told), "")
	}
	return starlark.String(c.trial.masked(told)), nil
}

func (c *call) testEqual() (starlark.Value, error) {
	got, want := given[starlark.Value](c, "got"), given[starlark.Value](c, "want")
	if c.holds(got, 3) || c.holds(want, 3) {
		return nil, errCompared
	}
	same, err := starlark.Equal(got, want)
	if err != nil || same {
		return starlark.None, err
	}
	one, other, advice := c.lines(got), c.lines(want), c.trial.aboutMarks(c.lines(want))
	if !strings.Contains(strings.TrimSuffix(one, "\n"), "\n") && !strings.Contains(strings.TrimSuffix(other, "\n"), "\n") {
		return nil, plain(fmt.Sprintf("%s: got %s, want %s", c.word.Name, c.shownValue(got), c.shownValue(want)), advice)
	}
	return nil, &advised{c.word.Name + ": what is found (+) is not what is wanted (-)", advice, &Difference{difference(other, one)}}
}

// aboutMarks is a hint for who wants a secret where a mark stands for it.
func (t *trial) aboutMarks(wanted string) string {
	if t.masked(wanted) == wanted {
		return ""
	}
	return "in what a plan has, " + secretMark + " stands for a secret"
}

// lines is a value for a diff: an element of a list a line.
func (c *call) lines(value starlark.Value) string {
	switch value := value.(type) {
	case starlark.String:
		return string(value)
	case starlark.Indexable:
		var s strings.Builder
		for i := range value.Len() {
			s.WriteString(c.shownValue(value.Index(i)) + "\n")
		}
		return s.String()
	case *plan, *change:
		return value.String()
	}
	return c.shownValue(value)
}

func (c *call) shownValue(value starlark.Value) string {
	text, isText := starlark.AsString(value)
	switch _, isChange := value.(*change); {
	case isText:
		return fmt.Sprintf("%q", c.project.masked(text))
	case isChange:
		text, _, _ = strings.Cut(value.String(), "\n")
		return text
	}
	if value == starlark.None {
		return "None"
	}
	return c.project.shownText(value)
}

func (c *call) testIn(wanted bool) (starlark.Value, error) {
	all, part := given[starlark.Value](c, "all"), given[starlark.Value](c, "part")
	if c.holds(all, 3) || c.holds(part, 3) {
		return nil, errCompared
	}
	found, err := starlark.Binary(syntax.IN, part, all)
	if err != nil {
		return nil, plain(fmt.Sprintf("%s: %s cannot be in %s", c.word.Name, c.found(part), c.found(all)), c.signature())
	}
	if bool(found.Truth()) == wanted {
		return starlark.None, nil
	}
	problem, advice := "is not in it", ""
	if !wanted {
		problem = "is in it"
	} else if text, ok := starlark.AsString(part); ok {
		advice = cmp.Or(c.trial.aboutMarks(text), nearIn(all, text))
	}
	var shown strings.Builder
	for line := range strings.Lines(c.lines(all)) {
		shown.WriteString(" " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return nil, &advised{fmt.Sprintf("%s: %s %s", c.word.Name, c.shownValue(part), problem), advice, &Difference{shown.String()}}
}

// nearIn says which text of a list or a plan is near another.
func nearIn(all starlark.Value, text string) string {
	var names []string
	switch all := all.(type) {
	case *plan:
		for _, c := range all.all() {
			names = append(names, c.Item.Resource.ID())
		}
	case starlark.Iterable:
		for one := range starlark.Elements(all) {
			if name, ok := starlark.AsString(one); ok {
				names = append(names, name)
			}
		}
	}
	if near := recipe.Nearest(text, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}
