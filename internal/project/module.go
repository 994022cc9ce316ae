package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"provision/internal/recipe"
)

// module is a file of Starlark that was read.
type module struct {
	name    string // in the project: "tasks/shop/task.star"
	text    string
	file    *syntax.File
	globals starlark.StringDict
	loading bool
	err     error // why it could not be loaded
}

// dialect is Starlark as its specification has it, with sets. There is neither a loop without
// an end nor recursion, and what stands outside of functions runs once and is frozen then.
func dialect() *syntax.FileOptions { return &syntax.FileOptions{Set: true} }

// load runs a file, once.
func (p *Project) load(name, text string) (*module, error) {
	if m, known := p.modules[name]; known {
		if m.loading {
			return nil, plain(p.shown(name)+" loads itself, by way of others", "move what both need into a file of its own")
		}
		return m, m.err
	}
	m := &module{name: name, text: text, loading: true}
	p.modules[name], p.read[p.shown(name)] = m, m
	m.err = p.run(m)
	m.loading = false
	return m, m.err
}

// run runs a file that was read.
func (p *Project) run(m *module) (err error) {
	if m.file, err = dialect().Parse(p.shown(m.name), m.text, 0); err != nil {
		return p.explain(err)
	}
	guardSecrets(m.file)
	program, err := starlark.FileProgram(m.file, p.word.Has)
	if err != nil {
		return p.explain(err)
	}
	thread, done := p.thread(nil)
	defer done()
	thread.Load = func(thread *starlark.Thread, wanted string) (starlark.StringDict, error) { return p.loadFor(m, wanted) }
	if m.globals, err = program.Init(thread, p.word); err != nil {
		return p.explain(err)
	}
	m.globals.Freeze()
	return nil
}

// loadFor reads a file that another one loads.
func (p *Project) loadFor(m *module, wanted string) (starlark.StringDict, error) {
	if !strings.HasSuffix(wanted, ".star") {
		return nil, plain(fmt.Sprintf("load %q: is no .star file", wanted), `load("lib.star", "site") takes the function site of lib.star`)
	}
	name, text, err := p.use(m.name, "", wanted, maxSource)
	if err != nil {
		return nil, err
	}
	loaded, err := p.load(name, text)
	if err != nil {
		return nil, err
	}
	return loaded.globals, nil
}

// beside finds a file that another one names: beside that, or else in the project's folder. In
// both it is an error: nobody should have to know which of them counts.
func (p *Project) beside(from, folder, wanted string) (string, error) {
	shown := path.Join(folder, wanted)
	if strings.HasPrefix(wanted, "/") || strings.Contains("/"+wanted+"/", "/../") {
		return "", plain(fmt.Sprintf("%q leads out of the project", wanted), "name a file of the project, without .. and without / before it")
	}
	near, far := path.Join(path.Dir(from), shown), path.Clean(shown)
	switch isNear, isFar := p.files.is(near), near != far && p.files.is(far); {
	case isNear && isFar:
		return "", plain(fmt.Sprintf("%s and %s: which is meant?", p.shown(near), p.shown(far)), "rename one of them")
	case isNear:
		return near, nil
	case isFar:
		return far, nil
	case near == far:
		return "", plain(p.shown(near)+": no such file", "make it, or mend the name")
	}
	return "", plain(fmt.Sprintf("%s: no such file, nor %s", p.shown(near), p.shown(far)), "make it, or mend the name")
}

// use reads a file of a task's folder, and tells of one that cannot be read.
func (p *Project) use(from, folder, wanted string, most int64) (name, text string, err error) {
	if name, err = p.beside(from, folder, wanted); err != nil {
		return "", "", err
	}
	if text, err = p.files.read(name, most); err != nil {
		return "", "", p.unusable(name, err)
	}
	return name, text, nil
}

// unusable tells of a file that cannot be read.
func (p *Project) unusable(name string, err error) error {
	switch {
	case errors.Is(err, errOutside):
		return plain(p.shown(name)+" "+err.Error()+": a link leads there", "copy what it leads to into the project")
	case errors.Is(err, fs.ErrNotExist):
		return plain(p.shown(name)+": a link that leads nowhere", "mend the link, or put the file in its place")
	case errors.Is(err, errDirectory):
		return plain(p.shown(name)+": "+err.Error(), "name a file in it; a folder as a whole is tree(…)")
	case errors.Is(err, errNoDirectory):
		return plain(p.shown(name)+": "+err.Error(), "a file alone is file(…, source = …)")
	}
	return plain(p.shown(name)+": "+err.Error(), "")
}

// global is the place of a name that a file defines: of its definition, or of the file.
func (p *Project) global(m *module, name string) recipe.Position {
	for _, statement := range m.file.Stmts {
		switch s := statement.(type) {
		case *syntax.DefStmt:
			if s.Name.Name == name {
				return position(s.Name.NamePos)
			}
		case *syntax.AssignStmt:
			if ident, ok := s.LHS.(*syntax.Ident); ok && ident.Name == name {
				return position(ident.NamePos)
			}
		}
	}
	return recipe.Position{File: p.shown(m.name)}
}

func position(at syntax.Position) recipe.Position {
	return recipe.Position{File: at.Filename(), Line: int(at.Line), Column: int(at.Col)}
}
