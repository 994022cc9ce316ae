package project

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// The names of a task's file that mean something.
const (
	variablesName = "variables"
	needsName     = "needs"
	actionsName   = "actions"
	drainName     = "drain"
	undrainName   = "undrain"
	formerlyName  = "formerly"
	factsName     = "facts"
	exportsName   = "exports"
	releasesName  = "releases"
	buildName     = "build"
	verifyName    = "verify"
)

// script is a task's file that was read, and what of it is a task.
type script struct {
	project        *Project
	name           string
	file           *module
	variables      []recipe.Variable
	needs          []string
	formerly       []string // names that it had
	facts          []*question
	exports        []recipe.Export
	actions        []recipe.Script
	drain, undrain *recipe.Hook       // both or none
	releases       string             // where those are that it deploys, "" for a task without
	build, verify  *starlark.Function // verify may be nil
}

// task reads a task's file.
func (p *Project) task(f found) (recipe.Task, error) {
	text, err := p.files.read(f.file, maxSource)
	if err != nil {
		return recipe.Task{}, p.refuse(f.file, err.Error(), "ls -l "+p.shown(f.file)+" shows what it is", err)
	}
	file, err := p.load(f.file, text)
	if err != nil {
		return recipe.Task{}, err
	}
	s := &script{project: p, name: f.name, file: file}
	for _, read := range []func() error{s.misspelled, s.readVariables, s.readNeeds, s.readFormerly, s.readReleases, s.readFacts, s.readExports, s.readActions, s.readHooks, s.readFunctions} {
		if err := read(); err != nil {
			return recipe.Task{}, err
		}
	}
	summary, about := s.doc()
	task := recipe.Task{
		Name: f.name, Summary: summary, About: about, Formerly: s.formerly, Uses: s.needs, Needs: s.needs, Variables: s.variables,
		Exports: s.exports, Actions: s.actions, Drain: s.drain, Undrain: s.undrain, Build: s.recipe, Instances: true,
	}
	if s.verify != nil {
		task.Verify = s.checks
	}
	if s.releases != "" {
		task.Deployed = resource.Releases{Home: s.releases}.Deployed()
	}
	return task, nil
}

// doc is the text at the file's head: its first paragraph, and the rest.
func (s *script) doc() (summary, about string) {
	if len(s.file.file.Stmts) > 0 {
		if first, ok := s.file.file.Stmts[0].(*syntax.ExprStmt); ok {
			if literal, ok := first.X.(*syntax.Literal); ok && literal.Token == syntax.STRING {
				summary, about, _ = strings.Cut(strings.TrimSpace(literal.Value.(string)), "\n\n")
			}
		}
	}
	if summary == "" {
		return s.project.shown(s.file.name), ""
	}
	var paragraphs []string
	for _, paragraph := range strings.Split(about, "\n\n") {
		paragraphs = append(paragraphs, strings.Join(strings.Fields(paragraph), " "))
	}
	return strings.Join(strings.Fields(summary), " "), strings.TrimSpace(strings.Join(paragraphs, "\n\n"))
}

// refuse is an error at the place of one of the file's names.
func (s *script) refuse(name, problem, advice string) error {
	return &recipe.SourceError{At: s.project.global(s.file, name), Problem: problem, Advice: advice}
}

// misspelled refuses a name that is nearly one that means something.
func (s *script) misspelled() error {
	known := []string{variablesName, needsName, formerlyName, releasesName, factsName, exportsName, actionsName, buildName, verifyName}
	for _, name := range slices.Sorted(maps.Keys(s.file.globals)) {
		near := recipe.Nearest(name, known)
		if near != "" && near != name && s.file.globals[near] == nil && len(name) > 4 {
			return s.refuse(name, name+": a task has no such part", "did you mean "+near+"?")
		}
	}
	return nil
}

func (s *script) readVariables() error {
	value, there := s.file.globals[variablesName]
	if !there {
		return nil
	}
	list, ok := value.(*starlark.List)
	if !ok {
		return s.refuse(variablesName, "variables: want a list, found "+value.Type(), "variables = [var(\"domain\", str, help = \"…\")]")
	}
	for one := range list.Elements() {
		v, ok := one.(*declared)
		if !ok {
			return s.refuse(variablesName, fmt.Sprintf("variables: want var(…), found %s", one), "variables = [var(\"domain\", str, help = \"…\")]")
		}
		if slices.ContainsFunc(s.variables, func(w recipe.Variable) bool { return w.Name == v.Name }) {
			return &recipe.SourceError{At: v.at, Problem: "variables: there are two of the name " + v.Name, Advice: "rename one of them"}
		}
		s.variables = append(s.variables, v.Variable)
	}
	return nil
}

func (s *script) readFunctions() error {
	var err error
	if s.build, err = s.function(buildName); err != nil {
		return err
	}
	if s.build == nil {
		return s.refuse(buildName, "has no build: it is no task", "def build(v, host): return [file(\"/etc/motd\", \"Hello\\n\")]; what several tasks load lies elsewhere, as in lib/")
	}
	s.verify, err = s.function(verifyName)
	return err
}

// function is one of the file's own that takes the variables and the host.
func (s *script) function(name string) (*starlark.Function, error) {
	value, there := s.file.globals[name]
	if !there {
		return nil, nil
	}
	f, ok := value.(*starlark.Function)
	if !ok {
		return nil, s.refuse(name, name+": want a function, found "+value.Type(), "def "+name+"(v, host):")
	}
	if f.NumParams() != 2 || f.HasVarargs() || f.HasKwargs() || f.NumKwonlyParams() > 0 {
		return nil, s.refuse(name, name+": has to take two arguments, the variables and the host", "def "+name+"(v, host):")
	}
	return f, nil
}

// recipe runs build.
func (s *script) recipe(in recipe.Input) (recipe.Recipe, error) {
	things, err := s.run(s.build, in, Resources)
	if err != nil {
		return recipe.Recipe{}, err
	}
	var r recipe.Recipe
	for _, t := range things {
		r.Items = append(r.Items, t.items...)
	}
	return r, cmp.Or(s.hasRelease(things), s.ownsReleases(things))
}

// checks runs verify.
func (s *script) checks(in recipe.Input) ([]recipe.Check, error) {
	things, err := s.run(s.verify, in, Checks)
	if err != nil {
		return nil, err
	}
	var all []recipe.Check
	for _, t := range things {
		if t.check.Needs != "" && !slices.ContainsFunc(all, func(earlier recipe.Check) bool { return earlier.Name == t.check.Needs }) {
			return nil, &recipe.SourceError{At: t.at, Problem: fmt.Sprintf("%s: after: no earlier check is named %q", t.word.Name, t.check.Needs), Advice: "name = \"" + t.check.Needs + "\" of the earlier one"}
		}
		all = append(all, t.check)
	}
	return all, nil
}

// run calls one of the file's functions, and returns the things in the list that it returns.
func (s *script) run(f *starlark.Function, in recipe.Input, group Group) ([]*thing, error) {
	b := &building{project: s.project, task: in.Named(s.name), needs: s.needs, releases: s.releases, in: in}
	things, err := s.call(b, f, in, group)
	var refused *recipe.SourceError
	if errors.As(err, &refused) {
		refused.Guessed = b.guessed
		refused.Advice = cmp.Or(refused.Advice, "provision list "+s.name+" tells what it takes")
	}
	return things, err
}

func (s *script) call(b *building, f *starlark.Function, in recipe.Input, group Group) ([]*thing, error) {
	thread, done := s.project.thread(b)
	defer done()
	returned, err := starlark.Call(thread, f, starlark.Tuple{&values{b, s.variables}, &host{in, b, s.facts}}, nil)
	if err != nil {
		return nil, s.project.explain(err)
	}
	c := collecting{script: s, f: f, group: group}
	if err := c.add(returned, 0); err != nil {
		return nil, err
	}
	for _, t := range b.made {
		if !t.returned {
			return nil, &recipe.SourceError{
				At: t.at, Problem: fmt.Sprintf("%s is made, and %s does not return it", t.name, f.Name()),
				Advice: "nothing is done by a call alone: put it into the list that " + f.Name() + " returns",
			}
		}
	}
	return c.things, b.untaken()
}

// collecting takes things out of what build or verify returned.
type collecting struct {
	script *script
	f      *starlark.Function
	group  Group
	things []*thing
}

// deepest is how far lists may be within lists: those of functions that return several things.
const deepest = 8

func (c *collecting) add(value starlark.Value, depth int) error {
	switch value := value.(type) {
	case *thing:
		if value.word.Group != c.group && (value.word.Group != Parts || c.group != Resources) {
			return &recipe.SourceError{
				At: value.at, Problem: fmt.Sprintf("%s is returned by %s, which returns %s", value.name, c.f.Name(), c.group),
				Advice: map[Group]string{Resources: "checks belong into the list of verify", Checks: "resources belong into the list of build"}[c.group],
			}
		}
		if depth > 0 {
			value.returned = true
			c.things = append(c.things, value)
			return c.few(value)
		}
	case *starlark.List:
		return c.addAll(value, depth)
	case starlark.Tuple:
		return c.addAll(value, depth)
	}
	return c.refuse(value, depth)
}

// few refuses more things than a host should be asked about.
func (c *collecting) few(last *thing) error {
	if len(c.things) <= maxThings {
		return nil
	}
	return &recipe.SourceError{
		At: last.at, Problem: fmt.Sprintf("%s returns more than %d %s", c.f.Name(), maxThings, c.group),
		Advice: "many files of one directory are one tree(…), which costs one question",
	}
}

func (c *collecting) addAll(list starlark.Iterable, depth int) error {
	if depth == deepest {
		return c.refuse(list, depth)
	}
	for one := range starlark.Elements(list) {
		if err := c.add(one, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *collecting) refuse(value starlark.Value, depth int) error {
	name := c.f.Name()
	problem, advice := "has to return a list, and returns "+c.script.describe(value), "return [ … ]"
	switch {
	case value == starlark.None && depth == 0:
		problem, advice = "has to return a list, and returns nothing", "return [ … ]"
	case value == starlark.None:
		problem, advice = "returns a list with None in it", "[ … ] if wanted else [] leaves something out; a function that makes resources has to return them"
	case depth > 0:
		problem, advice = "returns a list with "+c.script.describe(value)+" in it", "its parts are "+map[Group]string{Resources: "file(…), package(…), service(…) …", Checks: "http(…), tcp(…), runs(…)"}[c.group]
	}
	return c.script.refuse(name, name+": "+problem, advice)
}

func (s *script) describe(value starlark.Value) string {
	if t, ok := value.(*thing); ok {
		return t.name + " alone"
	}
	text := []rune(s.project.shownText(value))
	if len(text) > 40 {
		text = append(text[:39], '…')
	}
	return article(value.Type()) + " " + string(text)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
