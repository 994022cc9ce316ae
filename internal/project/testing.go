package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"provision/internal/recipe"
)

// testPrefix begins the name of a function of a test file that is a test.
const testPrefix = "test_"

// testSuffix ends the name of a file that has a task's tests.
const testSuffix = "_test.star"

// Test is a function of a task's test file.
type Test struct {
	Task, Name string
	At         recipe.Position
	project    *Project
	file       *module
	function   *starlark.Function
	golden     *goldens
}

// Tests returns the tests of some of the project's own tasks, in their order; those of all without a
// name. A task that is named has to have one. With update, golden files are written and not read.
func (p *Project) Tests(names []string, update bool) ([]*Test, error) {
	files, err := p.testFiles()
	if err != nil {
		return nil, err
	}
	var all []*Test
	var errs Errors
	for _, task := range p.tasks {
		if len(names) > 0 && !slices.Contains(names, task.Name) {
			continue
		}
		if len(files[task.Name]) == 0 && len(names) > 0 {
			errs = append(errs, p.untested(task.Name))
		}
		for _, file := range files[task.Name] {
			tests, err := p.testsOf(task.Name, file, update)
			if err != nil {
				errs = append(errs, err)
			}
			all = append(all, tests...)
		}
	}
	return all, errs.result()
}

// fileOfTask is the file that a task was read from.
func (p *Project) fileOfTask(name string) string {
	for _, file := range []string{path.Join(Folder, name+".star"), path.Join(Folder, name, "task.star")} {
		if p.modules[file] != nil {
			return file
		}
	}
	return ""
}

// untested is the error of a task that has no tests.
func (p *Project) untested(task string) error {
	file := p.fileOfTask(task)
	return p.refuse(file, "task "+task+" has no tests", fmt.Sprintf("write %s: def %sit_converges(t): t.converged()", p.shown(strings.TrimSuffix(file, ".star")+testSuffix), testPrefix), nil)
}

// testFiles finds the test files of each task: beside it, tasks/NAME_test.star, or in its folder.
func (p *Project) testFiles() (map[string][]string, error) {
	files := map[string][]string{}
	if p.files.root == nil {
		return files, nil
	}
	for _, task := range p.tasks {
		if file := p.fileOfTask(task.Name); path.Dir(file) != Folder {
			found, err := fs.Glob(p.files.root.FS(), path.Join(path.Dir(file), "*"+testSuffix))
			if err != nil {
				return nil, err
			}
			files[task.Name] = found
		}
	}
	beside, err := fs.Glob(p.files.root.FS(), path.Join(Folder, "*"+testSuffix))
	for _, file := range beside {
		name := strings.TrimSuffix(path.Base(file), testSuffix)
		switch own := p.fileOfTask(name); {
		case own == "":
			return nil, p.refuse(file, "tests "+p.shown(path.Join(Folder, name+".star"))+", which is not there", "name it as the task is named that it tests", nil)
		case path.Dir(own) != Folder:
			return nil, p.refuse(file, "tests a task that has a folder", "move it there: "+p.shown(path.Join(path.Dir(own), "task"+testSuffix)), nil)
		}
		files[name] = append(files[name], file)
	}
	return files, err
}

// testsOf reads a test file.
func (p *Project) testsOf(task, file string, update bool) ([]*Test, error) {
	text, err := p.files.read(file, maxSource)
	if err != nil {
		return nil, p.refuse(file, err.Error(), "ls -l "+p.shown(file)+" shows what it is", err)
	}
	m, err := p.load(file, text)
	if err != nil {
		return nil, err
	}
	golden := &goldens{project: p, folder: path.Join(path.Dir(file), goldenFolder), update: update, written: map[string]string{}}
	var all []*Test
	for _, statement := range m.file.Stmts {
		def, ok := statement.(*syntax.DefStmt)
		if !ok {
			continue
		}
		t := &Test{Task: task, Name: def.Name.Name, At: position(def.Name.NamePos), project: p, file: m, golden: golden}
		if !strings.HasPrefix(t.Name, testPrefix) {
			if strings.HasPrefix(t.Name, "test") && len(def.Params) == 1 {
				return nil, &recipe.SourceError{At: t.At, Problem: t.Name + ": is no test by its name", Advice: "def " + testPrefix + strings.TrimPrefix(t.Name, "test") + "(t):"}
			}
			continue
		}
		t.function = m.globals[t.Name].(*starlark.Function) // nothing else can have its name
		if t.function.NumParams() != 1 || t.function.HasVarargs() || t.function.HasKwargs() {
			return nil, &recipe.SourceError{At: t.At, Problem: t.Name + ": has to take one argument", Advice: "def " + t.Name + "(t):"}
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, p.refuse(file, "has no test", "def "+testPrefix+"it_converges(t): t.converged()", nil)
	}
	return all, nil
}

// Run runs a test: on a host of each release, unless it says of all of its hosts which they are. It
// returns why it failed, a *recipe.SourceError, whose cause may be a *Difference.
func (t *Test) Run() error {
	for _, platform := range recipe.Platforms() {
		if platform.Arch != usualArch {
			continue
		}
		trial := &trial{test: t, platform: platform}
		err := trial.run()
		if err != nil && trial.anyRelease {
			err = recipe.Within(fmt.Sprintf("on Debian %d", platform.Release), err)
		}
		if err != nil || !trial.anyRelease {
			return err
		}
	}
	return nil
}

// usualArch is the architecture of a modelled host that says none.
const usualArch = "amd64"

// trial is one run of a test.
type trial struct {
	test       *Test
	platform   recipe.Platform // of hosts that do not say theirs
	anyRelease bool            // of one it was asked
	secrets    []string        // never shown
}

func (t *trial) run() error {
	p := t.test.project
	b := &building{project: p, task: t.test.Task, trial: t}
	thread, done := p.thread(b)
	defer done()
	_, err := starlark.Call(thread, t.test.function, starlark.Tuple{&tester{b}}, nil)
	if err == nil {
		return nil
	}
	refused := *p.explain(err)
	refused.Problem, refused.Advice = t.masked(refused.Problem), t.masked(refused.Advice)
	var differs *Difference
	if errors.As(refused.Cause, &differs) {
		refused.Cause = &Difference{t.masked(differs.Text)}
	} else {
		refused.Cause = nil // it may tell what the problem must not
	}
	return &refused
}

// secretMark stands for a secret in what a test sees and tells.
const secretMark = "[secret]"

// masked is a text without the secrets that the test gave.
func (t *trial) masked(text string) string {
	for _, secret := range t.secrets {
		text = strings.ReplaceAll(text, secret, secretMark)
	}
	return text
}

// Difference is how what was found differs from what a test wants: a unified diff without its head.
type Difference struct{ Text string }

// Error implements error.
func (d *Difference) Error() string { return d.Text }
