package resource

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// User is a system account with a group of its own name, as adduser --system --group
// would make it: when the package comes that brings it, it finds it there.
type User struct {
	Name   string
	Home   string // default /nonexistent; it is not made
	Shell  string // default /usr/sbin/nologin
	Absent bool
}

// ID implements recipe.Resource.
func (u User) ID() string { return "user:" + u.Name }

// Probes implements recipe.Resource.
func (u User) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.UserKey(u.Name)}, {Key: recipe.GroupKey(u.Name)}}
}

// Validate refuses what cannot be meant.
func (u User) Validate() error {
	for _, path := range []string{u.Home, u.Shell} {
		if path == "" {
			continue
		}
		if err := checkPath("user "+u.Name, path); err != nil {
			return err
		}
		if strings.Contains(path, ":") { // it parts the fields of passwd(5)
			return fmt.Errorf("user %s %q: has a colon", u.Name, path)
		}
	}
	return checkName("user", u.Name, accountName)
}

// Diff implements recipe.Resource.
func (u User) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.User(u.Name)
	wanted := recipe.User{Exists: true, Group: u.Name, Home: u.Home, Shell: u.Shell}
	if wanted.Home == "" {
		wanted.Home = "/nonexistent"
	}
	if wanted.Shell == "" {
		wanted.Shell = "/usr/sbin/nologin"
	}
	switch {
	case u.Absent && found.Exists:
		return recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted", Steps: []recipe.Step{recipe.Exec{
			Name: "remove user " + u.Name, Script: "userdel " + u.Name,
			Outcome: []recipe.Effect{
				recipe.Known(recipe.UserKey(u.Name), recipe.User{}),
				recipe.Known(recipe.GroupKey(u.Name), recipe.Group{}),
			},
		}}}, nil
	case u.Absent:
		return recipe.Change{}, nil
	case !found.Exists:
		return recipe.Change{Kind: recipe.Create, Summary: "system account, home " + wanted.Home, Steps: []recipe.Step{u.add(wanted, facts)}}, nil
	}
	return u.modify(found, wanted), nil
}

// modify changes what of an account is another, and nothing else.
func (u User) modify(found, wanted recipe.User) recipe.Change {
	var deltas []recipe.Delta
	options := ""
	for _, field := range []recipe.Delta{{Name: "home", Before: found.Home, After: wanted.Home}, {Name: "shell", Before: found.Shell, After: wanted.Shell}} {
		if field.Before != field.After {
			deltas = append(deltas, field)
			options += " --" + field.Name + " " + script.Quote(field.After)
		}
	}
	if len(deltas) == 0 {
		return recipe.Change{}
	}
	return recipe.Change{
		Kind: recipe.Update, Deltas: deltas,
		Steps: []recipe.Step{recipe.Exec{
			Name: "change user " + u.Name, Script: "usermod" + options + " " + u.Name,
			Outcome: []recipe.Effect{recipe.Known(recipe.UserKey(u.Name), wanted)},
		}},
	}
}

func (u User) add(wanted recipe.User, facts recipe.Facts) recipe.Step {
	group := "--user-group"
	if facts.Group(u.Name).Exists {
		group = "--gid " + u.Name
	}
	own := facts.Group(u.Name) // one that is there keeps its members
	own.Exists = true
	return recipe.Exec{
		Name: "add user " + u.Name,
		Script: "useradd --system --no-create-home " + group + " --home-dir " + script.Quote(wanted.Home) +
			" --shell " + script.Quote(wanted.Shell) + " " + u.Name,
		Outcome: []recipe.Effect{
			recipe.Known(recipe.UserKey(u.Name), wanted),
			recipe.Known(recipe.GroupKey(u.Name), own),
		},
	}
}

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
