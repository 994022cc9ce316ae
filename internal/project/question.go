package project

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// maxQuestion is the most that a question's script may have, in bytes: it travels with every probe.
const maxQuestion = 4 << 10

// question is what a task asks the host itself in its own words.
type question struct {
	name   string
	script string
	guess  string // what it is taken to be as long as no host has said
	at     recipe.Position
}

// String implements starlark.Value.
func (q *question) String() string { return fmt.Sprintf("fact(%q)", q.name) }

// Type implements starlark.Value.
func (q *question) Type() string { return "fact" }

// Freeze implements starlark.Value.
func (q *question) Freeze() {}

// Truth implements starlark.Value.
func (q *question) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (q *question) Hash() (uint32, error) { return starlark.String(q.name).Hash() }

func factWords() []*Word {
	return []*Word{{
		Name: "fact", Group: Facts,
		About:   "A question of the task's own to the host; in build and verify its answer is host.facts.NAME. It is asked in the one probe, as root, and only where it is read. It has 10 seconds, and its answer is a text of at most 1024 bytes, without newlines at its end; one that does not end with 0 is an error. Until the host has answered, the answer is taken to be the one that it gave last, which is kept where provision runs, in the person's cache, or guess. An answer is public.",
		Example: "facts = [\n    fact(\"kernel\", \"uname -r\", guess = \"6.1.0\"),\n    fact(\"disks\", \"lsblk -dno NAME\", guess = \"sda\"),\n]",
		Parameters: []Parameter{
			required(text("name", "Its name: lower case letters, digits and _.")),
			required(text("script", "POSIX sh that changes nothing, and prints the answer.")),
			byName(text("guess", "What it is taken to be as long as the host has not said: a task that can be built with it is checked before any connection.")),
		},
		returns: func(c *call) (starlark.Value, error) {
			q := &question{name: given[string](c, "name"), script: given[string](c, "script"), guess: given[string](c, "guess"), at: c.at}
			switch {
			case !variableName.MatchString(q.name):
				return nil, plain(fmt.Sprintf("fact: %q is no name of a fact", q.name), "lower case letters, digits and _, as \"kernel\"")
			case reserved(q.name):
				return nil, plain(fmt.Sprintf("fact: %q is a word of the language: host.facts.%s cannot be written", q.name, q.name), "another name, as \""+q.name+"_\" or \"the_"+q.name+"\"")
			case strings.TrimSpace(q.script) == "":
				return nil, plain("fact: script: asks nothing", c.signature())
			case len(q.script) > maxQuestion:
				return nil, plain(fmt.Sprintf("fact: script: has %d bytes", len(q.script)), fmt.Sprintf("%d are the most: a question is short", maxQuestion))
			case len(q.guess) > recipe.MostSaid:
				return nil, plain(fmt.Sprintf("fact: guess: has %d bytes", len(q.guess)), fmt.Sprintf("%d are the most, as of an answer", recipe.MostSaid))
			}
			return q, nil
		},
	}}
}

// questionName is the name by which a host is asked a task's own question.
func questionName(task, name string) string { return task + "." + name }

// readFacts reads the task's own questions.
func (s *script) readFacts() error {
	value, there := s.file.globals[factsName]
	if !there {
		return nil
	}
	const form = "facts = [fact(\"kernel\", \"uname -r\")]"
	list, ok := value.(*starlark.List)
	if !ok {
		return s.refuse(factsName, "facts: want a list, found "+value.Type(), form)
	}
	for one := range list.Elements() {
		q, ok := one.(*question)
		if !ok {
			return s.refuse(factsName, fmt.Sprintf("facts: want fact(…), found %s", one), form)
		}
		if slices.ContainsFunc(s.facts, func(other *question) bool { return other.name == q.name }) {
			return &recipe.SourceError{At: q.at, Problem: "facts: there are two of the name " + q.name, Advice: "rename one of them"}
		}
		s.facts = append(s.facts, q)
	}
	return nil
}

// answers are those to the task's own questions, as build and verify see them: host.facts.NAME.
type answers struct{ *host }

// String implements starlark.Value.
func (a answers) String() string { return "the facts of " + a.of.task }

// Type implements starlark.Value.
func (a answers) Type() string { return "facts" }

// Hash implements starlark.Value.
func (a answers) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: facts") }

// AttrNames implements starlark.HasAttrs.
func (a answers) AttrNames() []string {
	var names []string
	for _, q := range a.facts {
		names = append(names, q.name)
	}
	slices.Sort(names)
	return names
}

// Attr implements starlark.HasAttrs.
func (a answers) Attr(name string) (starlark.Value, error) {
	at := slices.IndexFunc(a.facts, func(q *question) bool { return q.name == name })
	if at < 0 {
		return nil, unknownAttribute("host.facts", name, a.AttrNames(), "the task has no such fact", "fact(\""+name+"\", \"…\") in facts")
	}
	q := a.facts[at]
	firstLine, _, _ := strings.Cut(q.script, "\n")
	said, err := a.ask(recipe.Probe{Key: recipe.FactKey(questionName(a.of.task, name)), Script: q.script}, q.guess)
	if err != nil {
		return nil, plain(fmt.Sprintf("host.facts.%s: the host's answer %s: %s (%s)", name, err, firstLine, q.at.Short()), "provision exec runs it there by hand; a question that may fail ends in || true")
	}
	return starlark.String(said), nil
}
