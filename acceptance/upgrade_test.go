package acceptance

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"provision/internal/lab"
)

// Puts a newer nginx-light, $1 behind its version, into a repository of the host's own: the
// package that there is, under another version. What apt knows is left as it is.
const newerNginx = `set -e
mkdir -p /srv/apt && cd /srv/apt
[ -e made ] || { apt-get -q download nginx-light >/dev/null 2>&1 && mv nginx-light_*.deb made; }
rm -rf tree ./*.deb && dpkg-deb -R made tree
sed -i "s/^Version: .*/&$1/" tree/DEBIAN/control
dpkg-deb -b tree ./nginx-light.deb >/dev/null
{ dpkg-deb -f nginx-light.deb; echo "Filename: ./nginx-light.deb"; echo "Size: $(stat -c %s nginx-light.deb)"
  echo "SHA256: $(sha256sum nginx-light.deb | cut -d ' ' -f 1)"; } >Packages
echo 'deb [trusted=yes] file:/srv/apt ./' >/etc/apt/sources.list.d/newer.list
dpkg-deb -f nginx-light.deb Version`

// TestUpgrade makes a newer version of a package appear: it is left alone until it is asked
// for, then installed as it was shown, and what runs of it is restarted.
func TestUpgrade(t *testing.T) {
	onItsDays(t, 4)
	t.Parallel()
	onEach(t, today(t), "labup", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		provision(t, "install", "nginx", "-y", "-H", host.Name).exits(t, 0)
		u := upgraded{host}
		t.Run("lists that are old", u.listsThatAreOld)
		t.Run("a saved plan", u.savedPlan)
		t.Run("something in the way", u.somethingInTheWay)
		t.Run("on hold", u.onHold)
	})
}

// upgraded is a host with nginx, of which there will be something newer.
type upgraded struct{ machine }

func (u upgraded) newer(t *testing.T, suffix string) (version string) {
	t.Helper()
	return strings.TrimSpace(u.run(t, strings.ReplaceAll(newerNginx, "$1", suffix)))
}

func (u upgraded) version(t *testing.T) string {
	t.Helper()
	return u.run(t, "dpkg-query -W -f '${Version}' nginx-light")
}

// pid is nginx's main process.
func (u upgraded) pid(t *testing.T) string {
	t.Helper()
	return u.mainPIDs(t, "nginx.service")["nginx.service"]
}

// stays runs a command after which nothing is as it should not be.
func (u upgraded) stays(t *testing.T, args ...string) {
	t.Helper()
	before, pid := u.version(t), u.pid(t)
	provision(t, append(args, "-H", u.Name)...).exits(t, 0)
	if after := u.version(t); after != before || u.pid(t) != pid {
		t.Errorf("%q: nginx-light %s, and was %s; process %s, and was %s", args, after, before, u.pid(t), pid)
	}
}

// becomes runs a command after which nginx is the newer one, and runs it.
func (u upgraded) becomes(t *testing.T, version string, args ...string) {
	t.Helper()
	pid := u.pid(t)
	said := provision(t, args...).exits(t, 0)
	if after := u.version(t); after != version || u.pid(t) == pid {
		t.Errorf("%s: nginx-light %s, want %s; process %s, and was %s\n%s", said.line, after, version, u.pid(t), pid, said.stdout)
	}
	if !strings.Contains(said.stdout+said.stderr, "→ "+version) {
		t.Errorf("%s does not say that it is %s now:\n%s\n%s", said.line, version, said.stdout, said.stderr)
	}
}

// The lists do not know of the newer one yet: they are fetched, and a plan says that it
// depends on that.
func (u upgraded) listsThatAreOld(t *testing.T) {
	version := u.newer(t, "+lab1")
	u.run(t, "touch -d '2 hours ago' /var/lib/apt/lists; find /etc/apt/sources.list* -exec touch -d '3 hours ago' {} +") // a source that is newer has none
	u.stays(t, "install", "nginx", "-y")
	before := u.look(t)
	plan := provision(t, "plan", "nginx", "--upgrade", "--detailed-exitcode", "-H", u.Name).exits(t, 2)
	for _, want := range []string{"fetch: over an hour old", "known after the package lists are fetched"} {
		if !strings.Contains(plan.stdout, want) {
			t.Errorf("the plan does not say %q:\n%s", want, plan.stdout)
		}
	}
	u.isAs(t, before, "by the plan", "debian")
	u.becomes(t, version, "install", "nginx", "--upgrade", "-y", "-H", u.Name)
	u.stays(t, "install", "nginx", "--upgrade", "-y")
	provision(t, "plan", "nginx", "--upgrade", "--detailed-exitcode", "-H", u.Name).exits(t, 0)
}

// The lists know of it: the plan has the version, and installing the plan that very one.
func (u upgraded) savedPlan(t *testing.T) {
	version := u.newer(t, "+lab2")
	u.run(t, "apt-get -q update >/dev/null 2>&1")
	file := filepath.Join(t.TempDir(), "upgrade.plan")
	plan := provision(t, "plan", "nginx", "--upgrade", "--out", file, "-H", u.Name).exits(t, 0)
	if !strings.Contains(plan.stdout, "→ "+version) {
		t.Fatalf("the plan does not say %s:\n%s", version, plan.stdout)
	}
	newest := u.newer(t, "+lab3")
	u.run(t, "apt-get -q update >/dev/null 2>&1")
	provision(t, "install", "--plan", file).exits(t, 5)
	if now := u.version(t); now == version || now == newest {
		t.Errorf("a plan that is stale made it %s", now)
	}
	provision(t, "plan", "nginx", "--upgrade", "--out", file, "-H", u.Name).exits(t, 0)
	u.becomes(t, newest, "install", "--plan", file)
}

// What was in no plan is not removed, and the upgrade fails with apt's words.
func (u upgraded) somethingInTheWay(t *testing.T) {
	u.newer(t, `+lab4\nConflicts: logrotate`)
	u.run(t, "apt-get -q update >/dev/null 2>&1")
	before := u.version(t)
	said := provision(t, "install", "nginx", "--upgrade", "-y", "-H", u.Name).exits(t, 3)
	if !strings.Contains(said.stderr, "remove is disabled") || u.version(t) != before {
		t.Errorf("nginx-light %s, and was %s\n%s", u.version(t), before, said.stderr)
	}
	u.run(t, "dpkg-query -W -f '${db:Status-Abbrev}' logrotate | grep -q ^ii")
	provision(t, "install", "nginx", "-y", "-H", u.Name).exits(t, 0)
	u.stays(t, "install", "nginx", "-y")
}

func (u upgraded) onHold(t *testing.T) {
	u.newer(t, "+lab5")
	u.run(t, "apt-get -q update >/dev/null 2>&1; apt-mark -q hold nginx-light >/dev/null")
	u.stays(t, "install", "nginx", "--upgrade", "-y")
	if held := strings.Fields(u.run(t, "apt-mark showhold")); !slices.Equal(held, []string{"nginx-light"}) {
		t.Errorf("on hold: %q", held)
	}
}
