package acceptance

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// enumerate lists the state that a sweep compares: packages, files with kind, owner, mode
// and digest, units, users, groups and listeners, a line each.
func (m machine) enumerate(t *testing.T) []string {
	t.Helper()
	var state []string
	for _, part := range []struct{ name, script string }{
		{"package", `dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\n'`},
		{"user", "getent passwd"}, {"group", "getent group"},
		{"listener", `awk '$4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6`},
		{"socket", `awk '$8 ~ "^/run/" && $6 == "01" { print $8 }' /proc/net/unix | grep -v -e /run/systemd/ -e /run/user/ -e /run/dbus/`},
	} {
		for line := range strings.Lines(m.run(t, part.script+" || :")) {
			state = append(state, part.name+" "+strings.TrimSuffix(line, "\n"))
		}
	}
	for _, unit := range m.units(t) {
		if !transient.MatchString(unit) {
			state = append(state, "unit "+unit)
		}
	}
	state = append(state, m.enumerateFiles(t)...)
	slices.Sort(state)
	return slices.Compact(state)
}

// transient matches units that come and go by themselves: systemd's own timers fire, a
// login or a boot brings devices and slices.
var transient = regexp.MustCompile(`^(systemd-|dev-|sys-|run-|user|session|init\.scope|apt-|dpkg-db|e2scrub|fstrim|logrotate\.service|man-db|phpsession|modprobe@|ssh@|getty|console-getty|-\.mount|certbot|carbon-cache@|time-set|time-sync)`)

// enumerateFiles looks from outside. What a package brought is compared by kind, mode and
// size: nobody changes it; all else by digest too.
func (m machine) enumerateFiles(t *testing.T) []string {
	t.Helper()
	var lines []string
	root := m.Root()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // gone since its folder was read
		}
		if err != nil {
			return err
		}
		inside := "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		if running.MatchString(inside) || unsteady.MatchString(inside) {
			return nil
		}
		if entry.IsDir() && slices.Contains([]string{"/usr/share", "/usr/lib", "/usr/include", "/boot", "/var/cache", "/var/lib/apt"}, inside) {
			return filepath.SkipDir
		}
		text, err := describe(path, entry)
		if os.IsNotExist(err) {
			return nil
		}
		if random.MatchString(inside) {
			text = strings.Join(strings.Fields(text)[:2], " ")
		}
		lines = append(lines, "file "+inside+" "+text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// random matches files that hold what every install makes anew, or what runs writes: of
// these kind, owner and mode are compared.
var random = regexp.MustCompile(`^/etc/provision/(secrets/|[a-z]+-tls/[a-z]+\.pem$)|^/etc/graphite/secret_key$|^/etc/nginx/.*(htpasswd|passwd|\.key|\.pem|\.crt)|^/etc/ssl/|^/etc/(ld\.so\.cache|shadow|gshadow|subuid|subgid)$` +
	`|^/var/lib/graphite/(graphite\.db|search_index)|^/var/lib/(dpkg|redis|pam|ucf)/|^/var/log/|^/etc/redis/.*acl`)

// unsteady matches what comes and goes with time and not with a run: the host's memory,
// which is looked at by itself, logs, metrics that carbon counts of itself, backups that
// passwd's tools make, caches, the sweep's own files.
var unsteady = regexp.MustCompile(`^/var/lib/provision(/|$)|^/var/lib/sweep(/|$)|^/var/lib/graphite/(whisper|\.cache)(/|$)|^/var/log/|-$|\.pyc$|__pycache__|^/etc/\.pwd\.lock$|^/var/lib/dpkg/(.*-old|lock.*|triggers/Lock)$|^/var/lib/logrotate|^/var/lib/nginx/|^/(tmp|var/tmp|run|proc|sys|dev)/.|^/var/lib/redis/|^/root/|^/etc/machine-id$|^/var/lib/ucf/`)

// leftovers lists what a run that is over must not leave: temporaries, a lock that is
// held, a policy against starting services, notifications that wait.
func (m machine) leftovers(t *testing.T) []string {
	t.Helper()
	return strings.Fields(m.run(t, `cd /var/lib/provision 2>/dev/null || exit 0
find / -xdev \( -name '.provision-[0-9]*' -o -name '.provision-upload-*' -o -name '*.provision' \) -print
for f in temporaries holder policy-held policy-kept daemon-reload pending/* pending/.new runs/*/open runs/*/rehearse* /usr/sbin/policy-rc.d; do [ ! -e "$f" ] && [ ! -L "$f" ] || echo "$f"; done
flock -n lock true || echo lock`))
}
