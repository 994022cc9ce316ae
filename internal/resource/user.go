package resource

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// User is an account. Without Login it is a service's: a system account, as adduser --system
// --group would make it, so that the package that brings it finds it there. With Login it is a
// person's.
//
//	User{Name: "deploy", Login: true, Groups: []string{"sudo"}, Comment: "Deploys the shop"}
//
// See useradd(8), usermod(8), passwd(5) and shadow(5).
type User struct {
	Name     string
	Login    bool          // a person's: a number of people's, a home that is made with what is in /etc/skel, and a shell
	UID      int           // its number; 0 is the next that is free. Files outside its home keep the old one
	Group    string        // its primary group, which is there before; default one of its own name, made with it
	Groups   []string      // groups that it is in besides; in those that are not named it stays as it is, until it is Absent: then it is in none
	Home     string        // default /home/NAME with Login, else /nonexistent, which is not made. An old one is not moved
	Shell    string        // default /bin/bash with Login, else /usr/sbin/nologin
	Comment  string        // its full name, or what it is for; "" leaves what is there
	Password recipe.Secret // its hash, as openssl passwd -6 prints it, or "*" for none that fits; without one it stays as it is
	Absent   bool          // its home stays
}

// ID implements recipe.Resource.
func (u User) ID() string { return "user:" + u.Name }

// Probes implements recipe.Resource.
func (u User) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.UserKey(u.Name), Digest: !u.Password.Empty()}, {Key: recipe.GroupKey(u.Name)}}
	for _, group := range u.named() {
		probes = append(probes, recipe.Probe{Key: recipe.GroupKey(group)})
	}
	if u.Login {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(u.home())})
	}
	return probes
}

// named are the groups that are there before the user is.
func (u User) named() []string {
	if u.Group == "" || u.Group == u.Name {
		return u.Groups
	}
	return append([]string{u.Group}, u.Groups...)
}

func (u User) home() string {
	if u.Home == "" && u.Login {
		return "/home/" + u.Name
	}
	return cmp.Or(u.Home, "/nonexistent")
}

func (u User) shell() string {
	if u.Shell == "" && u.Login {
		return "/bin/bash"
	}
	return cmp.Or(u.Shell, "/usr/sbin/nologin")
}

// passwordHash is one of crypt(5), locked or not, or what no password ever fits.
var passwordHash = regexp.MustCompile(`^(!?\$[0-9a-z]+\$[!-9;-~]+|!|\*)$`)

// Validate refuses what cannot be meant.
func (u User) Validate() error {
	for _, path := range []string{u.home(), u.shell()} {
		if err := checkPath("user "+u.Name, path); err != nil {
			return err
		}
		if strings.Contains(path, ":") { // it parts the fields of passwd(5)
			return fmt.Errorf("user %s %q: has a colon", u.Name, path)
		}
	}
	for _, group := range u.named() {
		if err := checkName("group", group, accountName); err != nil {
			return err
		}
	}
	switch {
	case strings.ContainsAny(u.Comment, ":\n\r\x00"):
		return fmt.Errorf("user %s: comment %q has a colon or a newline", u.Name, u.Comment)
	case u.UID < 0 || u.UID > 1<<31:
		return fmt.Errorf("user %s: uid %d is not one", u.Name, u.UID)
	case !u.Password.Empty() && !passwordHash.MatchString(u.Password.Reveal()):
		return fmt.Errorf("user %s: its password is no hash of crypt(5): openssl passwd -6 makes one", u.Name)
	}
	return checkName("user", u.Name, accountName)
}

// Diff implements recipe.Resource.
func (u User) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.User(u.Name)
	if u.Absent {
		return u.remove(found, facts), nil
	}
	for _, group := range u.named() {
		if !facts.Group(group).Exists {
			return recipe.Change{}, fmt.Errorf("there is no group %s", group)
		}
	}
	wanted := recipe.User{Exists: true, UID: u.UID, Group: u.Group, Home: u.home(), Shell: u.shell(), Comment: u.Comment}
	if !found.Exists {
		return u.add(wanted, facts), nil
	}
	wanted.UID, wanted.Group, wanted.Comment = cmp.Or(u.UID, found.UID), cmp.Or(u.Group, found.Group), cmp.Or(u.Comment, found.Comment)
	wanted.Password = found.Password
	return u.modify(found, wanted, facts), nil
}

// add makes the account. What is at its home already stays as it is.
func (u User) add(wanted recipe.User, facts recipe.Facts) recipe.Change {
	wanted.Group = cmp.Or(wanted.Group, u.Name)
	if !u.Password.Empty() {
		wanted.Password = recipe.Digest([]byte("!")) // useradd locks it
	}
	options := []string{"--no-create-home", "--home-dir", wanted.Home, "--shell", wanted.Shell}
	outcome := []recipe.Effect{recipe.Known(recipe.UserKey(u.Name), wanted)}
	if u.Login && facts.Path(wanted.Home).Type == recipe.PathAbsent {
		options[0] = "--create-home"
		options = append(options, "--key", "HOME_MODE=0700") // login.defs(5): a home is its owner's
		outcome = append(outcome, u.home0700(wanted)...)
	}
	if !u.Login {
		options = append(options, "--system")
	}
	if wanted.Group == u.Name && !facts.Group(u.Name).Exists {
		options = append(options, "--user-group")
		outcome = append(outcome, recipe.Known(recipe.GroupKey(u.Name), recipe.Group{Exists: true}))
	} else {
		options = append(options, "--gid", wanted.Group)
	}
	if u.UID != 0 {
		options = append(options, "--uid", strconv.Itoa(u.UID))
	}
	if u.Comment != "" {
		options = append(options, "--comment", u.Comment)
	}
	if len(u.Groups) > 0 {
		options = append(options, "--groups", strings.Join(u.Groups, ","))
		outcome = append(outcome, u.joined(u.Groups, facts)...)
	}
	change := recipe.Change{Kind: recipe.Create, Summary: "system account, home " + wanted.Home, Steps: []recipe.Step{recipe.Exec{
		Name: "add user " + u.Name, Script: "useradd " + script.QuoteAll(append(options, u.Name)...), Outcome: outcome,
	}}}
	if u.Login {
		change.Summary = "account, home " + wanted.Home
	}
	change.Steps = append(change.Steps, u.setPassword(wanted)...)
	return change
}

// home0700 are the effects of making a home. What /etc/skel has is Debian's, and may be more.
func (u User) home0700(wanted recipe.User) []recipe.Effect {
	effects := []recipe.Effect{recipe.Known(recipe.PathKey(wanted.Home), recipe.Path{Type: recipe.PathDirectory, Mode: 0o700, Owner: u.Name, Group: wanted.Group})}
	for _, name := range []string{"/.bashrc", "/.profile", "/.bash_logout"} {
		effects = append(effects, recipe.ChangedBy("user "+u.Name+" is added", recipe.PathKey(wanted.Home+name))...)
	}
	return effects
}

// joined are the effects of being added to groups.
func (u User) joined(groups []string, facts recipe.Facts) []recipe.Effect {
	var effects []recipe.Effect
	for _, name := range groups {
		group := facts.Group(name)
		if !slices.Contains(group.Members, u.Name) {
			group.Members = append(slices.Clone(group.Members), u.Name)
		}
		effects = append(effects, recipe.Known(recipe.GroupKey(name), group))
	}
	return effects
}

// setPassword gives the account its hash, which is in no argv: chpasswd(8) reads it.
func (u User) setPassword(account recipe.User) []recipe.Step {
	if u.Password.Empty() {
		return nil
	}
	account.Password = recipe.Digest([]byte(u.Password.Reveal()))
	return []recipe.Step{recipe.Exec{
		Name: "set the password of " + u.Name, Script: "chpasswd --encrypted", Input: recipe.NewSecret(u.Name + ":" + u.Password.Reveal() + "\n"),
		Outcome: []recipe.Effect{recipe.Known(recipe.UserKey(u.Name), account)},
	}}
}

// modify changes what of an account is another, and nothing else.
func (u User) modify(found, wanted recipe.User, facts recipe.Facts) recipe.Change {
	change := recipe.Change{}
	var options []string
	for _, field := range []struct{ option, before, after string }{
		{"uid", strconv.Itoa(found.UID), strconv.Itoa(wanted.UID)}, {"gid", found.Group, wanted.Group},
		{"home", found.Home, wanted.Home}, {"shell", found.Shell, wanted.Shell}, {"comment", found.Comment, wanted.Comment},
	} {
		if field.before != field.after {
			options = append(options, "--"+field.option, field.after)
			name := strings.Replace(field.option, "gid", "group", 1)
			change.Deltas = append(change.Deltas, recipe.Delta{Name: name, Before: field.before, After: field.after})
		}
	}
	outcome := []recipe.Effect{recipe.Known(recipe.UserKey(u.Name), wanted)}
	missing := slices.DeleteFunc(slices.Clone(u.Groups), func(group string) bool {
		return group == wanted.Group || slices.Contains(facts.Group(group).Members, u.Name)
	})
	if len(missing) > 0 {
		options = append(options, "--append", "--groups", strings.Join(missing, ","))
		outcome = append(outcome, u.joined(missing, facts)...)
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "groups", After: strings.Join(missing, ", ")})
	}
	if len(options) > 0 {
		change.Steps = append(change.Steps, recipe.Exec{
			Name: "change user " + u.Name, Script: "usermod " + script.QuoteAll(append(options, u.Name)...), Outcome: outcome,
		})
	}
	if u.Login && facts.Path(wanted.Home).Type == recipe.PathAbsent {
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "home", Before: "not there", After: "made"})
		change.Steps = append(change.Steps, recipe.MakeDirectory{Path: wanted.Home, Attributes: recipe.Attributes{Mode: 0o700, Owner: u.Name, Group: wanted.Group}})
	}
	if set := u.setPassword(wanted); set != nil && found.Password != recipe.Digest([]byte(u.Password.Reveal())) {
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "password", Before: "another", After: "as wanted"})
		change.Steps = append(change.Steps, set...)
	}
	if len(change.Steps) > 0 {
		change.Kind = recipe.Update
	}
	return change
}

// remove takes the account away, out of the groups that it was in, and the group of its own name
// where nobody else is in it (userdel(8), USERGROUPS_ENAB).
func (u User) remove(found recipe.User, facts recipe.Facts) recipe.Change {
	if !found.Exists {
		return recipe.Change{}
	}
	others := func(name string) recipe.Group {
		group := facts.Group(name)
		group.Members = slices.DeleteFunc(slices.Clone(group.Members), func(member string) bool { return member == u.Name })
		if len(group.Members) == 0 {
			group.Members = nil
		}
		return group
	}
	own := others(u.Name)
	if found.Group == u.Name && len(own.Members) == 0 {
		own = recipe.Group{}
	}
	outcome := []recipe.Effect{recipe.Known(recipe.UserKey(u.Name), recipe.User{}), recipe.Known(recipe.GroupKey(u.Name), own)}
	for _, group := range u.named() {
		outcome = append(outcome, recipe.Known(recipe.GroupKey(group), others(group)))
	}
	change := recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted"}
	if u.Login && facts.Path(u.home()).Type != recipe.PathAbsent {
		change.Summary += "; " + u.home() + " stays"
		// Its owner is a number then.
		outcome = append(outcome, recipe.UnknownUntil(recipe.PathKey(u.home()), "user "+u.Name+" is removed"))
	}
	change.Steps = []recipe.Step{recipe.Exec{Name: "remove user " + u.Name, Script: "userdel " + u.Name, Outcome: outcome}}
	return change
}

// Trace implements recipe.Remembered.
func (u User) Trace() recipe.Trace { return recipe.Trace{Kind: "user", Name: u.Name, Gone: u.Absent} }

// Besides are the groups that it is in besides its own: each leaves by itself.
func (u User) Besides() []recipe.Resource {
	if u.Absent {
		return nil
	}
	var groups []recipe.Resource
	for _, group := range u.Groups {
		groups = append(groups, Membership{User: u.Name, Group: group})
	}
	return groups
}

// Stood implements recipe.Remembered.
func (u User) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !facts.User(u.Name).Exists}
}

// leave implements leaver.
func (User) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	if !t.Gone && !t.Before.Nothing { // its shell or its password may be another than it was
		return nil, called(t) + " as it is now"
	}
	return l.dear(t, User{Name: t.Name, Absent: true})
}
