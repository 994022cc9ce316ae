package project

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// host is what build and verify know of the host that they are for.
type host struct {
	in recipe.Input
	of *building
}

// hostFact is one thing to know of a host.
type hostFact struct {
	kind  string
	about string
	value func(recipe.Input) starlark.Value
	asked bool // the host has to be asked: until then something is made up
}

// hostFacts are all that there is to know, by name.
var hostFacts = map[string]hostFact{
	"name":      {"text", "Its name in the inventory.", func(in recipe.Input) starlark.Value { return starlark.String(in.Name) }, false},
	"groups":    {"list of texts", "Its groups in the inventory, the outermost first.", func(in recipe.Input) starlark.Value { return listOf(in.Groups) }, false},
	"release":   {"number", "Debian's number: 12 or 13.", func(in recipe.Input) starlark.Value { return starlark.MakeInt(in.Platform.Release) }, false},
	"codename":  {"text", "bookworm or trixie.", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Codename) }, false},
	"arch":      {"text", "dpkg's name of its architecture: amd64, arm64.", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Arch) }, false},
	"hostname":  {"text", "What it calls itself.", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Hostname) }, true},
	"cpus":      {"number", "Its processors that are online.", func(in recipe.Input) starlark.Value { return starlark.MakeInt(in.Platform.CPUs) }, true},
	"memory_mb": {"number", "Its memory in mebibytes, as the kernel counts it.", func(in recipe.Input) starlark.Value { return starlark.MakeInt(in.Platform.MemoryMB) }, true},
}

// hostWord documents what is known of a host.
func hostWord() *Word {
	w := &Word{
		Name: "host", Group: Hosts,
		About:   "What build and verify know of the host that they are for. A task is built for each release of Debian before the first connection, so what fails on one of them fails there. What only the host can say is made up for that: its name, a single processor, 1024 MiB; then the task is built with its own, and what that alone asks costs a second round trip.",
		Example: "package(\"php8.2-fpm\" if host.release == 12 else \"php8.4-fpm\")",
	}
	for _, fact := range slices.Sorted(maps.Keys(hostFacts)) {
		w.Parameters = append(w.Parameters, Parameter{Name: fact, Type: hostFacts[fact].kind, Help: hostFacts[fact].about})
	}
	return w
}

func listOf(texts []string) starlark.Value {
	list := make([]starlark.Value, len(texts))
	for i, text := range texts {
		list[i] = starlark.String(text)
	}
	all := starlark.NewList(list)
	all.Freeze()
	return all
}

// String implements starlark.Value.
func (h *host) String() string { return "the host " + h.in.Name }

// Type implements starlark.Value.
func (h *host) Type() string { return "host" }

// Freeze implements starlark.Value.
func (h *host) Freeze() {}

// Truth implements starlark.Value.
func (h *host) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (h *host) Hash() (uint32, error) { return 0, errors.New("unhashable: host") }

// AttrNames implements starlark.HasAttrs.
func (h *host) AttrNames() []string { return slices.Sorted(maps.Keys(hostFacts)) }

// Attr implements starlark.HasAttrs.
func (h *host) Attr(name string) (starlark.Value, error) {
	fact, there := hostFacts[name]
	if !there {
		return nil, unknownAttribute("host", name, h.AttrNames(), "nothing of that name is known of a host", "it has "+strings.Join(h.AttrNames(), ", "))
	}
	h.of.guessed = h.of.guessed || fact.asked && h.in.Guess
	return fact.value(h.in), nil
}
