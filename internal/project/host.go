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
type host struct{ in recipe.Input }

// hostFacts are what there is to know.
var hostFacts = map[string]struct {
	kind  string
	about string
	value func(recipe.Input) starlark.Value
}{
	"name":     {"text", "Its name in the inventory.", func(in recipe.Input) starlark.Value { return starlark.String(in.Name) }},
	"groups":   {"list of texts", "Its groups in the inventory, the outermost first.", func(in recipe.Input) starlark.Value { return listOf(in.Groups) }},
	"release":  {"number", "Debian's number: 12 or 13.", func(in recipe.Input) starlark.Value { return starlark.MakeInt(in.Platform.Release) }},
	"codename": {"text", "bookworm or trixie.", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Codename) }},
	"arch":     {"text", "dpkg's name of its architecture: amd64, arm64.", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Arch) }},
	"hostname": {"text", "What it calls itself.", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Hostname) }},
}

// hostWord documents what is known of a host.
func hostWord() *Word {
	w := &Word{
		Name: "host", Group: Hosts,
		About:   "What build and verify know of the host that they are for. A task is built for each release of Debian before the first connection, so what fails on one of them fails there.",
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
	return fact.value(h.in), nil
}
