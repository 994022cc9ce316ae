package acceptance

import (
	"strings"

	"provision/internal/recipe"
	want "provision/internal/resource"
)

// accountKinds are accounts, their keys, and parts of files.
func accountKinds(s supplies) []kind {
	return []kind{
		{"user", []trial{
			{wanted: []recipe.Resource{
				want.Group{Name: "team"},
				want.User{Name: "anna", Login: true, Groups: []string{"sudo", "team"}, Comment: "Anna, of the team", Password: recipe.NewSecret("$6$salt$" + strings.Repeat("x", 86))},
				want.User{Name: "batch", UID: 444, Group: "team"},
			}, holds: `[ "$(id -Gn anna)" = 'anna sudo team' ]; [ -f /home/anna/.profile ]; [ "$(id -u batch)-$(id -gn batch)" = 444-team ]
			getent shadow anna | grep -q ':$6$salt$xxx'; su anna -c 'cd; touch mine'`},
			{wanted: []recipe.Resource{
				want.User{Name: "anna", Login: true, UID: 4444, Home: "/srv/anna", Shell: "/bin/sh", Groups: []string{"adm"}, Password: recipe.NewSecret("*")},
				want.User{Name: "batch", Group: "adm", Comment: "at night"},
			}, holds: `[ "$(id -Gn anna)" = 'anna adm sudo team' ]; [ -f /home/anna/mine ]; su anna -c 'cd; [ "$PWD" = /srv/anna ]'`},
			{wanted: []recipe.Resource{
				want.User{Name: "anna", Login: true, Home: "/srv/anna", Groups: []string{"team"}, Absent: true}, want.User{Name: "batch", Absent: true}, want.Group{Name: "team", Absent: true},
			}, holds: `no getent passwd anna; no getent passwd batch; no getent group anna; no getent group team; [ -d /srv/anna ]`},
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
			}, holds: `no grep -q '^UMASK' /etc/login.defs; no grep provision /etc/hosts; grep -q localhost /etc/hosts`},
		}},
	}
}

// systemKinds are of the kernel and the host as a whole. What is not net.* the kernel of a lab host does not
// let it change, and it loads no module.
func systemKinds() []kind {
	return []kind{
		{"sysctl", []trial{
			{wanted: []recipe.Resource{
				want.Sysctl{Name: "net.core.somaxconn", Value: "1234"}, want.Sysctl{Name: "net.ipv4.ip_local_port_range", Value: "20000 60000"},
			}, holds: `[ "$(cat /proc/sys/net/core/somaxconn)" = 1234 ]; grep -q 20000 /proc/sys/net/ipv4/ip_local_port_range; echo 128 >/proc/sys/net/core/somaxconn
				systemctl restart systemd-sysctl; [ "$(cat /proc/sys/net/core/somaxconn)" = 1234 ]`},
			{wanted: []recipe.Resource{want.Sysctl{Name: "net.core.somaxconn", Absent: true}, want.Sysctl{Name: "net.ipv4.ip_local_port_range", Absent: true}}, holds: `no ls /etc/sysctl.d/90-net*`},
		}},
		{"hostname and timezone", []trial{
			{wanted: []recipe.Resource{
				want.Hostname{Name: "lab-kinds"}, want.Line{Path: "/etc/hosts", Key: "127.0.1.1", Line: "127.0.1.1 lab-kinds"}, want.Timezone{Name: "Europe/Berlin"},
			}, holds: `[ "$(uname -n)" = lab-kinds ]; [ "$(hostname -i)" = 127.0.1.1 ]; case $(date +%Z) in CE*T) ;; *) exit 1; esac; [ ! -e /etc/timezone ] || grep -q Berlin /etc/timezone`},
			{wanted: []recipe.Resource{want.Hostname{Absent: true}, want.Timezone{Absent: true}}, holds: `[ ! -e /etc/hostname ]; [ "$(date +%Z)" = UTC ]`},
		}},
	}
}

// packageKinds are of apt and dpkg.
func packageKinds(s supplies) []kind {
	return []kind{
		{"alternative", []trial{
			{wanted: []recipe.Resource{want.Alternative{Name: "pager", Path: "/bin/more"}}, holds: `[ "$(readlink -f /usr/bin/pager)" = /usr/bin/more ]; update-alternatives --query pager | grep -qx 'Status: manual'`},
			{wanted: []recipe.Resource{want.Alternative{Name: "pager", Absent: true}}, holds: `update-alternatives --query pager | grep -qx 'Status: auto'`},
		}},
		{"hold, repository and deb", []trial{
			{wanted: []recipe.Resource{
				want.Hold{Package: "sudo"},
				want.Repository{
					Name: "lab", URIs: []string{"http://deb.debian.org/debian"}, Suites: []string{"bookworm-proposed-updates"}, Components: []string{"main"}, Key: s.archiveKey,
				},
				want.Deb{Name: "lab-kinds", Version: "1.0~lab", Artifact: s.deb, Brings: []recipe.Key{recipe.PathKey("/etc/lab-kinds")}},
				want.File{Path: "/etc/lab-kinds", Absent: true},
			}, holds: `apt-mark showhold | grep -qx sudo; ls /var/lib/apt/lists | grep -q proposed-updates_InRelease; no ls /var/cache/apt/archives/lab-kinds_*; dpkg -s lab-kinds | grep -q 'Version: 1.0~lab'`},
			{wanted: []recipe.Resource{
				want.Hold{Package: "sudo", Absent: true}, want.Repository{Name: "lab", Absent: true}, want.Deb{Name: "lab-kinds", Absent: true},
			}, holds: `[ -z "$(apt-mark showhold)" ]; no ls /var/lib/apt/lists/*proposed-updates*; no dpkg -s lab-kinds`},
		}},
	}
}

// unitKinds are made of units. No lab host may swap.
func unitKinds() []kind {
	return []kind{
		{"timer and mount", []trial{
			{composites: []recipe.Composite{
				want.Timer{Name: "lab-kinds", OnCalendar: "*:*:0/1", User: "nobody", Command: `d=$(date +%F); printf '%s|' "$d" 'a  b' "\\" "%s" $((1+1)) >/var/tmp/lab-kinds` + "\n# it's \"done\""},
				want.Mount{What: "tmpfs", Where: "/srv/lab-kinds.d", Type: "tmpfs", Options: "size=1M,mode=0750"},
			}, holds: `n=0; until [ -e /var/tmp/lab-kinds ]; do n=$((n + 1)); [ $n -lt 900 ]; sleep 0.1; done; sleep 0.3
			[ "$(cat /var/tmp/lab-kinds)" = "$(date +%F)|a  b|\\|%s|2|" ]; [ "$(stat -c %U /var/tmp/lab-kinds)" = nobody ]
			findmnt -n -o FSTYPE,SIZE /srv/lab-kinds.d | grep -qx 'tmpfs *1M'; [ "$(stat -c %a /srv/lab-kinds.d)" = 750 ]`},
			{composites: []recipe.Composite{
				want.Timer{Name: "lab-kinds", OnCalendar: "yearly", Command: "true"},
				want.Mount{What: "tmpfs", Where: "/srv/lab-kinds.d", Type: "tmpfs", Options: "size=2M"},
			}, holds: `findmnt -n -o SIZE /srv/lab-kinds.d | grep 2M; systemctl show -p TimersCalendar lab-kinds.timer | grep -- '-01-01'`},
			{composites: []recipe.Composite{want.Timer{Name: "lab-kinds", Absent: true}, want.Mount{Where: "/srv/lab-kinds.d", Absent: true}}, holds: `no findmnt /srv/lab-kinds.d; no systemctl cat lab-kinds.timer; no ls /etc/systemd/system/*kinds*`},
		}},
	}
}

// fetchedKinds are what hosts fetch, and directories as a whole.
func fetchedKinds(s supplies) []kind {
	return []kind{
		{"download, archive and tree", []trial{
			{wanted: []recipe.Resource{
				want.Download{Path: "/usr/local/bin/lab", URL: s.url + "/lab", SHA256: recipe.Digest([]byte(s.served["/lab"])), Attributes: recipe.Attributes{Mode: 0o755}},
				want.Archive{Path: "/opt/lab", URL: s.url + "/lab.tar.gz", SHA256: recipe.Digest([]byte(s.served["/lab.tar.gz"])), Strip: 1, Owner: "nobody", Group: "nogroup"},
				want.Tree{Path: "/srv/lab", Files: []want.TreeFile{{Name: "a", Content: "1"}, {Name: "b/c d", Content: "2", Executable: true}}, Attributes: recipe.Attributes{Mode: 0o640, Group: "nogroup"}},
			}, holds: `[ "$(/usr/local/bin/lab)" = served ]; [ "$(cat /opt/lab/file)" = packed ]; [ "$(stat -c %U /opt/lab/file)" = nobody ]; [ "$(stat -c '%a %G' '/srv/lab/b/c d')" = '750 nogroup' ]; touch /srv/lab/orphan; echo x >/srv/lab/a`},
			{wanted: []recipe.Resource{
				want.Download{Path: "/usr/local/bin/lab", Absent: true}, want.Archive{Path: "/opt/lab", Absent: true},
				want.Tree{Path: "/srv/lab", Files: []want.TreeFile{{Name: "a", Content: "1"}}},
			}, holds: `[ "$(find /srv/lab | sort | xargs)" = '/srv/lab /srv/lab/.tree /srv/lab/a' ]; [ ! -e /opt/lab ]; [ ! -e /usr/local/bin/lab ]; no ls -d /srv/.provision*; no ls /var/cache/apt/archives/partial/*`},
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
			}, holds: `no ls /etc/ssl/private/lab.key; no ls -d /srv/lab`},
		}},
	}
}
