package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// firstInstall is how long somebody who has just got the package may wait for a Graphite.
const firstInstall = 5 * time.Minute

// gettingIt are the commands of the README by which somebody gets the program.
var gettingIt = []string{
	"apt install ./provision_*_amd64.deb",
	"tar -xzf provision-*-linux-amd64.tar.gz -C /usr/local --strip-components=1",
	"sha256sum -c --ignore-missing SHA256SUMS",
	"ssh-keygen -Y verify -f allowed_signers -I provision -n provision-release -s SHA256SUMS.sig <SHA256SUMS",
}

// The same commit is the same bytes in two directories at two times, and a host without Go that gets
// the package installs with it, over ssh, on another.
func TestPackage(t *testing.T) {
	onItsDays(t, 2)
	if testing.Short() {
		t.Skip("builds all: not with -short")
	}
	t.Parallel()
	key := signingKey(t)
	first, again := release(t, key), release(t, key, ownCompiles(t)...)
	sums := func(dist string) string {
		out(t, dist, nil, "sha256sum", "-c", "--quiet", "SHA256SUMS")
		return string(readFile(t, filepath.Join(dist, "SHA256SUMS")))
	}
	if one, other := sums(first), sums(again); one != other {
		t.Errorf("two builds of one commit:\n%s\n%s", one, other)
	}
	debs, err := filepath.Glob(filepath.Join(first, "*.deb"))
	if err != nil || len(debs) != 1 {
		t.Fatalf("packages %q: %v", debs, err)
	}
	if _, err := exec.LookPath("lintian"); err == nil || os.Getenv("CI") == "true" {
		out(t, first, nil, "lintian", "--allow-root", "--fail-on", "error,warning", debs[0])
	}
	shellsComplete(t, debs[0])
	l := labtest.Open(t)
	for suite, release := range today(t) {
		t.Run(suite, func(t *testing.T) {
			installPackage(t, first, boot(t, l, suite, "labpkg"+release, "labpkgto"+release))
		})
	}
}

// release makes what users get, for this machine's architecture, in a clone of its own that names a key,
// and signs it.
func release(t *testing.T, key string, environment ...string) string {
	t.Helper()
	tree, dist, start := clone(t), filepath.Join(t.TempDir(), "dist"), time.Now()
	publishedBy(t, tree, key, you)
	out(t, tree, append(environment, "ARCHITECTURES="+runtime.GOARCH), "packaging/release", dist)
	out(t, tree, nil, "packaging/sign", key, dist)
	t.Logf("a release was made in %s", time.Since(start).Round(time.Second))
	return dist
}

// ownCompiles has nothing compiled yet, where the tests take their time.
func ownCompiles(t *testing.T) []string {
	if os.Getenv("PROVISION_PROVE") != "all" {
		return nil
	}
	return []string{"GOCACHE=" + t.TempDir()}
}

// shellsComplete looks at what zsh and fish find where the package puts it; bash is asked on the host.
func shellsComplete(t *testing.T, deb string) {
	t.Helper()
	root := t.TempDir()
	out(t, root, nil, "dpkg-deb", "-x", deb, root)
	environment := []string{
		"HOME=" + root, "PATH=" + filepath.Join(root, "usr/bin") + ":" + os.Getenv("PATH"), "XDG_DATA_DIRS=" + filepath.Join(root, "usr/share"),
	}
	for shell, script := range map[string]string{
		"zsh":  "fpath=($HOME/usr/share/zsh/vendor-completions $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[provision]; autoload +X _provision",
		"fish": "complete -C 'provision verif'",
	} {
		want := map[string]string{"zsh": "_provision\n", "fish": "verify\t"}[shell]
		if got := out(t, root, environment, shell, "-c", script); !strings.HasPrefix(got, want) {
			t.Errorf("%s completes %q, want %q", shell, got, want)
		}
	}
}

// installPackage is the way of somebody who has two hosts and what was made.
func installPackage(t *testing.T, dist string, hosts []machine) {
	controller, target := hosts[0], hosts[1]
	if err := os.CopyFS(filepath.Join(controller.Root(), "root/dist"), os.DirFS(dist)); err != nil {
		t.Fatal(err)
	}
	get := func(n int) {
		if !slices.Contains(readmeCommands(t), gettingIt[n]) {
			t.Errorf("the README does not say %s", gettingIt[n])
		}
		controller.run(t, "cd /root/dist && "+strings.ReplaceAll(gettingIt[n], "amd64", runtime.GOARCH))
	}
	controller.run(t, "! command -v go && apt-get -q -y install man-db bash-completion")
	get(2)
	get(0)
	controller.run(t, "cp /usr/share/doc/provision/allowed_signers /root/dist")
	get(3)
	tampered(t, controller)
	// deb-version(7): ~ comes before nothing, as in a module's version - does.
	said := controller.run(t, "provision version")
	version := strings.TrimPrefix(strings.TrimSpace(said), "provision version v")
	version = strings.ReplaceAll(strings.Replace(version, "-", "~", 1), "-", ".")
	if packaged := controller.run(t, "dpkg-query -W -f '${Version}' provision"); packaged != version {
		t.Errorf("the program is of %s, the package of %s", version, packaged)
	}
	if gimel := controller.run(t, "install -m 0755 /usr/lib/provision/gimel-"+runtime.GOARCH+" /root/gimel && /root/gimel version"); gimel != strings.TrimPrefix(said, "provision version ") {
		t.Errorf("the program is of %s, gimel of %s", said, gimel)
	}
	if page := controller.run(t, "man -w provision"); page != "/usr/share/man/man1/provision.1.gz\n" {
		t.Errorf("its page is %s", page)
	}
	const completes = `. /usr/share/bash-completion/bash_completion; _completion_loader provision
COMP_LINE='provision verif' COMP_POINT=15 COMP_WORDS=(provision verif) COMP_CWORD=1 COMP_TYPE=9; __start_provision; echo "${COMPREPLY[*]}"`
	if got := strings.TrimSpace(controller.run(t, completes)); got != "verify" {
		t.Errorf("bash completes %q", got)
	}
	installsOnAnother(t, controller, target)
	demoes(t, controller)
	// systemd brings a provision.conf of its own.
	if left := controller.run(t, "apt-get -q -y purge provision >&2; find /usr /etc /var -xdev -name '*provision*' ! -path '/var/lib/dpkg/*' ! -path '/var/lib/apt/*' ! -path /usr/lib/tmpfiles.d/provision.conf"); left != "" {
		t.Errorf("the package left\n%s", left)
	}
	get(1)
	bringsGimel(t, controller, target)
}

// tampered has a file of the download, and then its digest too, made another: what the README says finds both.
func tampered(t *testing.T, controller machine) {
	t.Helper()
	controller.run(t, `cp -R /root/dist /root/false && cd /root/false && echo more >>"$(echo *.tar.gz)"
! `+gettingIt[2]+` && sha256sum -- *.deb *.tar.gz >SHA256SUMS && `+gettingIt[2]+` && ! `+gettingIt[3]+` && rm -r /root/false`)
}

// asRoot is where a login of root's begins.
const asRoot = "export HOME=/root PATH=/usr/local/bin:$PATH; cd; "

func withSSH(target machine) string {
	return " -H root@" + target.Address.String() + " -o StrictHostKeyChecking=accept-new"
}

// bringsGimel fails where there is nothing of gimel to upload.
func bringsGimel(t *testing.T, controller, target machine) {
	t.Helper()
	if plan := controller.run(t, asRoot+"provision deploy gimel --check"+withSSH(target)); !strings.Contains(plan, "/gimel  upload ") {
		t.Errorf("nothing of gimel is uploaded:\n%s", tail(plan, 4000))
	}
}

// demoes runs the demo of the package in a lab within the lab, as docs/lab.md says. It is minutes, of which the
// Debian system that its host is made from takes one.
func demoes(t *testing.T, controller machine) {
	t.Helper()
	if os.Getenv("PROVISION_PROVE") != "all" {
		return
	}
	const lab = "export PROVISION_LAB_DIR=/root/lab/its PROVISION_LAB_NETWORK=198.19.248.0/24; "
	controller.run(t, `mkdir /root/lab && mount -t tmpfs -o size=4G,mode=0755 lab /root/lab
for each in /sys/fs/cgroup /sys/fs/cgroup/*; do ! mountpoint -q "$each" || mount -o remount,bind,rw "$each"; done`)
	start := time.Now()
	said := controller.run(t, asRoot+lab+"provision demo graphite && test $(stat -c %s graphite-demo.png) -gt 5000")
	t.Logf("the demo took %s", time.Since(start).Round(time.Second))
	if !strings.Contains(said, "graphite  http://198.19.248.2/\n") {
		t.Errorf("the demo says\n%s", tail(said, 4000))
	}
	controller.run(t, asRoot+lab+"provision lab destroy && umount /root/lab")
}

// installsOnAnother uses the package: over ssh, with a key that was made there.
func installsOnAnother(t *testing.T, controller, target machine) {
	t.Helper()
	key := controller.run(t, "ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && cat /root/.ssh/id_ed25519.pub")
	target.feed(t, "mkdir -p -m 0700 /root/.ssh && cat >>/root/.ssh/authorized_keys", key)
	on := withSSH(target)
	if plan := controller.run(t, asRoot+"provision plan graphite -e graphite.auth=false"+on); !strings.Contains(plan, "graphite-web") {
		t.Errorf("the plan is\n%s", tail(plan, 4000))
	}
	bringsGimel(t, controller, target)
	controller.run(t, asRoot+"provision new shop && provision check && provision install shop -y"+on)
	if os.Getenv("PROVISION_PROVE") == "all" {
		start := time.Now()
		controller.run(t, asRoot+"provision install graphite -y"+on)
		took := time.Since(start).Round(time.Second)
		t.Logf("Graphite was installed by the package in %s", took)
		if took > firstInstall {
			t.Errorf("that is more than %s", firstInstall)
		}
		controller.run(t, asRoot+"provision verify graphite"+on)
	}
}
