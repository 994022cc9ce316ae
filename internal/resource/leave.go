package resource

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Leaving is how traces leave of which no task wants anything any more.
type Leaving struct {
	Traces []recipe.Trace // of all that leaves
	Purge  bool           // packages, accounts and secrets that came for a task go too
	Spares []string       // packages that somebody wants: one that they depend on stays
}

// leaver is a kind of which a host remembers something.
type leaver interface {
	// leave returns what takes a trace of the kind away, nil for what stays; stays says what of it does.
	leave(t recipe.Trace, l Leaving) (gone recipe.Resource, stays string)
}

// kinds are the leavers, by the name that is in their traces.
var kinds = map[string]leaver{
	"alternative":    Alternative{},
	"authorized_key": AuthorizedKey{},
	"block":          Block{},
	"certificate":    Certificate{},
	"command":        Command{},
	"directory":      Directory{},
	"file":           Former{},
	"group":          Group{},
	"hold":           Hold{},
	"line":           Line{},
	"link":           Former{},
	"membership":     Membership{},
	"package":        Package{},
	"secret":         Secret{},
	"service":        Service{},
	"timezone":       Timezone{},
	"tree":           Tree{},
	"user":           User{},
}

// Resource returns what takes a trace away, nil for what stays; stays says in a word or two what of
// it does, of what came for a task.
func (l Leaving) Resource(t recipe.Trace) (leaving recipe.Resource, stays string) {
	if t.Before == nil && t.Kind != "service" && t.Kind != "command" {
		return nil, l.unknown(t)
	}
	kind, known := kinds[t.Kind]
	if !known { // a newer program has noted it
		return l.dear(t, nil)
	}
	return kind.leave(t, l)
}

// unknown says that a thing stays of which it is not known whether it stood there before any task
// wanted it: where nothing of ours is certain, nothing is taken away.
func (l Leaving) unknown(t recipe.Trace) string {
	if t.Gone {
		return ""
	}
	return called(t) + " (it is not known whether it was there before)"
}

// called is what people call a thing.
func called(t recipe.Trace) string {
	switch {
	case t.Part():
		return strings.ReplaceAll(t.Kind, "_", " ") + " " + t.Called() + " of " + t.Name
	case t.Kind == "membership":
		return t.Name + " in the group " + t.Group
	}
	return t.Kind + " " + t.Name
}

// OnPurge reports whether a thing came for a task, and goes with it only when a purge is asked for.
func OnPurge(t recipe.Trace) bool {
	if t.Gone || t.Before == nil || !t.Before.Nothing {
		return false
	}
	goes, _ := Leaving{}.Resource(t)
	purged, _ := Leaving{Purge: true}.Resource(t)
	return t.Data || goes == nil && purged != nil
}

// dear is what stays unless a purge is asked for: what it took along could not be put back.
func (l Leaving) dear(t recipe.Trace, gone recipe.Resource) (recipe.Resource, string) {
	switch {
	case t.Gone || !t.Before.Nothing:
		return nil, ""
	case gone == nil || !l.Purge:
		return nil, t.Kind + " " + t.Name
	}
	return gone, ""
}

// purged are the packages that go.
func (l Leaving) purged() []string {
	var names []string
	for _, t := range l.Traces {
		if l.Purge && t.Kind == "package" && !t.Gone && t.Before != nil && t.Before.Nothing {
			names = append(names, t.Name)
		}
	}
	return names
}

// accounts are those that leave, which the scripts of a package may have taken away before.
func (l Leaving) accounts() []recipe.Key {
	keys := []recipe.Key{} // what else goes is behind what asks about it
	for _, t := range l.Traces {
		switch t.Kind {
		case "user":
			keys = append(keys, recipe.UserKey(t.Name), recipe.GroupKey(t.Name))
		case "group":
			keys = append(keys, recipe.GroupKey(t.Name))
		}
	}
	return keys
}

// below is what leaves of what is in a directory.
func (l Leaving) below(directory string) []string {
	var paths []string
	for _, t := range l.Traces {
		at, _ := At(t)
		if at = cmp.Or(at, t.Name); path.Dir(at) == directory && !slices.Contains(paths, at) {
			paths = append(paths, at)
		}
	}
	return paths
}
