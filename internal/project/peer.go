package project

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// peersName is what host has of the other hosts.
const peersName = "peers"

// peers is host.peers(task): the hosts of the inventory that have a task.
func (h *host) peers() starlark.Value {
	return starlark.NewBuiltin(peersName, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		task := h.of.task
		if err := starlark.UnpackArgs("host.peers", args, named, "task?", &task); err != nil {
			return nil, plain(err.Error(), "host.peers(task = \"redis\"), or without one those of the task itself")
		}
		var names []string
		for _, known := range slices.Concat(h.of.project.shipped, h.of.project.tasks) {
			names = append(names, known.Name)
		}
		if base, _ := recipe.SplitInstance(task); !slices.Contains(names, base) {
			advice := "provision list"
			if near := recipe.Nearest(task, names); near != "" {
				advice = "did you mean \"" + near + "\"?"
			}
			return nil, plain(fmt.Sprintf("host.peers: there is no task %q", task), advice)
		}
		all, err := peersOf(h.in, task)
		if err != nil {
			return nil, plain("host.peers: "+err.Error(), "provision list "+task)
		}
		return h.of.list(len(all), func(i int) starlark.Value { return &peer{all[i], task, h} }), nil
	})
}

// peersOf are the hosts that have a task, as far as any are known.
func peersOf(in recipe.Input, task string) ([]recipe.Peer, error) {
	if in.Peers == nil {
		return nil, nil
	}
	return in.Peers(task)
}

// peer is a host as another one's build sees it.
type peer struct {
	recipe.Peer
	task string // which it was asked for
	*host
}

// String implements starlark.Value.
func (p *peer) String() string { return "the peer " + p.Name }

// Type implements starlark.Value.
func (p *peer) Type() string { return "peer" }

// Freeze implements starlark.Value.
func (p *peer) Freeze() {}

// Truth implements starlark.Value.
func (p *peer) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (p *peer) Hash() (uint32, error) { return 0, errors.New("unhashable: peer") }

// AttrNames implements starlark.HasAttrs.
func (p *peer) AttrNames() []string {
	return []string{"address", exportsName, "groups", "name", "vars"}
}

// Attr implements starlark.HasAttrs.
func (p *peer) Attr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(p.Name), nil
	case "address":
		return starlark.String(p.Address), nil
	case "groups":
		return listOf(p.Groups), nil
	case exportsName:
		return &peerExports{p}, nil
	case "vars":
		return &peerVars{p}, nil
	}
	return nil, unknownAttribute("peer", name, p.AttrNames(), "nothing of that name is known of a peer", "it has "+strings.Join(p.AttrNames(), ", "))
}

// peerVars are the variables that a task has on a peer: peer.vars.NAME.
type peerVars struct{ *peer }

// String implements starlark.Value.
func (v *peerVars) String() string { return "the variables of " + v.task + " on " + v.Name }

// Type implements starlark.Value.
func (v *peerVars) Type() string { return "variables" }

// AttrNames implements starlark.HasAttrs.
func (v *peerVars) AttrNames() []string { return slices.Sorted(maps.Keys(v.Vars)) }

// Attr implements starlark.HasAttrs.
func (v *peerVars) Attr(name string) (starlark.Value, error) {
	value, there := v.Vars[name]
	switch {
	case !there && slices.Contains(v.Secrets, name):
		return nil, plain("peer.vars."+name+": is secret, and a peer's secrets are not given", "set the same secret for both: under the group that they are in")
	case !there:
		return nil, unknownAttribute("peer.vars", name, v.AttrNames(), v.task+" has no such variable", "provision list "+v.task)
	}
	return v.host.of.starlark(value), nil
}
