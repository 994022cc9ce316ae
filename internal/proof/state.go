// Package proof proves a task on a throwaway host: that its plan is what its apply does, that a second
// run is empty, that its verify can fail, that it goes again without a trace, and that a run of it may
// die at any moment. What it finds are faults, as data, each with the line of the task that made it.
//
// The project's own acceptance tests compare hosts by the same eyes and the same list of exceptions.
package proof

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Host is a throwaway host, looked at without its noticing.
type Host interface {
	// Root is where the host's file system is seen from here.
	Root() string
	// Leader is the pid here of the host's PID 1.
	Leader() (int, error)
	// Run runs a script as root in the host, without a login, and returns what it prints.
	Run(ctx context.Context, script, input string) (string, error)
}

// Thing is a part of a host's state: a file, a package, a user, a group, a unit, a listener, a
// socket, or the rules of the packet filter.
type Thing struct{ Kind, Name string }

// String is what people call it.
func (t Thing) String() string { return t.Kind + " " + t.Name }

// State is all that a proof compares of a host, with a description of each thing.
type State map[Thing]string

// inside asks the host what is not seen from outside: lines of KIND<TAB>NAME<TAB>DESCRIPTION.
const inside = `dpkg-query -W -f 'package\t${Package}:${Architecture}\t${Version} ${db:Status-Abbrev}\n'
getent passwd | sed 's/^\([^:]*\):/user\t\1\t/'
getent group | sed 's/^\([^:]*\):/group\t\1\t/'
awk '$8 ~ "^/run/" && $6 == "01" { print "socket\t" $8 "\tlistens" }' /proc/net/unix
systemctl list-units --all --no-legend --plain | awk 'NF >= 4 { print "unit\t" $1 "\t" $2 " " $3 " " $4 }'
systemctl list-unit-files --no-legend --plain | awk 'NF >= 2 { print "unit\t" $1 "\t" $2 " " $3 }'
if command -v nft >/dev/null; then
	nft list ruleset | awk '{ rules = rules $0 "\\n" } END { if (rules != "") print "rules\tnftables\t" rules }'
fi
`

// Look takes down the state of a host. Digests are those of earlier looks, nil for none.
func Look(ctx context.Context, host Host, digests Digests) (State, error) {
	state := State{}
	said, err := host.Run(ctx, inside, "")
	if err != nil {
		return nil, fmt.Errorf("look at the host: %w", err)
	}
	for line := range strings.Lines(said) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(parts) < 3 {
			return nil, fmt.Errorf("look at the host: it says %q", line)
		}
		thing, text := Thing{parts[0], parts[1]}, strings.TrimSpace(parts[2])
		if before, there := state[thing]; there && thing.Kind == "unit" { // it is loaded, and has a file
			text = before + ", " + text
		}
		state[thing] = text
	}
	leader, err := host.Leader()
	if err != nil {
		return nil, err
	}
	listeners, err := Listeners(leader)
	if err != nil {
		return nil, err
	}
	for _, listener := range listeners {
		state[Thing{"listener", listener}] = "listens"
	}
	return state, files(host.Root(), digests, state)
}

// Only is the part of a state that is of some kinds.
func (s State) Only(kinds ...string) State {
	part := maps.Clone(s)
	maps.DeleteFunc(part, func(thing Thing, _ string) bool { return !slices.Contains(kinds, thing.Kind) })
	return part
}

// Of returns how a thing is, "" for one that is not there.
func (s State) Of(kind, name string) string { return s[Thing{kind, name}] }

// Difference is a thing that is not as it was.
type Difference struct {
	Thing
	Before, After string // "" where it was not there, or is not
}

// String says it in one line.
func (d Difference) String() string {
	switch {
	case d.Before == "":
		return fmt.Sprintf("new %s: %s", d.Thing, d.After)
	case d.After == "":
		return fmt.Sprintf("no longer %s: was %s", d.Thing, d.Before)
	}
	return fmt.Sprintf("%s is %s, was %s", d.Thing, d.After, d.Before)
}

// Differences are in what a later state is another, by name, less the exceptions.
func (s State) Differences(after State, except Exceptions) []Difference {
	var all []Difference
	for thing, was := range s {
		if is, there := after[thing]; !there || is != was {
			all = append(all, Difference{thing, was, is})
		}
	}
	for thing, is := range after {
		if _, there := s[thing]; !there {
			all = append(all, Difference{thing, "", is})
		}
	}
	all = slices.DeleteFunc(all, except.allow)
	slices.SortFunc(all, func(a, b Difference) int { return strings.Compare(a.Thing.String(), b.Thing.String()) })
	return all
}
