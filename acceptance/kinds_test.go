package acceptance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
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
	wanted     []recipe.Resource
	composites []recipe.Composite
	holds      string
	login      string // who can log in then
}

// supplies are what the trials of kinds need.
type supplies struct {
	key        string // a public one, of whoever may log in
	archiveKey string // of Debian's archive
	deb        recipe.Artifact
	url        string // where the hosts find what is served
	served     map[string]string
	commit     string // of the repository that is served
}

func supply(t *testing.T, l *lab.Lab) supplies {
	t.Helper()
	s := supplies{}
	for path, into := range map[string]*string{
		l.Identity() + ".pub": &s.key, "/etc/apt/trusted.gpg.d/debian-archive-bookworm-automatic.asc": &s.archiveKey,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		*into = strings.TrimSpace(string(text))
	}
	dir := t.TempDir()
	build := `set -e; umask 022; mkdir -p deb/DEBIAN deb/etc; echo x >deb/etc/lab-kinds
printf '%s\n' 'Package: lab-kinds' 'Version: 1.0~lab' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x' >deb/DEBIAN/control
dpkg-deb --root-owner-group -b deb; mkdir tool; echo packed >tool/file; tar -czf tool.tar.gz tool
mkdir git; cd git; git init -q; echo committed >file; git add file; git -c user.name=x -c user.email=x@example.org commit -qm x; git update-server-info; git rev-parse HEAD >../commit`
	c := exec.Command("sh", "-c", build)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(dir + "/deb.deb")
	if err != nil {
		t.Fatal(err)
	}
	s.deb = recipe.Artifact{Source: dir + "/deb.deb", Size: int64(len(content)), SHA256: recipe.Digest(content)}
	packed, err := os.ReadFile(dir + "/tool.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	s.served = map[string]string{"/lab": "#!/bin/sh\necho served\n", "/lab.tar.gz": string(packed)}
	commit, err := os.ReadFile(dir + "/commit")
	if err != nil {
		t.Fatal(err)
	}
	s.commit = strings.TrimSpace(string(commit))
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, there := s.served[r.URL.Path]; there {
			io.WriteString(w, text)
			return
		}
		files.ServeHTTP(w, r)
	}))
	if server.Listener, err = net.Listen("tcp", ":0"); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	gateway := labtest.Config().Network.Addr().Next()
	s.url = fmt.Sprintf("http://%s:%d", gateway, server.Listener.Addr().(*net.TCPAddr).Port)
	return s
}

// triedKinds are those that no task of ours has a use for. They follow each other on one host.
func triedKinds(s supplies) []kind {
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
				want.User{Name: "bert", Login: true}, want.AuthorizedKey{User: "bert", Key: s.key},
				want.AuthorizedKey{User: "bert", Key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS other"},
			}, login: "bert"},
			{wanted: []recipe.Resource{want.AuthorizedKey{User: "bert", Key: s.key, Absent: true}}, holds: `[ "$(cat ~bert/.ssh/authorized_keys | wc -l)" = 1 ]`},
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
		{"hold, repository and deb", []trial{
			{wanted: []recipe.Resource{
				want.Hold{Package: "sudo"},
				want.Repository{
					Name: "lab", URIs: []string{"http://deb.debian.org/debian"}, Suites: []string{"bookworm-proposed-updates"}, Components: []string{"main"}, Key: s.archiveKey,
				},
				want.Deb{Name: "lab-kinds", Version: "1.0~lab", Artifact: s.deb, Brings: []recipe.Key{recipe.PathKey("/etc/lab-kinds")}},
				want.File{Path: "/etc/lab-kinds", Absent: true},
			}, holds: `apt-mark showhold | grep -qx sudo; ls /var/lib/apt/lists | grep -q proposed-updates_InRelease; [ ! -e /var/cache/apt/archives/lab-kinds* ]; dpkg -s lab-kinds | grep -q 'Version: 1.0~lab'`},
			{wanted: []recipe.Resource{
				want.Hold{Package: "sudo", Absent: true}, want.Repository{Name: "lab", Absent: true}, want.Deb{Name: "lab-kinds", Absent: true},
			}, holds: `! apt-mark showhold | grep .; ! ls /var/lib/apt/lists | grep proposed-updates; ! dpkg -s lab-kinds`},
		}},
		{"timer and mount", []trial{
			{composites: []recipe.Composite{
				want.Timer{Name: "lab-kinds", OnCalendar: "*:*:0/1", User: "nobody", Command: `d=$(date +%F); printf '%s|' "$d" 'a  b' "\\" "%s" $((1+1)) >/var/tmp/lab-kinds` + "\n# it's \"done\""},
				want.Mount{What: "tmpfs", Where: "/srv/lab-kinds.d", Type: "tmpfs", Options: "size=1M,mode=0750"},
			}, holds: `n=0; until [ -e /var/tmp/lab-kinds ]; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.1; done; sleep 0.3
			[ "$(cat /var/tmp/lab-kinds)" = "$(date +%F)|a  b|\\|%s|2|" ]; [ "$(stat -c %U /var/tmp/lab-kinds)" = nobody ]
			findmnt -n -o FSTYPE,SIZE /srv/lab-kinds.d | grep -qx 'tmpfs *1M'; [ "$(stat -c %a /srv/lab-kinds.d)" = 750 ]`},
			{composites: []recipe.Composite{
				want.Timer{Name: "lab-kinds", OnCalendar: "yearly", Command: "true"},
				want.Mount{What: "tmpfs", Where: "/srv/lab-kinds.d", Type: "tmpfs", Options: "size=2M"},
			}, holds: `findmnt -n -o SIZE /srv/lab-kinds.d | grep 2M; systemctl show -p TimersCalendar lab-kinds.timer | grep -- '-01-01'`},
			{composites: []recipe.Composite{want.Timer{Name: "lab-kinds", Absent: true}, want.Mount{Where: "/srv/lab-kinds.d", Absent: true}}, holds: `! findmnt /srv/lab-kinds.d; ! systemctl cat lab-kinds.timer; ! ls /etc/systemd/system/*kinds*`},
		}},
		{"download, archive and tree", []trial{
			{wanted: []recipe.Resource{
				want.Download{Path: "/usr/local/bin/lab", URL: s.url + "/lab", SHA256: recipe.Digest([]byte(s.served["/lab"])), Attributes: recipe.Attributes{Mode: 0o755}},
				want.Archive{Path: "/opt/lab", URL: s.url + "/lab.tar.gz", SHA256: recipe.Digest([]byte(s.served["/lab.tar.gz"])), Strip: 1, Owner: "nobody", Group: "nogroup"},
				want.Tree{Path: "/srv/lab", Files: []want.TreeFile{{Name: "a", Content: "1"}, {Name: "b/c d", Content: "2", Executable: true}}, Attributes: recipe.Attributes{Mode: 0o640, Group: "nogroup"}},
			}, holds: `[ "$(/usr/local/bin/lab)" = served ]; [ "$(cat /opt/lab/file)" = packed ]; [ "$(stat -c %U /opt/lab/file)" = nobody ]; [ "$(stat -c '%a %G' '/srv/lab/b/c d')" = '750 nogroup' ]; touch /srv/lab/orphan; echo x >/srv/lab/a`},
			{wanted: []recipe.Resource{
				want.Download{Path: "/usr/local/bin/lab", Absent: true}, want.Archive{Path: "/opt/lab", Absent: true},
				want.Tree{Path: "/srv/lab", Files: []want.TreeFile{{Name: "a", Content: "1"}}},
			}, holds: `[ "$(find /srv/lab | sort | xargs)" = '/srv/lab /srv/lab/a' ]; [ ! -e /opt/lab ]; [ ! -e /usr/local/bin/lab ]; ! ls -A /srv | grep provision; ! ls -A /var/cache/apt/archives/partial | grep .`},
			{wanted: []recipe.Resource{want.Tree{Path: "/srv/lab", Absent: true}}},
		}},
		{"certificate, git and directories", []trial{
			{wanted: []recipe.Resource{
				want.Certificate{Path: "/etc/ssl/lab.pem", Key: "/etc/ssl/private/lab.key", Names: []string{"lab.example.org", "10.0.0.1", "fd00::1"}, Group: "sudo"},
				want.Directory{Path: "/srv/lab/kinds/git", Parents: true},
				want.Package{Name: "git"},
				want.Git{Path: "/srv/lab/kinds/git/x", URL: s.url + "/git/.git", Commit: s.commit, Owner: "nobody", Group: "nogroup"},
			}, holds: `openssl verify -CAfile /etc/ssl/lab.pem -verify_hostname lab.example.org /etc/ssl/lab.pem; [ "$(stat -c '%a %G' /etc/ssl/private/lab.key)" = '640 sudo' ]
				[ "$(cat /srv/lab/kinds/git/x/file)" = committed ]; [ "$(stat -c %U /srv/lab/kinds/git/x/file)" = nobody ]; cd /srv/lab/kinds/git/x; git -c safe.directory='*' status --porcelain >/tmp/status; [ ! -s /tmp/status ]`},
			{wanted: []recipe.Resource{
				want.Certificate{Path: "/etc/ssl/lab.pem", Key: "/etc/ssl/private/lab.key", Absent: true}, want.Git{Path: "/srv/lab/kinds/git/x", Absent: true},
				want.Directory{Path: "/srv/lab", Absent: true, Tree: true},
			}, holds: `! ls /etc/ssl/private | grep lab; ! ls -d /srv/lab`},
		}},
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	needed := supply(t, l)
	for suite, release := range today(t) {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			turn(t)
			host := machine{labtest.Host(t, l, "labkinds"+release, suite)}
			connection := connect(t, l, host, "root")
			for _, kind := range triedKinds(needed) {
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
	for _, composite := range trial.composites {
		wanted.AddAll(composite)
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
		there.run(t, "set -ex\n"+trial.holds)
	}
}
