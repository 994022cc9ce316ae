package resource

import (
	"fmt"
	"slices"

	"provision/internal/recipe"
)

// Group is a system group.
type Group struct {
	Name   string
	Absent bool
}

// ID implements recipe.Resource.
func (g Group) ID() string { return "group:" + g.Name }

// Probes implements recipe.Resource.
func (g Group) Probes() []recipe.Probe { return []recipe.Probe{{Key: recipe.GroupKey(g.Name)}} }

// Validate refuses what cannot be meant.
func (g Group) Validate() error { return checkName("group", g.Name, accountName) }

// Diff implements recipe.Resource.
func (g Group) Diff(facts recipe.Facts) (recipe.Change, error) {
	exists := facts.Group(g.Name).Exists
	if exists != g.Absent {
		return recipe.Change{}, nil
	}
	change := recipe.Change{Kind: recipe.Create, Summary: "system group"}
	verb := "groupadd --system "
	if g.Absent {
		change = recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted"}
		verb = "groupdel "
	}
	change.Steps = []recipe.Step{recipe.Exec{
		Name: verb + g.Name, Script: verb + g.Name,
		Outcome: []recipe.Effect{recipe.Known(recipe.GroupKey(g.Name), recipe.Group{Exists: !g.Absent})},
	}}
	return change, nil
}

// Membership is a user's place in a group beside its own.
type Membership struct {
	User   string
	Group  string
	Absent bool
}

// ID implements recipe.Resource.
func (m Membership) ID() string { return "membership:" + m.User + " in " + m.Group }

// Probes implements recipe.Resource.
func (m Membership) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.GroupKey(m.Group)}}
}

// Validate refuses what cannot be meant.
func (m Membership) Validate() error {
	if err := checkName("user", m.User, accountName); err != nil {
		return err
	}
	return checkName("group", m.Group, accountName)
}

// Diff implements recipe.Resource.
func (m Membership) Diff(facts recipe.Facts) (recipe.Change, error) {
	group := facts.Group(m.Group)
	member := slices.Contains(group.Members, m.User)
	if member != m.Absent {
		return recipe.Change{}, nil
	}
	if !group.Exists {
		return recipe.Change{}, fmt.Errorf("%s: there is no group %s", m.ID(), m.Group)
	}
	after := group
	change := recipe.Change{Kind: recipe.Create, Summary: "added"}
	option := "--add"
	if m.Absent {
		change = recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted"}
		option = "--delete"
		after.Members = slices.DeleteFunc(slices.Clone(group.Members), func(name string) bool { return name == m.User })
	} else {
		after.Members = append(slices.Clone(group.Members), m.User)
	}
	command := "gpasswd " + option + " " + m.User + " " + m.Group
	change.Steps = []recipe.Step{recipe.Exec{
		Name: command, Script: command,
		Outcome: []recipe.Effect{recipe.Known(recipe.GroupKey(m.Group), after)},
	}}
	return change, nil
}

// Trace implements recipe.Remembered.
func (g Group) Trace() recipe.Trace {
	return recipe.Trace{Kind: "group", Name: g.Name, Gone: g.Absent}
}

// Stood implements recipe.Remembered.
func (g Group) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !facts.Group(g.Name).Exists}
}

// leave implements leaver.
func (Group) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	return l.dear(t, Group{Name: t.Name, Absent: true})
}

// Trace implements recipe.Remembered.
func (m Membership) Trace() recipe.Trace {
	return recipe.Trace{Kind: "membership", Name: m.User, Group: m.Group, Gone: m.Absent}
}

// Stood implements recipe.Remembered.
func (m Membership) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !slices.Contains(facts.Group(m.Group).Members, m.User)}
}

// leave implements leaver.
func (Membership) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	if t.Gone || !t.Before.Nothing {
		return nil, ""
	}
	return Membership{User: t.Name, Group: t.Group, Absent: true}, ""
}
