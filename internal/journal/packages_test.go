package journal_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// fakeApt is an apt-get that tells what it was asked and what it saw of policy-rc.d, and a
// dpkg that finds nothing wrong. $dir/apt-get.sh, where there is one, is how it goes on.
func fakeApt(t *testing.T, m *machine) {
	t.Helper()
	m.write(t, m.dir+"/lib/dpkg/updates/none", "")
	os.Remove(m.dir + "/lib/dpkg/updates/none")
	m.write(t, m.dir+"/lib/apt/lists/x", "")
	m.fake(t, "apt-get", `
for verb; do case $verb in update | install | purge) break ;; esac; done
[ "$1" != -s ] || verb=simulate
[ $verb = simulate ] || {
	printf 'apt-get'; printf ' %s' "$@"; echo
	[ "$DEBIAN_FRONTEND $NEEDRESTART_MODE" = "noninteractive a" ] || echo "ENVIRONMENT"
	read -r line && echo "INPUT IS OPEN"
	[ "$verb" != install ] || { /usr/sbin/policy-rc.d; echo "services may start: $?"; }
} >>`+m.dir+`/log
[ ! -e `+m.dir+`/apt-get.sh ] || . `+m.dir+`/apt-get.sh
`)
	m.fake(t, "dpkg", `printf 'dpkg'  >>`+m.dir+`/log; printf ' %s' "$@" >>`+m.dir+`/log; echo >>`+m.dir+`/log`)
}

func (m *machine) log(t *testing.T) string {
	t.Helper()
	return read(t, m.dir+"/log")
}

// policy is what stands at /usr/sbin/policy-rc.d: its text, or the target of a link.
func (m *machine) policy() string {
	path := m.dir + "/sbin/policy-rc.d"
	if target, err := os.Readlink(path); err == nil {
		return "-> " + target
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "none"
	}
	return string(content)
}

func install(names ...string) recipe.InstallPackages { return recipe.InstallPackages{Names: names} }

func TestInstallAsksNothingAndStartsNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeApt(t, m)
	c := m.begin(t)
	c.do(t, recipe.InstallPackages{Names: []string{"nginx-light", "g++-12"}, Update: true})
	log := m.log(t)
	for _, want := range []string{
		"--no-install-recommends --no-remove install -- nginx-light g++-12\n", "DPkg::Lock::Timeout=", "--force-confold", "--force-confdef",
		"services may start: 101", " update\n", "dpkg --audit",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is missing in\n%s", want, log)
		}
	}
	for _, bad := range []string{"ENVIRONMENT", "INPUT IS OPEN", "--configure"} {
		if strings.Contains(log, bad) {
			t.Errorf("%q in\n%s", bad, log)
		}
	}
	if strings.Index(log, " update\n") > strings.Index(log, " install -- ") {
		t.Error("the lists were fetched after the install")
	}
	if got := m.policy(); got != "none" {
		t.Errorf("policy-rc.d: %q", got)
	}
	c.finish(t)
	m.noTemporaries(t)
}

func TestPolicyComesBack(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]func(t *testing.T, m *machine){
		"none":          func(*testing.T, *machine) {},
		"a script":      func(t *testing.T, m *machine) { m.fake(t, "policy-rc.d", "exit 0 # the host's own") },
		"a link":        func(t *testing.T, m *machine) { os.Symlink(m.dir+"/victim", m.dir+"/sbin/policy-rc.d") },
		"a broken link": func(t *testing.T, m *machine) { os.Symlink("/nowhere", m.dir+"/sbin/policy-rc.d") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			fakeApt(t, m)
			m.write(t, m.dir+"/victim", "precious")
			own(t, m)
			before := m.policy()
			c := m.begin(t)

			c.do(t, install("x"))
			if got := m.policy(); got != before {
				t.Errorf("after an install: %q, want %q", got, before)
			}

			m.write(t, m.dir+"/apt-get.sh", "echo out; echo 'E: dpkg was sad' >&2; exit 100")
			failed := c.fails(t, install("x"))
			if failed.Status != 100 || !strings.Contains(failed.Output, "E: dpkg was sad") || !strings.Contains(failed.Output, "out\n") {
				t.Errorf("status %d, output %q", failed.Status, failed.Output)
			}
			if got := m.policy(); got != before {
				t.Errorf("after an install that failed: %q, want %q", got, before)
			}

			m.write(t, m.dir+"/apt-get.sh", "echo $$ >"+m.dir+"/pid.new; mv "+m.dir+"/pid.new "+m.dir+"/pid; exec sleep 60")
			ended := c.background(t, install("x"))
			eventually(t, "apt-get runs", func() bool { return exists(m.dir + "/pid") })
			c.kill(t)
			<-ended
			if got := m.policy(); !strings.Contains(got, "exit 101") {
				t.Errorf("while the orphan runs: %q", got)
			}
			endProcess(t, m.dir+"/pid")
			m.begin(t).finish(t)
			if got := m.policy(); got != before {
				t.Errorf("after the next run's begin: %q, want %q", got, before)
			}
			if read(t, m.dir+"/victim") != "precious" {
				t.Error("a link was written through")
			}
			m.noTemporaries(t)
		})
	}
}

// Each moment at which release_services or hold_services can die, as what is on the disk.
func TestPolicyComesBackFromEveryMoment(t *testing.T) {
	t.Parallel()
	const ours, own = "#!/bin/sh\nexit 101\n", "#!/bin/sh\nexit 0\n"
	for name, test := range map[string]struct{ policy, kept, held, want string }{
		"copied, not noted":     {own, own, "", own},
		"noted, not ours":       {own, own, "x", own},
		"ours":                  {ours, own, "x", own},
		"back, still noted":     {own, own, "x", own},
		"back, copy left":       {own, own, "", own},
		"copy left, none since": {"", own, "", "none"},
		"ours, there was none":  {ours, "", "x", "none"},
		"noted, there was none": {"", "", "x", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			for path, text := range map[string]string{m.dir + "/sbin/policy-rc.d": test.policy, m.state("policy-kept"): test.kept, m.state("policy-held"): test.held} {
				if text != "" {
					m.write(t, path, text)
				}
			}
			m.begin(t).finish(t)
			if got := m.policy(); got != test.want {
				t.Errorf("policy %q, want %q", got, test.want)
			}
			// And once more, with an install: a copy of long ago must not come back.
			fakeApt(t, m)
			c := m.begin(t)
			c.do(t, install("x"))
			if got := m.policy(); got != test.want {
				t.Errorf("policy after an install %q, want %q", got, test.want)
			}
		})
	}
}

func TestListsThatAreLockedAreWaitedFor(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeApt(t, m)
	m.write(t, m.dir+"/apt-get.sh", `[ "$verb" = update ] && [ ! -e `+m.dir+`/once ] && {
	touch `+m.dir+`/once
	echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)" >&2
	echo "E: Unable to lock directory /var/lib/apt/lists/" >&2
	exit 100
}
:`)
	c := m.begin(t)
	c.do(t, recipe.InstallPackages{Names: []string{"x"}, Update: true})
	if told := strings.Join(c.lines, "\n"); !strings.Contains(told, "waiting: E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711") {
		t.Errorf("told:\n%s", told)
	}
	if want := []string{"waiting: E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)"}; !slices.Equal(c.notes, want) {
		t.Errorf("notes %q", c.notes)
	}
	if n := strings.Count(m.log(t), " update\n"); n != 2 {
		t.Errorf("%d updates, want 2", n)
	}
}

func TestMirrorThatIsDownFailsTheStep(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeApt(t, m)
	m.write(t, m.dir+"/apt-get.sh", `[ "$verb" != update ] || { echo "E: Failed to fetch http://mirror/" >&2; exit 100; }`)
	c := m.begin(t)
	failed := c.fails(t, recipe.InstallPackages{Names: []string{"x"}, Update: true})
	if failed.Status != 100 || !strings.Contains(failed.Output, "Failed to fetch http://mirror/") {
		t.Errorf("status %d, output %q", failed.Status, failed.Output)
	}
	if strings.Contains(m.log(t), "install --") || m.policy() != "none" {
		t.Errorf("policy %q, log:\n%s", m.policy(), m.log(t))
	}
}

func TestStaleListsAreFetchedAndTheInstallTriedAgain(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"E: Failed to fetch http://x/y.deb  404  Not Found", "E: Unable to locate package x", "E: Package 'x' has no installation candidate"} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			fakeApt(t, m)
			m.write(t, m.dir+"/apt-get.sh", `case $verb in
update) touch `+m.dir+`/updated ;;
install) [ -e `+m.dir+`/updated ] || { echo "`+said+`" >&2; exit 100; } ;;
esac`)
			c := m.begin(t)
			c.do(t, install("x"))
			if n := strings.Count(m.log(t), " install -- x\n"); n != 2 {
				t.Errorf("%d installs, want 2", n)
			}
			// What an update does not mend fails, once.
			m.write(t, m.dir+"/apt-get.sh", `[ "$verb" != install ] || { echo "`+said+`" >&2; exit 100; }`)
			if failed := c.fails(t, install("x")); !strings.Contains(failed.Output, said) {
				t.Errorf("output %q", failed.Output)
			}
			if n := strings.Count(m.log(t), " install -- x\n"); n != 4 {
				t.Errorf("%d installs, want 4", n)
			}
			if m.policy() != "none" {
				t.Errorf("policy %q", m.policy())
			}
		})
	}
}

func TestInterruptedDpkgIsFinishedFirst(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeApt(t, m)
	m.write(t, m.dir+"/lib/dpkg/updates/0001", "half")
	m.write(t, m.dir+"/apt-get.sh", "")
	m.fake(t, "dpkg", `printf 'dpkg'  >>`+m.dir+`/log; printf ' %s' "$@" >>`+m.dir+`/log; echo >>`+m.dir+`/log
case "$*" in *--configure*) /usr/sbin/policy-rc.d; [ $? = 101 ] && rm /var/lib/dpkg/updates/0001 ;; esac`)
	c := m.begin(t)
	c.do(t, install("x"), install("y"))
	log := m.log(t)
	if n := strings.Count(log, "--configure -a"); n != 1 || strings.Index(log, "--configure -a") > strings.Index(log, "apt-get") {
		t.Errorf("configured %d times:\n%s", n, log)
	}
	if want := []string{"dpkg was interrupted before: dpkg --configure -a"}; !slices.Equal(c.notes, want) || m.policy() != "none" {
		t.Errorf("notes %q, policy %q", c.notes, m.policy())
	}
}
