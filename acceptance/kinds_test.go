package acceptance

import (
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/lab"
	"provision/internal/lab/labtest"
	"provision/internal/recipe"
	"provision/internal/remote"
	want "provision/internal/resource"
)

// kind is the trial of a kind of resource: a recipe after the other becomes true of one host. After
// every step the probed facts have to equal the model; then nothing may differ, and holds has to
// succeed there, in sh.
type kind struct {
	name   string
	trials []trial
}

type trial struct {
	wanted []recipe.Resource
	holds  string
	login  string // who can log in then
}

// triedKinds are those that no task of ours has a use for. They follow each other on one host; key is
// a public key.
func triedKinds(key string) []kind {
	return []kind{
		{"user", []trial{
			{wanted: []recipe.Resource{
				want.Group{Name: "team"},
				want.User{Name: "anna", Login: true, Groups: []string{"sudo", "team"}, Comment: "Anna, of the team", Password: recipe.NewSecret("$6$salt$" + strings.Repeat("x", 86))},
				want.User{Name: "batch", UID: 444, Group: "team"},
			}, holds: `[ "$(id -Gn anna)" = 'anna sudo team' ] && [ -f /home/anna/.profile ] && [ "$(id -u batch)-$(id -gn batch)" = 444-team ] &&
			getent shadow anna | grep -q ':$6$salt$xxx' && su anna -c 'cd; touch mine'`},
			{wanted: []recipe.Resource{
				want.User{Name: "anna", Login: true, UID: 4444, Home: "/srv/anna", Shell: "/bin/sh", Groups: []string{"adm"}, Password: recipe.NewSecret("*")},
				want.User{Name: "batch", Group: "adm", Comment: "at night"},
			}, holds: `[ "$(id -Gn anna)" = 'anna adm sudo team' ] && [ -f /home/anna/mine ] && su anna -c 'cd; [ "$PWD" = /srv/anna ]'`},
			{wanted: []recipe.Resource{
				want.User{Name: "anna", Login: true, Home: "/srv/anna", Groups: []string{"team"}, Absent: true}, want.User{Name: "batch", Absent: true}, want.Group{Name: "team", Absent: true},
			}, holds: `! getent passwd anna batch && ! getent group anna team && [ -d /srv/anna ]`},
		}},
		{"authorized_key", []trial{
			{wanted: []recipe.Resource{
				want.User{Name: "bert", Login: true}, want.AuthorizedKey{User: "bert", Key: key},
				want.AuthorizedKey{User: "bert", Key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS other"},
			}, login: "bert"},
			{wanted: []recipe.Resource{want.AuthorizedKey{User: "bert", Key: key, Absent: true}}, holds: `[ "$(cat ~bert/.ssh/authorized_keys | wc -l)" = 1 ]`},
		}},
		{"line and block", []trial{
			{wanted: []recipe.Resource{
				want.Line{Path: "/etc/login.defs", Match: `^#?\s*UMASK\s`, Line: "UMASK 027"},
				want.Block{Path: "/etc/hosts", Name: "lab", Text: "198.19.255.1 controller\n"},
			}, holds: `[ "$(grep -c UMASK.027 /etc/login.defs)" = 1 ]; getent hosts controller`},
			{wanted: []recipe.Resource{
				want.Line{Path: "/etc/login.defs", Match: `^#?\s*UMASK\s`, Line: "UMASK 027", Absent: true}, want.Block{Path: "/etc/hosts", Name: "lab", Absent: true},
			}, holds: `! grep -q '^UMASK' /etc/login.defs; ! grep provision /etc/hosts; grep -q localhost /etc/hosts`},
		}},
		// What is not net.* the kernel of a lab host does not let it change, and it loads no module.
		{"sysctl", []trial{
			{wanted: []recipe.Resource{
				want.Sysctl{Name: "net.core.somaxconn", Value: "1234"}, want.Sysctl{Name: "net.ipv4.ip_local_port_range", Value: "20000 60000"},
			}, holds: `[ "$(cat /proc/sys/net/core/somaxconn)" = 1234 ]; grep -q 20000 /proc/sys/net/ipv4/ip_local_port_range; echo 128 >/proc/sys/net/core/somaxconn
				systemctl restart systemd-sysctl; [ "$(cat /proc/sys/net/core/somaxconn)" = 1234 ]`},
			{wanted: []recipe.Resource{want.Sysctl{Name: "net.core.somaxconn", Absent: true}, want.Sysctl{Name: "net.ipv4.ip_local_port_range", Absent: true}}, holds: `! ls /etc/sysctl.d/90-*`},
		}},
		{"hostname and timezone", []trial{
			{wanted: []recipe.Resource{
				want.Hostname{Name: "lab-kinds"}, want.Line{Path: "/etc/hosts", Key: "127.0.1.1", Line: "127.0.1.1 lab-kinds"}, want.Timezone{Name: "Europe/Berlin"},
			}, holds: `[ "$(uname -n)" = lab-kinds ]; [ "$(hostname -i)" = 127.0.1.1 ]; case $(date +%Z) in CE*T) ;; *) exit 1; esac; [ ! -e /etc/timezone ] || grep -q Berlin /etc/timezone`},
			{wanted: []recipe.Resource{want.Hostname{Absent: true}, want.Timezone{Absent: true}}, holds: `[ ! -e /etc/hostname ]; [ "$(date +%Z)" = UTC ]`},
		}},
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	for suite, release := range map[string]string{"bookworm": "12", "trixie": "13"} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			turn(t)
			host := machine{labtest.Host(t, l, "labkinds"+release, suite)}
			connection := connect(t, l, host, "root")
			key, err := os.ReadFile(l.Identity() + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range triedKinds(strings.TrimSpace(string(key))) {
				t.Run(kind.name, func(t *testing.T) {
					for _, trial := range kind.trials {
						tryKind(t, prober{connection: connection}, host, trial)
						if trial.login != "" {
							connect(t, l, host, trial.login)
						}
					}
				})
			}
		})
	}
}

func connect(t *testing.T, l *lab.Lab, host machine, user string) *remote.Connection {
	t.Helper()
	connection, err := remote.Dial(t.Context(), remote.Address{User: user, Host: host.Address.String()}, remote.Config{
		ConfigFile: "none", Identities: []string{l.Identity()}, KnownHosts: l.KnownHosts(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func tryKind(t *testing.T, host prober, there machine, trial trial) {
	t.Helper()
	var wanted recipe.Recipe
	for _, resource := range trial.wanted {
		wanted.Add(resource)
	}
	wanted.Label("kinds")
	if err := wanted.Validate(); err != nil {
		t.Fatal(err)
	}
	if plan := applyAndCompare(t, host, wanted); plan.Empty() {
		t.Error("it was so already: this tries nothing")
	}
	answer, err := host.Probe(t.Context(), wanted.Probes())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := engine.NewPlan(wanted, answer.Facts); err != nil || !again.Empty() {
		t.Errorf("then it wants %+v, %v", again.Changes(), err)
	}
	if trial.holds != "" {
		there.run(t, "set -e\n"+trial.holds)
	}
}
