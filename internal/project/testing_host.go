package project

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/model"
	"provision/internal/recipe"
)

// modelled is a task on a host that is modelled.
type modelled struct {
	project  *Project
	task     recipe.Task
	raw      map[string]map[string]any // by task, as hosts.yaml would have it
	listed   recipe.Listed
	platform recipe.Platform
	in       recipe.Input      // but for what these say
	said     map[string]string // what the host says to questions, by their name
	host     *model.Host
}

// modelledHost reads the arguments that say which host a task is for, and with what. What it refuses
// is a mistake of the test.
func (c *call) modelledHost() (*modelled, error) {
	p, t := c.project, c.trial
	task, err := c.tested()
	if err != nil {
		return nil, err
	}
	m := &modelled{project: p, task: task, raw: map[string]map[string]any{}, said: map[string]string{}}
	m.listed, m.platform, m.in.Ask = recipe.Listed{Name: modelName, Address: modelAddress, Tasks: []string{m.task.Name}}, t.platform, m.ask
	if err := c.readVars(m); err != nil {
		return nil, err
	}
	if err := c.readHost(m); err != nil {
		return nil, err
	}
	if err := c.readPeers(m); err != nil {
		return nil, err
	}
	m.host = model.NewDebian(m.platform)
	if had := given[had](c, "has"); had.plan != nil {
		m.host = had.plan.before.Clone()
		m.host.Platform = m.platform
		if _, err := m.host.Install(had.plan.tasks...); err != nil {
			return nil, plain(c.word.Name+": has: a plan that cannot be applied: "+err.Error(), "")
		}
	} else if _, err := m.host.Converge(had.items); err != nil {
		return nil, plain(c.word.Name+": has: "+err.Error(), "")
	}
	return m, nil
}

// tested is the task of the test, or the instance of it that the test says.
func (c *call) tested() (recipe.Task, error) {
	at := slices.IndexFunc(c.project.tasks, func(task recipe.Task) bool { return task.Name == c.trial.test.Task })
	task := c.project.tasks[at]
	if !c.has("instance") {
		return task, nil
	}
	instance, _, problem, hint := recipe.Find(task.Name+"@"+given[string](c, "instance"), func(string) (recipe.Task, bool) { return task, true })
	if problem != "" {
		return task, plain(c.word.Name+": instance: "+problem, hint)
	}
	return instance, nil
}

// modelName is the name of a modelled host that says none.
const modelName = "host"

// readVars reads the variables: of the task itself, or as TASK.NAME of one that it needs.
func (c *call) readVars(m *modelled) error {
	plainly := plainer{building: c.building}
	for _, item := range given[[]starlark.Tuple](c, "vars") {
		name := string(item[0].(starlark.String))
		task, variable, dotted := strings.Cut(name, ".")
		if !dotted {
			task, variable = m.task.Name, name
		}
		v, err := m.variable(task, variable)
		if err != nil {
			return plain(c.word.Name+": vars: "+err.Error(), adviceOf(err))
		}
		value, err := plainly.value(item[1])
		if err != nil {
			return plain(c.word.Name+": vars: "+name+": "+err.Error(), adviceOf(err))
		}
		if text, ok := value.(string); ok && v.Type == recipe.TypeSecret {
			c.trial.hide(text)
		}
		if m.raw[task] == nil {
			m.raw[task] = map[string]any{}
		}
		m.raw[task][variable] = value
	}
	return nil
}

// variable is one that a run of the task reads.
func (m *modelled) variable(task, name string) (recipe.Variable, error) {
	var names []string
	for _, one := range m.reads() {
		for _, v := range one.Variables {
			if one.Name == task && v.Name == name {
				return v, nil
			}
			if one.Name == m.task.Name {
				names = append(names, v.Name)
			} else {
				names = append(names, one.Name+"."+v.Name)
			}
		}
	}
	typed := name
	if task != m.task.Name {
		typed = task + "." + name
	}
	slices.Sort(names)
	advice := "it reads " + strings.Join(names, ", ")
	if near := recipe.Nearest(typed, names); near != "" {
		advice = "did you mean " + near + "?"
	} else if len(names) == 0 {
		advice = "it has no variables"
	}
	return recipe.Variable{}, plain(fmt.Sprintf("%s: task %s reads no such variable", typed, m.task.Name), advice)
}

// reads are all tasks whose variables a run of the task reads.
func (m *modelled) reads() []recipe.Task {
	return m.project.closure(m.task, func(t recipe.Task) []string { return slices.Concat(t.Needs, t.Uses) })
}

// closure is a task behind all that it leads to.
func (p *Project) closure(task recipe.Task, next func(recipe.Task) []string) []recipe.Task {
	var all []recipe.Task
	seen := map[string]bool{}
	var walk func(recipe.Task)
	walk = func(one recipe.Task) {
		if seen[one.Name] {
			return
		}
		seen[one.Name] = true
		for _, name := range next(one) {
			for _, other := range slices.Concat(p.shipped, p.tasks) {
				if other.Name == name {
					walk(other)
				}
			}
		}
		all = append(all, one)
	}
	walk(task)
	return all
}

// modelledFacts say how a fact of a modelled host is given, by its name; kind is how it is said.
var modelledFacts = map[string]struct {
	kind string
	give func(*modelled, any)
}{
	"name":      {"a text", func(m *modelled, v any) { m.listed.Name = v.(string) }},
	"address":   {"a text", func(m *modelled, v any) { m.listed.Address = v.(string) }},
	"groups":    {"a list of texts", func(m *modelled, v any) { m.listed.Groups = v.([]string) }},
	"tasks":     {"a list of texts", func(m *modelled, v any) { m.listed.Tasks = v.([]string) }},
	"arch":      {"a text", func(m *modelled, v any) { m.platform.Arch = v.(string) }},
	"hostname":  {"a text", func(m *modelled, v any) { m.platform.Hostname = v.(string) }},
	"cpus":      {"a whole number", func(m *modelled, v any) { m.platform.CPUs = v.(int) }},
	"memory_mb": {"a whole number", func(m *modelled, v any) { m.platform.MemoryMB = v.(int) }},

	"addresses":      {"a list of texts", func(m *modelled, v any) { m.said[recipe.Addresses] = strings.Join(v.([]string), " ") }},
	"interface":      {"a text", func(m *modelled, v any) { m.said[recipe.Interface] = v.(string) }},
	"virtualization": {"a text", func(m *modelled, v any) { m.said[recipe.Virtualization] = v.(string) }},
	"boot_id":        {"a text", func(m *modelled, v any) { m.said[recipe.BootID] = v.(string) }},

	"facts": {"a dict of texts", func(m *modelled, v any) {
		for name, text := range v.(map[string]string) {
			m.said[questionName(m.task.Name, name)] = text
		}
	}},
}

// ask answers a question of the task as the host would: what the test says, or what is made up.
func (m *modelled) ask(question recipe.Probe, madeUp string) (recipe.Said, bool) {
	if text, given := m.said[question.Key.Name]; given {
		return recipe.Said{Text: text}, true
	}
	return recipe.Said{Text: madeUp}, true
}

// readHost reads what is known of the host.
func (c *call) readHost(m *modelled) error {
	released := false
	for _, item := range given[[]starlark.Tuple](c, "host") {
		name := string(item[0].(starlark.String))
		var err error
		switch fact, known := modelledFacts[name]; {
		case name == "release":
			released = true
			err = c.readRelease(m, item[1])
		case known:
			var value any
			if value, err = c.fact(fact.kind, item[1]); err == nil {
				fact.give(m, value)
			}
		default:
			names := append(slices.Sorted(maps.Keys(modelledFacts)), "release")
			advice := "a host is given " + strings.Join(names, ", ")
			if near := recipe.Nearest(name, names); near != "" {
				advice = "did you mean \"" + near + "\"?"
			} else if name == "codename" {
				advice = "the release says so: {\"release\": 12}"
			}
			err = plain("no such thing can be given", advice)
		}
		if err != nil {
			return plain(c.word.Name+": host: "+name+": "+err.Error(), cmp.Or(adviceOf(err), "provision list kind:host"))
		}
	}
	if !released {
		c.trial.anyRelease = true
	}
	return nil
}

// readRelease takes the platform of a release, and leaves what else was given.
func (c *call) readRelease(m *modelled, value starlark.Value) error {
	release, err := c.number(value)
	if err != nil {
		return err
	}
	for _, platform := range recipe.Platforms() {
		if platform.Release == release {
			m.platform.Release, m.platform.Codename = platform.Release, platform.Codename
			return nil
		}
	}
	return plain(fmt.Sprintf("there is no Debian %d here", release), "12 or 13; without one a test runs on both")
}

// fact is the value of a fact.
func (c *call) fact(kind string, value starlark.Value) (any, error) {
	switch kind {
	case "a whole number":
		return c.number(value)
	case "a list of texts":
		return c.texts(value)
	case "a dict of texts":
		all, err := named("facts", "").read(c, value)
		return all, err
	}
	return c.text(value)
}

// planned is what a run of the task changes on the host. What it refuses is refused of the task.
func (m *modelled) planned(t *trial) (*plan, error) {
	values, err := m.values()
	if err != nil {
		return nil, err
	}
	result := &plan{trial: t, before: m.host, own: m.task.Name}
	for _, task := range m.project.closure(m.task, func(t recipe.Task) []string { return t.Needs }) {
		in := m.in
		in.System, in.Host = m.platform.System, recipe.HostOf(m.listed, m.platform)
		in.Vars = values[task.Name]
		in.Of = func(name string) recipe.Values { return values[name] }
		built, err := task.Build(in)
		if err != nil {
			return nil, err
		}
		built.Label(task.Name)
		result.tasks = append(result.tasks, model.Task{Name: task.Name, Recipe: built})
		if task.Verify == nil {
			continue
		}
		in.Address = modelAddress
		checks, err := task.Verify(in)
		if err != nil {
			return nil, err
		}
		if task.Name == m.task.Name {
			result.checks = checks
		}
	}
	whole, err := m.host.Whole(result.tasks...)
	if err == nil {
		result.wanted = whole
		result.Plan, err = m.host.Plan(whole)
	}
	return result, err
}

// modelAddress is where a modelled host is, which nobody is (RFC 5737).
const modelAddress = "192.0.2.1"

// values are those of all tasks that a run reads, decoded as hosts.yaml's are.
func (m *modelled) values() (map[string]recipe.Values, error) {
	all := map[string]recipe.Values{}
	for _, task := range m.reads() {
		values := recipe.Values{}
		for _, v := range task.Variables {
			name := v.Name
			if task.Name != m.task.Name {
				name = task.Name + "." + name
			}
			raw, set := m.raw[task.Name][v.Name]
			switch {
			case set && raw != nil:
				decoded, err := v.Decode(raw)
				if err != nil {
					return nil, plain(name+": "+err.Error(), v.Help)
				}
				values[v.Name] = decoded
			case v.Needed:
				return nil, plain(name+": has to be set: it has no default", fmt.Sprintf("vars = {%q: …}", name))
			default:
				values[v.Name] = v.Zero()
			}
		}
		if task.Check != nil {
			if variable, err := task.Check(values); err != nil {
				return nil, plain(task.Name+"."+variable+": "+err.Error(), "")
			}
		}
		all[task.Name] = values
	}
	return all, nil
}

// refusedOf is an error of the task, at its own place where it has one, told with the word's.
func (c *call) refusedOf(err error) error {
	var source *recipe.SourceError
	if errors.As(err, &source) && source.At.File != "" {
		return recipe.Within("for "+c.word.Name+" at "+c.at.Short(), err)
	}
	return plain(c.word.Name+": "+err.Error(), adviceOf(err))
}

// hide keeps a secret from being seen.
func (t *trial) hide(text string) {
	if text != "" && !slices.Contains(t.secrets, text) {
		t.secrets = append(t.secrets, text)
		slices.SortFunc(t.secrets, func(a, b string) int { return len(b) - len(a) }) // one may hold another
	}
}
