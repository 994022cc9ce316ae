package acceptance

import (
	"fmt"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
)

// trusting is a project of two tasks: an authority makes a certificate and exports it, and members
// have the certificate, and a list of themselves.
var trusting = map[string]string{
	"tasks/authority.star": `"""Makes a certificate."""
exports = [export("ca", "/etc/authority.crt")]

def build(v, host):
    return [command("make it", "umask 022; echo of $(hostname) >/etc/authority.crt", unless = "test -s /etc/authority.crt", reads = ["/etc/authority.crt"])]

def verify(v, host):
    return [runs("test -s /etc/authority.crt")]
`,
	"tasks/member.star": `"""Trusts the authority, and knows the other members."""
variables = [var("port", int, default = 80)]
facts = [fact("kernel", "uname -s", guess = "Linux")]

def build(v, host):
    return [
        file("/etc/trusted.crt", "".join([p.exports.ca for p in host.peers("authority")])),
        file("/etc/members", "".join(["%s %s %d\n" % (p.name, p.address, p.vars.port) for p in host.peers()])),
        file("/etc/facts", "\n".join([host.facts.kernel, host.interface, host.virtualization, host.boot_id] + host.addresses) + "\n"),
    ]

def verify(v, host):
    return [runs("grep -q . /etc/trusted.crt")]
`,
}

// An authority and two members on bare hosts come to be in one install, and the members' hosts cost one
// round trip of questions after it; a member alone is planned by what the authority has.
func TestPeersAndExports(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	l := labtest.Open(t)
	hosts := append(boot(t, l, "bookworm", "labfacts1", "labfacts2"), boot(t, l, "trixie", "labfacts3")...)
	project := t.TempDir()
	files := map[string]string{"hosts.yaml": "hosts:\n"}
	for i, host := range hosts {
		files["hosts.yaml"] += fmt.Sprintf("  %s: {address: root@%s, tasks: [%s]%s}\n", host.Name, host.Address, []string{"member", "authority", "member"}[i], []string{"", "", ", vars: {member.port: 81}"}[i])
	}
	for name, text := range trusting {
		files[name] = text
	}
	writeProject(t, project, files)
	do := func(code int, args ...string) ended {
		t.Helper()
		c := command(t, append(args, "--inventory", project+"/hosts.yaml", "-o", "UserKnownHostsFile="+l.KnownHosts(), "-i", l.Identity())...)
		c.Env = append(c.Env, "XDG_CACHE_HOME="+cache)
		return finish(t, c).exits(t, code)
	}
	if told := do(0, "plan"); !strings.Contains(told.stderr, "is planned after labfacts2") {
		t.Errorf("told %s", told.stderr)
	}
	do(0, "plan", "--out", project+"/all.plan")
	do(0, "install", "--plan", project+"/all.plan", "-y")
	members := fmt.Sprintf("%s %s 80\n%s %s 81\n", hosts[0].Name, hosts[0].Address, hosts[2].Name, hosts[2].Address)
	for _, host := range []machine{hosts[0], hosts[2]} {
		if got := host.read(t, "/etc/trusted.crt"); got != "of labfacts2\n" {
			t.Errorf("%s trusts %q", host.Name, got)
		}
		if got := host.read(t, "/etc/members"); got != members {
			t.Errorf("%s knows %q, want %q", host.Name, got, members)
		}
		facts := host.run(t, `printf '%s\n' Linux "$(ip -o route show default | sed 's/.* dev \([^ ]*\).*/\1/')" "$(systemd-detect-virt)" "$(cat /proc/sys/kernel/random/boot_id)"; hostname -I | tr ' ' '\n' | grep .`)
		if got := host.read(t, "/etc/facts"); strings.TrimSpace(got) != strings.TrimSpace(facts) {
			t.Errorf("%s says %q, want %q", host.Name, got, facts)
		}
	}
	do(0, "plan", "--detailed-exitcode")
	hosts[1].run(t, "echo another >/etc/authority.crt")
	do(0, "install", "-y", "-l", "labfacts1")
	if got := hosts[0].read(t, "/etc/trusted.crt"); got != "another\n" {
		t.Errorf("it trusts %q", got)
	}
	if got := hosts[2].read(t, "/etc/trusted.crt"); got != "of labfacts2\n" {
		t.Errorf("a host that is not of the run was changed: %q", got)
	}
}
