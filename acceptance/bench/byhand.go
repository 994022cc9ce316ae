package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// wanted is what the host is to be, read from the one that provision made: what somebody
// who types it by hand has to know too.
type wanted struct {
	files, directories, links, absent []string // paths
	packages, units                   []string
	off                               []string // units that must not run
}

// wanted lists provision's resources, by its own plan of the converged host.
func (s setup) wanted(ctx context.Context) (wanted, error) {
	args := s.install()
	args[1] = "plan"
	args = append(args[:3], append([]string{"--json"}, args[5:]...)...)
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Env = append(os.Environ(), "HOME="+s.dir)
	output, err := c.Output()
	if err != nil {
		return wanted{}, fmt.Errorf("plan: %w", err)
	}
	var w wanted
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for decoder.More() {
		var event struct {
			Event     string
			Resources []struct{ Resource string }
		}
		if err := decoder.Decode(&event); err != nil {
			return wanted{}, err
		}
		for _, r := range event.Resources {
			kind, name, _ := strings.Cut(r.Resource, ":")
			s.sort(&w, kind, name)
		}
	}
	if len(w.files) == 0 || len(w.packages) == 0 || len(w.units) == 0 {
		return wanted{}, fmt.Errorf("plan: no resources in %s", output)
	}
	return w, nil
}

func (s setup) sort(w *wanted, kind, name string) {
	_, err := os.Lstat(filepath.Join(s.host.Root(), name))
	switch {
	case kind == "package":
		w.packages = append(w.packages, name)
	case kind == "service" && s.active(name):
		w.units = append(w.units, name)
	case kind == "service":
		w.off = append(w.off, name)
	case kind != "file" && kind != "directory" && kind != "link":
	case err != nil:
		w.absent = append(w.absent, name)
	case kind == "file":
		w.files = append(w.files, name)
	case kind == "directory":
		w.directories = append(w.directories, name)
	default:
		w.links = append(w.links, name)
	}
}

func (s setup) active(unit string) bool {
	leader, err := s.host.Leader()
	return err == nil && exec.Command("nsenter", "-t", fmt.Sprint(leader), "-p", "-m", "systemctl", "-q", "is-active", unit).Run() == nil
}

// facts are what stat, sha256sum and readlink would print on the host, by path.
func (s setup) facts(path string) (attributes, digest, target string, err error) {
	full := filepath.Join(s.host.Root(), path)
	info, err := os.Lstat(full)
	if err != nil {
		return "", "", "", err
	}
	stat := info.Sys().(*syscall.Stat_t)
	attributes = fmt.Sprintf("%s %o %d:%d", path, stat.Mode&0o7777, stat.Uid, stat.Gid)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err = os.Readlink(full)
	case info.Mode().IsRegular():
		data, readErr := os.ReadFile(full)
		digest, err = fmt.Sprintf("%x  %s", sha256.Sum256(data), path), readErr
	}
	return attributes, digest, target, err
}

// check is the script of somebody who wants to know by hand whether the host is what it
// should be: one process for all files, packages and units each, as few as it takes.
func (s setup) check(w wanted) (string, error) {
	var attributes, digests []string
	var script strings.Builder
	script.WriteString("set -u\nbad() { echo \"not as wanted: $1\" >&2; exit 1; }\n")
	for _, path := range append(append([]string(nil), w.files...), w.directories...) {
		attribute, digest, _, err := s.facts(path)
		if err != nil {
			return "", err
		}
		attributes = append(attributes, attribute)
		if digest != "" {
			digests = append(digests, digest)
		}
	}
	here := func(command, expected, what string) {
		fmt.Fprintf(&script, "[ \"$(%s)\" = '%s' ] || bad %s\n", command, expected, what)
	}
	here("stat -c '%n %a %u:%g' "+strings.Join(append(append([]string(nil), w.files...), w.directories...), " "), strings.Join(attributes, "\n"), "attributes")
	fmt.Fprintf(&script, "sha256sum --quiet -c <<'END' || bad content\n%s\nEND\n", strings.Join(digests, "\n"))
	for _, path := range w.links {
		_, _, target, err := s.facts(path)
		if err != nil {
			return "", err
		}
		here("readlink "+path, target, path)
	}
	for _, path := range w.absent {
		fmt.Fprintf(&script, "[ ! -e %s ] || bad %s\n", path, path)
	}
	here("dpkg-query -W -f '${db:Status-Abbrev}' "+strings.Join(w.packages, " "), strings.Repeat("ii ", len(w.packages)), "packages")
	fmt.Fprintf(&script, "systemctl -q is-enabled %s || bad enabled\n", strings.Join(w.units, " "))
	here("systemctl is-active "+strings.Join(w.units, " "), strings.TrimSuffix(strings.Repeat("active\n", len(w.units)), "\n"), "active")
	if len(w.off) > 0 {
		fmt.Fprintf(&script, "systemctl -q is-active %s && bad off\n", strings.Join(w.off, " "))
	}
	script.WriteString(`getent passwd _graphite >/dev/null || bad user
line=$(cat /etc/nginx/graphite.htpasswd) && salt=${line#*'$6$'} && salt=${salt%%'$'*}
[ "$line" = "graphite:$(openssl passwd -6 -salt "$salt" -stdin </etc/provision/secrets/graphite-password)" ] || bad password
[ "$(sed -n '1!p' /var/lib/graphite/.provision-migrated)" = "$(dpkg-query -W -f '${Package} ${Version}\n' graphite-web python3-django python3-django-tagging)" ] || bad migration
[ -s /var/lib/graphite/graphite.db ] || bad database
`)
	return script.String(), nil
}

// typed is the first install as somebody would type it: the same account, files, apt-get,
// password, migration and starts, in the same order.
func (s setup) typed(w wanted) (string, error) {
	var script strings.Builder
	script.WriteString(`set -eu
export DEBIAN_FRONTEND=noninteractive
umask 022
useradd -r -U -d /var/lib/graphite -s /bin/false _graphite
mkdir -p /var/lib/graphite/whisper /var/log/carbon /var/log/graphite /etc/nginx/sites-available /etc/nginx/sites-enabled
chown -R _graphite:_graphite /var/lib/graphite /var/log/carbon /var/log/graphite
`)
	for _, path := range w.directories {
		fmt.Fprintf(&script, "mkdir -p %s\n", path)
	}
	for _, path := range w.files {
		if strings.Contains(path, "secret") {
			fmt.Fprintf(&script, "(umask 077; LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom | head -c 40 >%s)\n", path)
			continue
		}
		data, err := os.ReadFile(filepath.Join(s.host.Root(), path))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&script, "base64 -d >%s <<'END'\n%s\nEND\n", path, base64.StdEncoding.EncodeToString(data))
	}
	for _, path := range w.links {
		_, _, target, err := s.facts(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&script, "ln -s %s %s\n", target, path)
	}
	fmt.Fprintf(&script, `chmod 700 /etc/provision/secrets
chown _graphite:_graphite /etc/graphite/local_settings.py /etc/graphite/secret_key
chmod 400 /etc/graphite/local_settings.py
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends install %s </dev/null
rm /usr/sbin/policy-rc.d
printf 'graphite:%%s\n' "$(openssl passwd -6 -stdin </etc/provision/secrets/graphite-password)" >/etc/nginx/graphite.htpasswd
chown root:www-data /etc/nginx/graphite.htpasswd
chmod 640 /etc/nginx/graphite.htpasswd
cd /
setpriv --reuid _graphite --regid _graphite --init-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 graphite-manage migrate --run-syncdb --noinput
rm -f /etc/nginx/sites-enabled/default
nginx -t
systemctl daemon-reload
systemctl enable %s
systemctl start %s
`, strings.Join(w.packages, " "), strings.Join(w.units, " "), strings.Join(w.units, " "))
	return script.String(), nil
}
