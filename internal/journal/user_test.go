package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// An account as a person has it, changed in all that there is to it, and gone.
func TestUser(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withAccounts(t)
	c := m.begin(t)
	hash := "$6$salt.salt$" + strings.Repeat("x", 86)
	home := m.root + "/home of u"
	user := resource.User{
		Name: "labu", Login: true, Groups: []string{"adm", "daemon"}, Home: home, Comment: "it's U, $(id)", Password: recipe.NewSecret(hash),
	}
	c.becomes(t, user)
	if line := shadow(t, m, "labu"); !strings.HasPrefix(line, "labu:"+hash+":") {
		t.Errorf("shadow has %q", line)
	}
	if !exists(home+"/.profile") && exists("/etc/skel/.profile") {
		t.Error("nothing of /etc/skel is in its home")
	}
	user.Groups = []string{"sys"} // those that are not named stay
	user.UID, user.Group, user.Shell, user.Comment = 4242, "daemon", "/bin/sh", "another"
	user.Home, user.Password = m.root+"/elsewhere", recipe.NewSecret("*")
	change := c.becomes(t, user)
	if names := m.groupsOf(t, "labu"); names != "daemon sys adm" {
		t.Errorf("it is in %q", names)
	}
	if len(change.Steps) != 3 || !exists(home) || !exists(user.Home) {
		t.Errorf("steps %v", change.Steps)
	}
	if change := c.becomes(t, resource.User{Name: "labu", Login: true, Home: user.Home, Shell: "/bin/sh"}); !change.Empty() {
		t.Errorf("what is not named is changed: %+v", change)
	}
	user.Absent = true
	c.becomes(t, user)
	if names := m.groupsOf(t, "labu"); names != "" || !exists(user.Home) {
		t.Errorf("it is gone, and in %q", names)
	}
	c.finish(t)
	for _, line := range c.lines {
		if strings.Contains(line, hash) {
			t.Errorf("shown: %q", line)
		}
	}
}

// A home that is there already is another's, or was made with care: it stays as it is.
func TestUserTakesNoHome(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withAccounts(t)
	c := m.begin(t)
	m.write(t, m.root+"/home/file", "x")
	c.becomes(t, resource.User{Name: "labu", Login: true, Home: m.root + "/home"})
	if stat, err := os.Stat(m.root + "/home"); err != nil || stat.Mode().Perm() != 0o755 || exists(m.root+"/home/.profile") {
		t.Errorf("%v, %v", stat, err)
	}
	c.becomes(t, resource.User{Name: "labs", UID: 777, Group: "daemon"})
	c.becomes(t, resource.User{Name: "labs", Home: "/srv", Absent: true})
}

func shadow(t *testing.T, m *machine, name string) string {
	t.Helper()
	for line := range strings.Lines(read(t, m.dir+"/etc/shadow")) {
		if strings.HasPrefix(line, name+":") {
			return line
		}
	}
	return ""
}

// groupsOf are the groups that have an account as a member, sorted.
func (m *machine) groupsOf(t *testing.T, user string) string {
	t.Helper()
	var names []string
	for line := range strings.Lines(read(t, m.dir+"/etc/group")) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		for _, member := range strings.Split(fields[3], ",") {
			if member == user {
				names = append(names, fields[0])
			}
		}
	}
	return strings.Join(names, " ")
}

// A key is where sshd looks for it, as sshd wants it, and belongs to the account.
func TestAuthorizedKey(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withAccounts(t)
	open(t, m.root)
	c := m.begin(t)
	home := m.root + "/home"
	c.becomes(t, resource.User{Name: "labu", Login: true, Home: home})
	key := resource.AuthorizedKey{User: "labu", Home: home, Key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS it's mine"}
	c.becomes(t, key)
	file := home + "/.ssh/authorized_keys"
	if got := read(t, file); got != key.Key+"\n" {
		t.Errorf("the file holds %q", got)
	}
	stat, err := os.Stat(file)
	if err != nil || stat.Mode().Perm() != 0o600 || stat.Sys().(*syscall.Stat_t).Uid == 0 {
		t.Errorf("%v, %v", stat, err)
	}
	m.write(t, file, "# theirs\n"+key.Key+"\nanother\n")
	os.Chmod(file, 0o666)
	os.Chmod(home+"/.ssh", 0o777)
	c.becomes(t, key)
	key.Absent = true
	c.becomes(t, key)
	if got := read(t, file); got != "# theirs\nanother\n" {
		t.Errorf("the file holds %q", got)
	}
	c.finish(t)
	m.noTemporaries(t)
}

// The account has made a link of its directory: neither is anything read by it, which would come
// back in a file of the account, nor written.
func TestAuthorizedKeyOfAnAccountThatPlantsLinks(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withAccounts(t)
	open(t, m.root)
	c := m.begin(t)
	home := m.root + "/home"
	c.becomes(t, resource.User{Name: "labu", Login: true, Home: home})
	key := resource.AuthorizedKey{User: "labu", Home: home, Key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS it's mine"}
	change := c.becomes(t, key)
	m.write(t, m.dir+"/victim/authorized_keys", "root's")
	for _, dir := range []string{home, home + "/.ssh"} {
		os.Chown(dir, nobody, nobody)
	}
	os.Rename(home+"/.ssh", home+"/old")
	if err := os.Symlink(m.dir+"/victim", home+"/.ssh"); err != nil {
		t.Fatal(err)
	}
	before := m.victim(t)
	if got := c.ask(t, key.Probes()).Content(home + "/.ssh/authorized_keys"); got.Bytes != nil {
		t.Errorf("read by a link: %q", got.Bytes)
	}
	for _, step := range change.Steps {
		_ = c.try(t.Context(), step)
	}
	if after := m.victim(t); after != before {
		t.Errorf("what is root's was\n%s\nis\n%s", before, after)
	}
}

// open lets other accounts come to a directory of the test.
func open(t *testing.T, dir string) {
	t.Helper()
	for ; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
