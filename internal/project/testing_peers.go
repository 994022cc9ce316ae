package project

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// modelledPeer is a host that others know, as a test says it.
type modelledPeer struct {
	recipe.Peer
	exports map[string]string
}

// peersArgument says which hosts host.peers knows.
func peersArgument() Parameter {
	return byName(textDict(peersName, "The hosts that host.peers(TASK) gives, by task, in their order: {\"redis\": [{\"name\": \"db1\", \"address\": \"10.0.0.1\", \"groups\": [\"db\"], \"vars\": {\"port\": 6380}, \"exports\": {\"ca\": \"…\"}}]}. "+
		"Only the name has to be there. The host itself is one of them where it has the task, named as host says it. Variables that are not there have their defaults, and an export that is not there is not there yet on the peer."))
}

// readPeers reads them.
func (c *call) readPeers(m *modelled) error {
	known := map[string][]modelledPeer{}
	for _, item := range given[[]starlark.Tuple](c, peersName) {
		task := string(item[0].(starlark.String))
		peers, err := c.peersOf(task, item[1])
		if err != nil {
			return plain(fmt.Sprintf("%s: peers: %s: %s", c.word.Name, task, err), cmp.Or(adviceOf(err), `peers = {"`+task+`": [{"name": "web1"}]}`))
		}
		known[task] = peers
	}
	m.in.Peers = func(task string) ([]recipe.Peer, error) {
		var peers []recipe.Peer
		for _, peer := range known[task] {
			peers = append(peers, peer.Peer)
		}
		return peers, nil
	}
	m.in.Exported = func(name, task, export string) (recipe.Said, bool) {
		for _, peer := range known[task] {
			if text, there := peer.exports[export]; there && peer.Name == name {
				return recipe.Said{Text: text}, true
			}
		}
		return recipe.Said{Problem: recipe.NotYet}, true
	}
	return nil
}

// peersOf reads those that have a task, or an instance of one.
func (c *call) peersOf(name string, value starlark.Value) ([]modelledPeer, error) {
	tasks := slices.Concat(c.project.shipped, c.project.tasks)
	task, there, problem, hint := recipe.Find(name, func(base string) (recipe.Task, bool) {
		at := slices.IndexFunc(tasks, func(one recipe.Task) bool { return one.Name == base })
		return tasks[max(at, 0)], at >= 0
	})
	switch {
	case problem != "":
		return nil, plain(problem, hint)
	case !there:
		var names []string
		for _, one := range tasks {
			names = append(names, one.Name)
		}
		advice := "provision list"
		if near := recipe.Nearest(name, names); near != "" {
			advice = "did you mean \"" + near + "\"?"
		}
		return nil, plain("there is no such task", advice)
	}
	list, ok := value.(*starlark.List)
	if !ok {
		return nil, fmt.Errorf("want a list of peers, found %s", c.found(value))
	}
	var peers []modelledPeer
	for one := range list.Elements() {
		peer, err := c.peerOf(task, one)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(peers, func(other modelledPeer) bool { return other.Name == peer.Name }) {
			return nil, fmt.Errorf("there are two of the name %s", peer.Name)
		}
		peers = append(peers, peer)
	}
	return peers, nil
}

func (c *call) peerOf(task recipe.Task, value starlark.Value) (modelledPeer, error) {
	peer := modelledPeer{Peer: recipe.Peer{Listed: recipe.Listed{Tasks: []string{task.Name}}}}
	dict, ok := value.(*starlark.Dict)
	if !ok {
		return peer, fmt.Errorf("want a dict of what is known of a peer, found %s", c.found(value))
	}
	vars := map[string]any{}
	for _, item := range dict.Items() {
		key, _ := starlark.AsString(item[0])
		var err error
		switch key {
		case "name":
			peer.Name, err = c.text(item[1])
		case "address":
			peer.Address, err = c.text(item[1])
		case "groups":
			peer.Groups, err = c.texts(item[1])
		case "vars":
			vars, err = c.peerVars(item[1])
		case exportsName:
			peer.exports, err = c.peerExports(task, item[1])
		default:
			names := []string{"address", exportsName, "groups", "name", "vars"}
			advice := "a peer has " + strings.Join(names, ", ")
			if near := recipe.Nearest(key, names); near != "" {
				advice = "did you mean \"" + near + "\"?"
			}
			return peer, plain(fmt.Sprintf("%s: no such thing is known of a peer", item[0]), advice)
		}
		if err != nil {
			return peer, plain(key+": "+err.Error(), adviceOf(err))
		}
	}
	if peer.Name == "" {
		return peer, plain("a peer without a name", `{"name": "web1", "address": "10.0.0.1"}`)
	}
	peer.Address = cmp.Or(peer.Address, peer.Name)
	return peer, peer.decode(task, vars)
}

func (c *call) peerVars(value starlark.Value) (map[string]any, error) {
	plainly := plainer{building: c.building}
	raw, err := plainly.value(value)
	vars, ok := raw.(map[string]any)
	if err == nil && !ok {
		err = fmt.Errorf("want a dict, found %s", c.found(value))
	}
	return vars, err
}

// decode gives the peer the task's variables, without those that are secret.
func (p *modelledPeer) decode(task recipe.Task, raw map[string]any) error {
	p.Vars = recipe.Values{}
	for _, v := range task.Variables {
		value, set := raw[v.Name]
		delete(raw, v.Name)
		switch {
		case v.Type == recipe.TypeSecret && set:
			return plain("vars: "+v.Name+": is secret, and a peer's secrets are not given", "leave it out: set it in vars, for the host itself")
		case v.Type == recipe.TypeSecret:
			p.Secrets = append(p.Secrets, v.Name)
		case set:
			decoded, err := v.Decode(value)
			if err != nil {
				return plain("vars: "+v.Name+": "+err.Error(), v.Help)
			}
			p.Vars[v.Name] = decoded
		default:
			p.Vars[v.Name] = v.Zero()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		return plain(fmt.Sprintf("vars: %s has no variable %s", task.Name, name), "provision list "+task.Name)
	}
	return nil
}

func (c *call) peerExports(task recipe.Task, value starlark.Value) (map[string]string, error) {
	texts, err := named(exportsName, "").read(c, value)
	if err != nil {
		return nil, err
	}
	exports := texts.(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(exports)) {
		if !slices.ContainsFunc(task.Exports, func(e recipe.Export) bool { return e.Name == name }) {
			return nil, plain(fmt.Sprintf("%s exports no %s", task.Name, name), "export(\""+name+"\", \"/…\") in exports of "+task.Name)
		}
	}
	return exports, nil
}
