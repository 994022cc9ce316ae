package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// ErrMachine says that this machine cannot run lab hosts; the message around
// it names every reason.
var ErrMachine = errors.New("this machine cannot run lab hosts")

// tools maps each program that a lab needs to the Debian package that has it.
var tools = []struct{ program, pkg string }{
	{"debootstrap", "debootstrap"},
	{"systemd-nspawn", "systemd-container"},
	{"ip", "iproute2"},
	{"nft", "nftables"},
}

// machine is what decides whether lab hosts can run here; tests make it up.
type machine struct {
	system   string          // as in runtime.GOOS
	root     bool            //
	debian   bool            // Debian itself: only its apt knows what we would install
	codename string          // of its Debian release
	overlay  bool            // the kernel has overlayfs
	programs map[string]bool // which of the tools are there
	archives archives
}

// inspect looks at this machine.
func (l *Lab) inspect() machine {
	found := machine{system: runtime.GOOS, root: os.Geteuid() == 0, programs: map[string]bool{}}
	release := osRelease()
	found.debian, found.codename = release["ID"] == "debian", release["VERSION_CODENAME"]
	filesystems, _ := os.ReadFile("/proc/filesystems")
	found.overlay = strings.Contains(string(filesystems), "\toverlay\n")
	if !found.overlay && found.root {
		found.overlay = exec.Command("modprobe", "overlay").Run() == nil
	}
	for _, tool := range append(tools, struct{ program, pkg string }{"apt-get", "apt"}) {
		_, err := lookPath(tool.program)
		found.programs[tool.program] = err == nil
	}
	found.archives = debianArchives(machineSources("/etc/apt"), found.codename)
	if l.config.Mirror != "" {
		found.archives.main = strings.TrimSuffix(l.config.Mirror, "/")
	}
	if l.config.SecurityMirror != "" {
		found.archives.security = strings.TrimSuffix(l.config.SecurityMirror, "/")
	}
	return found
}

// packages lists the packages that are yet to be installed.
func (m machine) packages() []string {
	var packages []string
	for _, tool := range tools {
		if !m.programs[tool.program] {
			packages = append(packages, tool.pkg)
		}
	}
	return packages
}

// obstacles lists what keeps lab hosts from running here and what we cannot
// put right by installing packages.
func (m machine) obstacles() []string {
	if m.system != "linux" {
		return []string{"needs Linux, this is " + m.system}
	}
	var reasons []string
	if !m.root {
		reasons = append(reasons, "needs root: run it with sudo")
	}
	if !m.overlay {
		reasons = append(reasons, "needs overlayfs, which this kernel does not have")
	}
	if missing := m.packages(); len(missing) > 0 && !(m.debian && m.programs["apt-get"]) {
		reasons = append(reasons, "needs "+strings.Join(missing, ", ")+", which can be installed for you only on Debian")
	}
	if m.archives.main == "" {
		reasons = append(reasons, "knows no Debian mirror: none is in /etc/apt/sources.list or sources.list.d, name one with --mirror")
	}
	return reasons
}

// Missing lists in plain words what this machine lacks to run lab hosts; empty
// means that Prepare has nothing to do. Packages that Prepare would install are
// in it too.
func (l *Lab) Missing() []string {
	found := l.inspect()
	missing := found.obstacles()
	for _, pkg := range found.packages() {
		missing = append(missing, "package "+pkg)
	}
	return missing
}

// Prepare installs the packages that a lab needs and makes its directory.
// Where lab hosts cannot run, the error is ErrMachine with every reason.
func (l *Lab) Prepare(ctx context.Context) error {
	found := l.inspect()
	if reasons := found.obstacles(); len(reasons) > 0 {
		return fmt.Errorf("%w: %s", ErrMachine, strings.Join(reasons, "; "))
	}
	if len(found.packages()) > 0 {
		if err := l.installTools(ctx); err != nil {
			return err
		}
	}
	if err := ensureMachineID("/etc/machine-id"); err != nil {
		return err
	}
	if err := raiseInotify(); err != nil {
		return err
	}
	return os.MkdirAll(l.config.Dir, 0o755)
}

// ensureMachineID gives the machine the machine-id(5) that it gets when it boots: a container of an
// image never did, and nspawn makes the addresses of its network cards of it.
func ensureMachineID(path string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if id := strings.TrimSpace(string(text)); id != "" && id != "uninitialized" {
		return nil
	}
	return writeFile(path, []byte(newMachineID()+"\n"), 0o444)
}

// installTools holds the lab's lock, as two `apt-get update` at once fail.
func (l *Lab) installTools(ctx context.Context) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	missing := l.inspect().packages()
	if len(missing) == 0 {
		return nil // another process installed them while we waited
	}
	l.progress("installing %s", strings.Join(missing, ", "))
	return install(ctx, missing)
}

func install(ctx context.Context, packages []string) error {
	args := append([]string{"-y", "-q", "-o", "DPkg::Lock::Timeout=300", "install", "--no-install-recommends"}, packages...)
	if run(ctx, "apt-get", args...) == nil {
		return nil
	}
	// The lists may be missing or too old.
	if err := run(ctx, "apt-get", "-q", "update"); err != nil {
		return err
	}
	return run(ctx, "apt-get", args...)
}

// raiseInotify lets many systemds run on one kernel: each takes several
// inotify instances of root's, and with the default 128 services fail to start
// near 16 hosts.
func raiseInotify() error {
	const path, wanted = "/proc/sys/fs/inotify/max_user_instances", 4096
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if have, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && have >= wanted {
		return nil
	}
	return os.WriteFile(path, []byte(strconv.Itoa(wanted)), 0o644)
}

// osRelease reads os-release(5).
func osRelease() map[string]string {
	data, _ := os.ReadFile("/etc/os-release")
	release := map[string]string{}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		release[key] = strings.Trim(value, `"'`)
	}
	return release
}

// carriedOver are the settings of this machine's apt that a host behind it
// needs as well to reach the same archives.
var carriedOver = regexp.MustCompile(`^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ".+";$`)

// aptSettings picks them out of the output of `apt-config dump`.
func aptSettings(dump string) string {
	var settings strings.Builder
	for line := range strings.Lines(dump) {
		if carriedOver.MatchString(strings.TrimSpace(line)) {
			settings.WriteString(line)
		}
	}
	return settings.String()
}
