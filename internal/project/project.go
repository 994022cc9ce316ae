// Package project reads a user's own tasks: Starlark in tasks/NAME.star or
// tasks/NAME/task.star beside the inventory. Each becomes a recipe.Task like those that ship.
//
// What build and verify return depends on their arguments and on the project's files alone:
// there is no clock, no network and no process to ask. So a plan and its apply are the same
// computation, and hosts are built side by side.
package project

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// Project is the folder of an inventory, with the tasks in it.
type Project struct {
	folder  string // as it was named, for positions
	files   source
	shipped []recipe.Task
	print   func(recipe.Position, string)
	word    starlark.StringDict // all that a task may say beside Starlark's own
	random  string              // of this process: nobody can guess it
	mark    string              // begins what stands for a secret in a text: no sign in it at which a task would split
	modules map[string]*module  // by the file's name in the project
	read    map[string]*module  // by the file's name as it is shown
	used    sync.Map            // what builds had of templates and files, by how they were asked for
	tasks   []recipe.Task
}

// asked is how a file of Starlark asks for one of the project's files, and what is made of that.
type asked struct{ from, folder, wanted, as string }

// once makes something of a file of the project, once: each build gets the same.
func once[T any](b *building, asked asked, make func() (T, error)) (T, error) {
	used := &b.project.used
	if made, known := used.Load(asked); known {
		return made.(T), nil
	}
	if b.clock != nil {
		b.clock.pause()
		defer b.clock.resume()
	}
	made, err := make()
	if err == nil {
		used.Store(asked, made)
	}
	return made, err
}

// Options are what a project has beside its files.
type Options struct {
	Shipped []recipe.Task                 // whose names are taken, and which a task may need
	Print   func(recipe.Position, string) // what print says; nil says nothing
}

// Open reads the tasks of a folder; one without tasks is good. What is refused is a
// *recipe.SourceError, or Errors where it is several.
func Open(folder string, o Options) (*Project, error) {
	p := &Project{folder: folder, shipped: o.Shipped, print: o.Print, modules: map[string]*module{}, read: map[string]*module{}}
	random := make([]byte, 16)
	rand.Read(random) // it never fails (crypto/rand)
	p.random = hex.EncodeToString(random)
	p.mark = "secret" + p.random + "n"
	p.word = p.predeclared()
	if err := p.files.open(folder); errors.Is(err, fs.ErrNotExist) {
		return p, nil
	} else if err != nil {
		return nil, &recipe.SourceError{At: recipe.Position{File: folder}, Problem: reason(err), Cause: err}
	}
	found, err := p.discover()
	if err != nil {
		return nil, err
	}
	var errs Errors
	for _, f := range found {
		task, err := p.task(f)
		if err != nil {
			if !slices.Contains(errs, err) { // of a file that several load it is told once
				errs = append(errs, err)
			}
			continue
		}
		p.tasks = append(p.tasks, task)
	}
	if len(errs) == 0 {
		errs = append(p.checkNeeds(), p.checkFormerly()...)
	}
	return p, errs.result()
}

// Tasks returns the project's own tasks, by name.
func (p *Project) Tasks() []recipe.Task { return p.tasks }

// Errors are what is refused of several tasks, each a *recipe.SourceError.
type Errors []error

// Error returns the errors, one a line.
func (e Errors) Error() string { return errors.Join(e...).Error() }

// Unwrap returns each error.
func (e Errors) Unwrap() []error { return e }

func (e Errors) result() error {
	switch len(e) {
	case 0:
		return nil
	case 1:
		return e[0]
	}
	return e
}

// found is a task's file.
type found struct{ name, file string }

// Folder is where tasks are, beside the inventory.
const Folder = "tasks"

// Names of the folders beside a task that are no tasks.
const (
	templateFolder = "templates"
	fileFolder     = "files"
)

var taskName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// discover finds the tasks: each .star file of the folder, and each task.star of a folder in it.
func (p *Project) discover() ([]found, error) {
	entries, err := p.files.list(Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, p.refuse(Folder, rootReason(err).Error(), "ls -ld "+p.shown(Folder)+" shows what it is", err)
	}
	var all []found
	for _, entry := range entries {
		name := entry.Name()
		file := path.Join(Folder, name)
		bare, star := strings.CutSuffix(name, ".star")
		switch {
		case star && strings.HasSuffix(bare, "_test"):
			continue
		case star:
			all = append(all, found{bare, file})
		case p.files.is(path.Join(file, "task.star")):
			all = append(all, found{name, path.Join(file, "task.star")})
		case entry.Type()&fs.ModeSymlink != 0 && name != goldenFolder && taskName.MatchString(name) && p.files.outside(file):
			return nil, p.refuse(file, errOutside.Error()+": a link leads there", "copy what it leads to into the project", nil)
		case name != templateFolder && name != fileFolder && p.files.has(file, "*.star"):
			return nil, p.refuse(file, "has no task.star", "a task is tasks/NAME.star or tasks/NAME/task.star; what several load lies elsewhere, as in lib/", nil)
		case entry.IsDir() && p.seemsTask(name) && p.print != nil:
			p.print(recipe.Position{File: p.shown(file)}, "is passed over: it has no task.star, and is no task")
		}
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.name, b.name) })
	for i, f := range all {
		if err := p.named(f); err != nil {
			return nil, err
		}
		if i > 0 && all[i-1].name == f.name {
			return nil, p.refuse(f.file, "task "+f.name+" is "+p.shown(all[i-1].file)+" too", "keep one of them", nil)
		}
	}
	return all, nil
}

// seemsTask reports whether a folder beside tasks has a task's name: none that goes with them, nor one of Ansible's,
// which has tasks as YAML in a folder of the same name, nor one of other folders alone, as of examples.
func (p *Project) seemsTask(name string) bool {
	folder := path.Join(Folder, name)
	entries, err := p.files.list(folder)
	ofFolders := err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !e.IsDir() || e.Name() == templateFolder || e.Name() == fileFolder
	})
	return !ofFolders && taskName.MatchString(name) && !slices.Contains([]string{templateFolder, fileFolder, goldenFolder}, name) && !p.files.has(folder, "*.yml") && !p.files.has(folder, "*.yaml")
}

// named refuses a name that cannot be a task's.
func (p *Project) named(f found) error {
	if !taskName.MatchString(f.name) {
		return p.refuse(f.file, "not a task's name: "+f.name, "lower case letters, digits, - and _, as tasks/web-shop.star", nil)
	}
	if slices.ContainsFunc(p.shipped, func(t recipe.Task) bool { return t.Name == f.name }) {
		return p.refuse(f.file, f.name+" is a task that ships with provision", "choose another name, as tasks/my-"+f.name+".star; needs = [\""+f.name+"\"] brings that one along", nil)
	}
	return nil
}

// shown is a file of the project as it is told of: so that it can be opened from where the
// command was typed.
func (p *Project) shown(name string) string { return filepath.Join(p.folder, filepath.FromSlash(name)) }

// refuse is an error of a file as a whole.
func (p *Project) refuse(name, problem, advice string, cause error) *recipe.SourceError {
	return &recipe.SourceError{At: recipe.Position{File: p.shown(name)}, Problem: problem, Advice: advice, Cause: cause}
}
