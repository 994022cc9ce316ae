package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/proof"
)

// example is a project in examples, and how its task is tried. Removing it leaves its packages, so
// its hosts have them before; where what these run rewrites its own configuration, they have not,
// and all of it goes.
type example struct {
	name     string // of its folder
	task     string
	packages string
	hosts    int // that it takes, one where that is not said
	prepare  func(*testing.T, *demonstration)
	breaks   []fault // verify has to find each
	then     func(*testing.T, demonstration)
	leaves   []proof.Exception // what it leaves, as its page says
	long     bool              // it takes too long for CI: PROVISION_PROVE=all tries it
}

// fault is a script that breaks something on the first host, and one that mends it again; without
// one an install does.
type fault struct{ broken, mended string }

// examples are those of the folder that are tried, in the order of the days.
var examples = []example{
	{
		name: "base", task: "base", packages: "sudo tzdata nftables unattended-upgrades",
		breaks: []fault{
			{"systemctl stop apt-daily-upgrade.timer", ""},
			{"chmod 0777 /home/anna", "chmod 0700 /home/anna"}, // sshd takes no key from there
			{"sysctl -q net.ipv4.conf.all.rp_filter=0", ""},
		},
		then:   nobodyIsLockedOut,
		leaves: []proof.Exception{{Kind: "file", Name: regexp.MustCompile("^/home/(anna|ben)(/|$)"), Reason: "people's homes"}},
	},
	{
		name: "wsgi", task: "guestbook", packages: "nginx-light logrotate uwsgi-core uwsgi-plugin-python3 postgresql python3-psycopg2",
		breaks: []fault{
			{"systemctl stop guestbook.service", ""},
			{"runuser -u postgres -- psql -q -d guestbook -c 'alter table entries rename to gone'", "runuser -u postgres -- psql -q -d guestbook -c 'alter table gone rename to entries'"},
			{"rm /etc/nginx/sites-enabled/guestbook; systemctl reload nginx", ""},
		},
		then: theApplicationOfBefore,
	},
	{
		name: "cluster", task: "cache", hosts: 3, long: true,
		packages: "redis-tools", // which Redis and Sentinel depend on; these rewrite their own configuration
		prepare:  aPasswordOfAll,
		breaks:   []fault{{"systemctl stop redis-sentinel.service", ""}},
		then:     anotherPrimary,
		leaves:   []proof.Exception{{Kind: "file", Name: regexp.MustCompile("^/etc/redis$"), Reason: "redis-tools makes it and has it not in its list: dpkg takes it with redis-server"}},
	},
}

// shortExamples are those that CI has time for.
func shortExamples() []example {
	if os.Getenv("PROVISION_PROVE") == "all" {
		return examples
	}
	return slices.DeleteFunc(slices.Clone(examples), func(e example) bool { return e.long })
}

// demonstration is an example on its hosts.
type demonstration struct {
	example
	lab     *lab.Lab
	hosts   []machine
	project string   // a copy of its folder
	flags   []string // of each command
}

// provision runs the command in the example's folder.
func (e demonstration) provision(t *testing.T, verb string, args ...string) ended {
	t.Helper()
	c := command(t, append(append([]string{verb}, e.flags...), args...)...)
	c.Dir = e.project
	return finish(t, c)
}

// names are the hosts, as -l takes them.
func (e demonstration) names() string {
	var names []string
	for _, host := range e.hosts {
		names = append(names, host.Name)
	}
	return strings.Join(names, ",")
}

func (e demonstration) install(t *testing.T, args ...string) ended {
	t.Helper()
	return e.provision(t, "install", append([]string{e.task, "-y", "-l", e.names()}, args...)...)
}

func (e demonstration) verify(t *testing.T) ended {
	t.Helper()
	return e.provision(t, "verify", e.task, "-l", e.names())
}

// converged fails where an install would change something.
func (e demonstration) converged(t *testing.T) {
	t.Helper()
	e.provision(t, "plan", e.task, "--detailed-exitcode", "-l", e.names()).exits(t, 0)
}

// Each example does on hosts of its own what it says: it is installed, proved and found as it
// should be; its verify finds what is broken; and removed, it is as if it had never been. What a
// proof of a task proves of each, TestProof does.
func TestExamples(t *testing.T) {
	onItsDays(t, 3)
	t.Parallel()
	for _, one := range ofTheDay(t, shortExamples(), 1) {
		t.Run(one.name, func(t *testing.T) {
			onEach(t, today(t), "labx"+one.name[:4], bare, func(t *testing.T, l *lab.Lab, host machine) {
				noted(t)
				e := demonstration{example: one, lab: l, hosts: []machine{host}, project: t.TempDir()}
				if err := os.CopyFS(e.project, os.DirFS("../examples/"+one.name)); err != nil {
					t.Fatal(err)
				}
				for n := 1; n < one.hosts; n++ {
					e.hosts = append(e.hosts, bare(t, l, host.Suite, host.Name+string(rune('a'+n))))
				}
				if e.prepare != nil {
					e.prepare(t, &e)
				}
				e.all(t)
			})
		})
	}
}

func (e demonstration) all(t *testing.T) {
	var before []proof.State
	for _, host := range e.hosts {
		host.run(t, "exec </dev/null; export DEBIAN_FRONTEND=noninteractive; apt-get -q -y --no-install-recommends install nftables "+e.packages+"; systemctl is-system-running --wait || :")
		before = append(before, host.look(t))
	}
	e.install(t).exits(t, 0)
	e.converged(t)
	for _, fault := range e.breaks {
		e.hosts[0].run(t, fault.broken)
		e.verify(t).exits(t, 3)
		if fault.mended != "" {
			e.hosts[0].run(t, fault.mended)
		}
		e.install(t).exits(t, 0)
	}
	e.verify(t).exits(t, 0)
	if e.then != nil {
		e.then(t, e)
	}
	for _, task := range e.tasks(t) {
		e.provision(t, "remove", task, "--purge", "-y", "-l", e.names()).exits(t, 0)
	}
	for i, host := range e.hosts {
		for _, difference := range before[i].Differences(host.look(t), proof.Except("debian", "stays", "packages").With(e.leaves...)) {
			t.Errorf("%s: removed: %s", host.Name, difference)
		}
	}
}

// tasks are those that the hosts have a memory of: the example's own, then those that it needs.
func (e demonstration) tasks(t *testing.T) []string {
	t.Helper()
	tasks := []string{e.task}
	for _, task := range strings.Fields(e.hosts[0].run(t, "ls /var/lib/provision/wanted")) {
		if task != e.task {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// nobodyIsLockedOut changes sshd so that provision itself is not let in any more, and so that sshd
// cannot read it.
func nobodyIsLockedOut(t *testing.T, e demonstration) {
	const file = "/etc/ssh/sshd_config.d/00-base.conf"
	was := e.hosts[0].read(t, file)
	shut := e.install(t, "-e", "base.ssh_groups=[nogroup]").exits(t, 3)
	if !strings.Contains(shut.stderr, "the host has undone the change") {
		t.Errorf("not said that the change was undone:\n%s", shut.stderr)
	}
	e.converged(t)
	const template = "tasks/base/templates/sshd.tmpl"
	text, err := os.ReadFile(filepath.Join(e.project, template))
	if err != nil {
		t.Fatal(err)
	}
	writeProject(t, e.project, map[string]string{template: string(text) + "PermitRootLogins no\n"})
	for _, refused := range []ended{e.provision(t, "plan", e.task, "-l", e.names()), e.install(t)} {
		refused.exits(t, 3)
		if !strings.Contains(refused.stdout+refused.stderr, "Bad configuration option: PermitRootLogins") {
			t.Errorf("sshd's own words are not told:\n%s", refused.stderr)
		}
	}
	if is := e.hosts[0].read(t, file); is != was {
		t.Errorf("sshd reads now\n%s", is)
	}
	writeProject(t, e.project, map[string]string{template: string(text)})
	e.converged(t)
	e.verify(t).exits(t, 0)
}

// theApplicationOfBefore brings another application, which works, and takes it back.
func theApplicationOfBefore(t *testing.T, e demonstration) {
	const file = "tasks/guestbook/files/app/wsgi.py"
	text, err := os.ReadFile(filepath.Join(e.project, file))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ title, verb string }{{"Visitors", "install"}, {"Guests", "rollback"}} {
		writeProject(t, e.project, map[string]string{file: strings.ReplaceAll(string(text), "<h1>Guests", "<h1>"+step.title)})
		e.provision(t, step.verb, e.task, "-y", "-l", e.names()).exits(t, 0)
		if is := e.hosts[0].read(t, "/srv/guestbook/wsgi.py"); !strings.Contains(is, "<h1>"+step.title) {
			t.Errorf("after %s the application is\n%s", step.verb, is)
		}
		e.converged(t)
		e.verify(t).exits(t, 0)
	}
}

// aPasswordOfAll writes an inventory of the hosts, with a password that nobody knows.
func aPasswordOfAll(t *testing.T, e *demonstration) {
	recipient, err := os.ReadFile(e.lab.Identity() + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	inventory := "recipients:\n  - " + string(recipient) + "groups: {cache: {hosts: [" + e.names() + "], tasks: [cache]}}\nhosts:\n"
	for _, host := range e.hosts {
		inventory += "  " + host.Name + ": {address: root@" + host.Address.String() + "}\n"
	}
	writeProject(t, e.project, map[string]string{"hosts.yaml": inventory})
	e.provision(t, "secret", "generate", "cache.password").exits(t, 0)
	e.flags = []string{"--key", e.lab.Identity(), "-i", e.lab.Identity(), "-o", "UserKnownHostsFile=" + e.lab.KnownHosts()}
}

// anotherPrimary stops the primary: another one takes its place, of which nothing that is installed
// says otherwise, and the first one follows it when it is back.
func anotherPrimary(t *testing.T, e demonstration) {
	first, second := e.hosts[0], e.hosts[1]
	const ask = ". /etc/redis/cache.env; export REDISCLI_AUTH; redis-cli -p "
	first.run(t, "systemctl stop redis-server.service")
	eventually(t, "another primary", 60*time.Second, func() bool {
		at := strings.Fields(second.run(t, ask+"26379 sentinel get-master-addr-by-name cache"))
		return len(at) > 0 && at[0] != first.Address.String()
	})
	e.install(t).exits(t, 0)
	eventually(t, "the first one to follow", 60*time.Second, func() bool {
		return strings.HasPrefix(first.run(t, ask+"6379 role"), "slave")
	})
	e.converged(t)
	e.verify(t).exits(t, 0)
}
