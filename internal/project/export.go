package project

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// export is a public file of a task's that other hosts' builds see.
type export struct{ recipe.Export }

// String implements starlark.Value.
func (e *export) String() string { return fmt.Sprintf("export(%q)", e.Name) }

// Type implements starlark.Value.
func (e *export) Type() string { return "export" }

// Freeze implements starlark.Value.
func (e *export) Freeze() {}

// Truth implements starlark.Value.
func (e *export) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (e *export) Hash() (uint32, error) { return starlark.String(e.Name).Hash() }

func exportWords() []*Word {
	return []*Word{{
		Name: "export", Group: Exports,
		About:   "A file of the task's hosts that builds for other hosts see: peer.exports.NAME, of host.peers(TASK). It is read before the host that wants it is planned, also from a host outside of -l, which is only read; of one that cannot be reached the last copy is taken, and that is told. It is public: one that others may not read (mode 0644), a link, and more than 4096 bytes are refused. Where it is not there yet, an install brings the host that has it first, and then plans those that want it; a plan says that it waits. A task that can go without, as with getattr(peer.exports, \"ca\", \"\"), is brought without at first, and planned again when the file is there: so hosts may want something of each other, and of themselves.",
		Example: "exports = [export(\"ca\", \"/etc/shop/ca.crt\")]",
		Parameters: []Parameter{
			required(text("name", "Its name: lower case letters, digits and _.")),
			required(hostPath("path", "The file.")),
		},
		returns: func(c *call) (starlark.Value, error) {
			e := &export{recipe.Export{Name: given[string](c, "name"), Path: given[string](c, "path"), At: c.at}}
			switch {
			case !variableName.MatchString(e.Name):
				return nil, plain(fmt.Sprintf("export: %q is no name of an export", e.Name), "lower case letters, digits and _, as \"ca\"")
			case reserved(e.Name):
				return nil, plain(fmt.Sprintf("export: %q is a word of the language: peer.exports.%s cannot be written", e.Name, e.Name), "another name, as \""+e.Name+"_\"")
			case !path.IsAbs(e.Path) || path.Clean(e.Path) != e.Path || e.Path == "/":
				return nil, plain(fmt.Sprintf("export: path: %q is no path of a file", e.Path), "from the root, without .. and // and / at its end: \"/etc/shop/ca.crt\"")
			}
			return e, nil
		},
	}}
}

// readExports reads what the task's hosts export.
func (s *script) readExports() error {
	value, there := s.file.globals[exportsName]
	if !there {
		return nil
	}
	const form = "exports = [export(\"ca\", \"/etc/shop/ca.crt\")]"
	list, ok := value.(*starlark.List)
	if !ok {
		return s.refuse(exportsName, "exports: want a list, found "+value.Type(), form)
	}
	for one := range list.Elements() {
		e, ok := one.(*export)
		if !ok {
			return s.refuse(exportsName, fmt.Sprintf("exports: want export(…), found %s", one), form)
		}
		if slices.ContainsFunc(s.exports, func(other recipe.Export) bool { return other.Name == e.Name }) {
			return &recipe.SourceError{At: e.At, Problem: "exports: there are two of the name " + e.Name, Advice: "rename one of them"}
		}
		s.exports = append(s.exports, e.Export)
	}
	return nil
}

// peerExports are what a task exports on a peer: peer.exports.NAME.
type peerExports struct{ *peer }

// String implements starlark.Value.
func (e *peerExports) String() string { return "the exports of " + e.task + " on " + e.Name }

// Type implements starlark.Value.
func (e *peerExports) Type() string { return "exports" }

func (e *peerExports) all() []recipe.Export {
	base, _ := recipe.SplitInstance(e.task)
	for _, task := range slices.Concat(e.of.project.shipped, e.of.project.tasks) {
		if task.Name == base {
			return task.Exports
		}
	}
	return nil
}

// AttrNames implements starlark.HasAttrs.
func (e *peerExports) AttrNames() []string {
	var names []string
	for _, one := range e.all() {
		names = append(names, one.Name)
	}
	slices.Sort(names)
	return names
}

// Attr implements starlark.HasAttrs.
func (e *peerExports) Attr(name string) (starlark.Value, error) {
	at := slices.IndexFunc(e.all(), func(one recipe.Export) bool { return one.Name == name })
	if at < 0 {
		return nil, unknownAttribute("peer.exports", name, e.AttrNames(), e.task+" exports no such file", "export(\""+name+"\", \"/…\") in exports of "+e.task)
	}
	if e.in.Exported == nil {
		e.of.guessed = true
		return starlark.String(""), nil
	}
	said, known := e.in.Exported(e.Name, e.task, name)
	e.of.guessed = e.of.guessed || !known
	if said.Problem == "" {
		return starlark.String(said.Text), nil
	}
	advice := "what is exported is a file of at most 4096 bytes that everybody may read"
	switch {
	case said.Problem == recipe.NotYet && e.Name == e.in.Host.Name():
		advice = "on the host itself the file is known: [p for p in host.peers(…) if p.name != host.name]; or getattr(p.exports, \"" + name + "\", \"\"), and the host is planned again when it is there"
	case said.Problem == recipe.NotYet:
		advice = "it is there after provision install " + e.task + " -l " + e.Name
	case strings.HasPrefix(said.Problem, recipe.Unread):
		advice = "there is no copy of it here from before: provision plan " + e.task + " -l " + e.Name + " shows what is wrong"
	}
	return nil, plain(fmt.Sprintf("peer.exports.%s: %s of %s %s", name, e.all()[at].Path, e.Name, said.Problem), advice)
}
