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

	facts []*question // of the task
}

// hostFact is one thing to know of a host.
type hostFact struct {
	kind  string
	about string
	value func(*host) (starlark.Value, error)
}

// hostFacts are all that there is to know, by name, but for what a task asks itself.
var hostFacts = map[string]hostFact{
	"name":    {"text", "Its name in the inventory.", ofInventory(recipe.Host.Name)},
	"address": {"text", "Its address in the inventory, whatever way leads there; of a host that is in none, what was typed.", ofInventory(recipe.Host.Address)},
	"groups":  {"list of texts", "Its groups in the inventory, the outermost first.", ofInventory(recipe.Host.Groups)},
	"tasks":   {"list of texts", "Its tasks in the inventory, with those that they need.", ofInventory(recipe.Host.Tasks)},

	"release":   {"number", "Debian's number: 12 or 13.", ofSystem(func(s recipe.System) any { return s.Release })},
	"codename":  {"text", "bookworm or trixie.", ofSystem(func(s recipe.System) any { return s.Codename })},
	"arch":      {"text", "dpkg's name of its architecture: amd64, arm64.", ofSystem(func(s recipe.System) any { return s.Arch })},
	"hostname":  {"text", "What it calls itself.", measured(recipe.Host.Hostname)},
	"cpus":      {"number", "Its processors that are online.", measured(recipe.Host.CPUs)},
	"memory_mb": {"number", "Its memory in mebibytes, as the kernel counts it.", measured(recipe.Host.MemoryMB)},

	// Made up are an address for documentation (RFC 5737) and what most hosts have.
	"addresses":      {"list of texts", "Its addresses, without those of loopback and of a link (hostname -I).", said(recipe.Addresses, "192.0.2.1", manyTexts)},
	"interface":      {"text", "The interface of its default route, empty where there is none.", said(recipe.Interface, "eth0", oneText)},
	"virtualization": {"text", "What it runs in: kvm, lxc, systemd-nspawn, none (systemd-detect-virt).", said(recipe.Virtualization, "kvm", oneText)},
	"boot_id":        {"text", "A word that is new with every boot.", said(recipe.BootID, "00000000-0000-0000-0000-000000000000", oneText)},
}

// ofInventory is what the inventory says.
func ofInventory[T any](of func(recipe.Host) T) func(*host) (starlark.Value, error) {
	return func(h *host) (starlark.Value, error) { return h.of.starlark(of(h.in.Host)), nil }
}

// ofSystem is what a task is built for before the first connection.
func ofSystem(of func(recipe.System) any) func(*host) (starlark.Value, error) {
	return func(h *host) (starlark.Value, error) { return h.of.starlark(of(h.in.System)), nil }
}

// measured is what every host says of itself: until then it is made up.
func measured[T any](of func(recipe.Host) T) func(*host) (starlark.Value, error) {
	return func(h *host) (starlark.Value, error) {
		h.of.guessed = h.of.guessed || h.in.Guess
		return h.of.starlark(of(h.in.Host)), nil
	}
}

// said is what a host says only where it is asked.
func said(name, madeUp string, value func(string) starlark.Value) func(*host) (starlark.Value, error) {
	return func(h *host) (starlark.Value, error) {
		text, err := h.ask(recipe.Question(name), madeUp)
		if err != nil {
			return nil, err
		}
		return value(text), nil
	}
}

func oneText(text string) starlark.Value { return starlark.String(text) }

func manyTexts(text string) starlark.Value { return listOf(strings.Fields(text)) }

// ask returns what the host says to a question.
func (h *host) ask(question recipe.Probe, madeUp string) (string, error) {
	if h.in.Ask == nil {
		h.of.guessed = true
		return madeUp, nil
	}
	said, known := h.in.Ask(question, madeUp)
	h.of.guessed = h.of.guessed || !known
	if said.Problem != "" {
		return "", errors.New(said.Problem)
	}
	return said.Text, nil
}

// hostWord documents what is known of a host.
func hostWord() *Word {
	w := &Word{
		Name: "host", Group: Hosts, value: true,
		About:   "What build and verify know of the host that they are for. A task is built for each release of Debian before the first connection, so what fails on one of them fails there. What only the host can say is made up for that, as a single processor and 1024 MiB; then the task is built with its own, and what that alone asks costs a second round trip.",
		Example: "package(\"php8.2-fpm\" if host.release == 12 else \"php8.4-fpm\")",
	}
	for _, fact := range slices.Sorted(maps.Keys(hostFacts)) {
		w.Parameters = append(w.Parameters, Parameter{Name: fact, Type: hostFacts[fact].kind, Help: hostFacts[fact].about})
	}
	w.Parameters = append(w.Parameters, Parameter{Name: factsName, Type: "texts by name", Help: "The answers to the task's own questions: host.facts.NAME."})
	w.Parameters = append(w.Parameters, Parameter{Name: peersName, Type: "list of peers", Help: "The hosts of the inventory that have a task, in its order and this one among them: host.peers(task = \"redis\"), or without an argument those of the task itself. Each has name, address, groups, vars.NAME, the task's variables there, but for secrets, and exports.NAME (kind:export); [p for p in host.peers() if p.name != host.name] are the others. Of a host that is in no inventory, as with -H, they are those that are named beside it."})
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
func (h *host) String() string {
	return "the host " + h.in.Host.Name()
}

// Type implements starlark.Value.
func (h *host) Type() string { return "host" }

// Freeze implements starlark.Value.
func (h *host) Freeze() {}

// Truth implements starlark.Value.
func (h *host) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (h *host) Hash() (uint32, error) { return 0, errors.New("unhashable: host") }

// AttrNames implements starlark.HasAttrs.
func (h *host) AttrNames() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(hostFacts)), factsName, peersName)))
}

// Attr implements starlark.HasAttrs.
func (h *host) Attr(name string) (starlark.Value, error) {
	switch name {
	case factsName:
		return answers{h}, nil
	case peersName:
		return h.peers(), nil
	}
	fact, there := hostFacts[name]
	if !there {
		return nil, unknownAttribute("host", name, h.AttrNames(), "nothing of that name is known of a host", "it has "+strings.Join(h.AttrNames(), ", "))
	}
	value, err := fact.value(h)
	if err != nil {
		return nil, plain("host."+name+": the host's answer "+err.Error(), "provision exec runs a command there by hand")
	}
	return value, nil
}
