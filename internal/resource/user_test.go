package resource_test

import (
	"fmt"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestUserInFull(t *testing.T) {
	const hash = "$y$j9T$salt$hash/hash."
	account := func(change func(*recipe.User)) recipe.Effect {
		is := recipe.User{Exists: true, UID: 1000, Group: "u", Home: "/home/u", Shell: "/bin/bash", Comment: "U", Password: recipe.Digest([]byte(hash))}
		change(&is)
		return recipe.Known(recipe.UserKey("u"), is)
	}
	same := account(func(*recipe.User) {})
	home := found("/home/u", recipe.Path{Type: recipe.PathDirectory, Mode: 0o700})
	group := func(name string, members ...string) recipe.Effect {
		return recipe.Known(recipe.GroupKey(name), recipe.Group{Exists: true, Members: members})
	}
	person := resource.User{Name: "u", Login: true}
	gone := resource.User{Name: "u", Login: true, Groups: []string{"sudo"}, Absent: true}
	withHash := resource.User{Name: "u", Login: true, Password: recipe.NewSecret(hash)}
	check(t, []row{
		{name: "a person, none", wanted: person, kind: recipe.Create, steps: "add user u"},
		{name: "a person, same", wanted: person, found: one(same, home)},
		{name: "a person, no home", wanted: person, found: one(same), kind: recipe.Update, steps: "make directory /home/u", deltas: "home not there→made"},
		{name: "a system's becomes a person's", wanted: person, found: one(home, account(func(a *recipe.User) { a.Home, a.Shell = "/nonexistent", "/usr/sbin/nologin" })),
			kind: recipe.Update, steps: "change user u", deltas: "home /nonexistent→/home/u; shell /usr/sbin/nologin→/bin/bash"},
		{name: "uid", wanted: resource.User{Name: "u", Login: true, UID: 2000}, found: one(same, home), kind: recipe.Update, steps: "change user u", deltas: "uid 1000→2000"},
		{name: "group", wanted: resource.User{Name: "u", Login: true, Group: "staff"}, found: one(same, home, group("staff")), kind: recipe.Update, steps: "change user u", deltas: "group u→staff"},
		{name: "no group", wanted: resource.User{Name: "u", Login: true, Group: "staff"}, found: one(same, home), err: "there is no group staff"},
		{name: "no groups", wanted: resource.User{Name: "u", Groups: []string{"sudo"}}, err: "there is no group sudo"},
		{name: "none, groups", wanted: resource.User{Name: "u", Groups: []string{"sudo", "adm"}}, found: one(group("sudo", "x"), group("adm")), kind: recipe.Create, steps: "add user u"},
		{name: "groups", wanted: resource.User{Name: "u", Login: true, Groups: []string{"sudo", "adm"}}, found: one(same, home, group("sudo", "u"), group("adm", "x")),
			kind: recipe.Update, steps: "change user u", deltas: "groups →adm"},
		{name: "comment", wanted: resource.User{Name: "u", Login: true, Comment: "V"}, found: one(same, home), kind: recipe.Update, steps: "change user u", deltas: "comment U→V"},
		{name: "none, password", wanted: withHash, kind: recipe.Create, steps: "add user u; set the password of u"},
		{name: "password, same", wanted: withHash, found: one(same, home)},
		{name: "password", wanted: withHash, found: one(home, account(func(a *recipe.User) { a.Password = "other" })), kind: recipe.Update, steps: "set the password of u", deltas: "password another→as wanted"},
		{name: "gone, none", wanted: gone, found: one(group("sudo"))},
		{name: "gone, there", wanted: gone, found: one(same, home, group("sudo", "a", "u"), group("u", "u")), kind: recipe.Delete, steps: "remove user u"},
	})
	facts := recipe.Facts{}
	facts.Apply(one(same, home, group("sudo", "a", "u"), group("u", "other")))
	change, err := gone.Diff(facts)
	if err != nil || change.Summary != "no longer wanted; /home/u stays" {
		t.Errorf("%+v, %v", change, err)
	}
	facts.Apply(change.Effects())
	if sudo, own := facts.Group("sudo"), facts.Group("u"); len(sudo.Members) != 1 || !own.Exists {
		t.Errorf("then there are %+v and %+v", sudo, own)
	}
	added, err := withHash.Diff(recipe.Facts{})
	if err != nil || strings.Contains(fmt.Sprintf("%+v", added), hash) {
		t.Errorf("its hash is shown: %+v, %v", added, err)
	}
}

func TestUsersThatAreRefused(t *testing.T) {
	for name, bad := range map[string]resource.User{
		"a colon in a comment":   {Name: "u", Comment: "a:b"},
		"a comment of two lines": {Name: "u", Comment: "a\nb"},
		"a negative uid":         {Name: "u", UID: -1},
		"a group's name":         {Name: "u", Group: "a b"},
		"a name in groups":       {Name: "u", Groups: []string{"adm", "a,b"}},
		"a plain password":       {Name: "u", Password: recipe.NewSecret("hunter2")},
		"a hash of two lines":    {Name: "u", Password: recipe.NewSecret("$6$a$b\nroot:$6$a$b")},
		"a hash with a colon":    {Name: "u", Password: recipe.NewSecret("$6$a$b:c")},
		"a shell":                {Name: "u", Shell: "bash"},
	} {
		err := bad.Validate()
		if err == nil {
			t.Errorf("%s: not refused", name)
		} else if text := bad.Password.Reveal(); text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: shown: %v", name, err)
		}
	}
	for _, hash := range []string{"$6$rounds=5000$salt$hash", "$y$j9T$a$b", "!$6$a$b", "*", "!"} {
		if err := (resource.User{Name: "u", Password: recipe.NewSecret(hash)}).Validate(); err != nil {
			t.Error(err)
		}
	}
}
