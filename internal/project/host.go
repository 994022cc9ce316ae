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
	about string
	value func(recipe.Input) starlark.Value
}{
	"name":     {"its name in the inventory", func(in recipe.Input) starlark.Value { return starlark.String(in.Name) }},
	"groups":   {"its groups in the inventory, the outermost first", func(in recipe.Input) starlark.Value { return listOf(in.Groups) }},
	"release":  {"Debian's number: 12, 13", func(in recipe.Input) starlark.Value { return starlark.MakeInt(in.Platform.Release) }},
	"codename": {"bookworm, trixie", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Codename) }},
	"arch":     {"dpkg's name of its architecture: amd64, arm64", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Arch) }},
	"hostname": {"what it calls itself", func(in recipe.Input) starlark.Value { return starlark.String(in.Platform.Hostname) }},
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
