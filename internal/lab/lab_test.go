package lab_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// stage is the hosts that the parts of TestLabHostBoots play on.
type stage struct {
	lab         *lab.Lab
	host, other lab.Host
}

// TestLabHostBoots runs real hosts through what happens to them: it is one test
// as each part begins where the one before ended.
func TestLabHostBoots(t *testing.T) {
	l := labtest.Open(t)
	s := stage{l, labtest.Host(t, l, "lab-self1", "bookworm"), labtest.Host(t, l, "lab-self2", "trixie")}
	for _, part := range []struct {
		name string
		run  func(stage, *testing.T)
	}{
		{"is Debian as asked for", stage.isDebian},
		{"takes the operator's password", stage.takesPassword},
		{"hosts reach each other", stage.reachesOther},
		{"accounts processor time", stage.accountsTime},
		{"up leaves a running host alone", stage.staysUp},
		{"comes back from a reboot", stage.reboots},
		{"recovers after nspawn was killed", stage.losesNspawn},
		{"recovers after its supervisor was killed", stage.losesSupervisor},
		{"down lets services end and leaves nothing running", stage.goesDown},
		{"two at once boot it once", stage.bootsOnce},
		{"fresh forgets, and keeps address and key", stage.isFresh},
		{"installs what was seeded without a network", stage.isSeeded},
		{"another suite needs fresh", stage.refusesSuite},
		{"remove leaves nothing", stage.isRemoved},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(s, t) }) {
			return // what follows would only fail for the same reason
		}
	}
}

func (s stage) isDebian(t *testing.T) {
	for _, h := range []lab.Host{s.host, s.other} {
		wantOutput(t, s.lab, h, "root", "systemctl is-system-running", "running")
		wantOutput(t, s.lab, h, "root", ". /etc/os-release; echo $VERSION_CODENAME", h.Suite)
		wantOutput(t, s.lab, h, "root", "hostname", h.Name)
		wantOutput(t, s.lab, h, "root", "command -v curl python3 crontab logrotate || echo none", "none")
		wantOutput(t, s.lab, h, "admin", "sudo -n id -un", "root")
		wantOutput(t, s.lab, h, "operator", "sudo -n true 2>/dev/null || echo refused", "refused")
		wantOutput(t, s.lab, h, "operator", "echo lab | sudo -S -k -p '' id -un", "root")
		wantOutput(t, s.lab, h, "root", "apt-get -q update -o APT::Update::Error-Mode=any >/dev/null && echo reached", "reached")
	}
}

func (s stage) takesPassword(t *testing.T) {
	client, err := dial(s.lab, s.host, "operator", ssh.Password("lab"))
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	if client, err := dial(s.lab, s.host, "root", ssh.Password("lab")); err == nil {
		client.Close()
		t.Error("root got in with a password")
	}
}

func (s stage) reachesOther(t *testing.T) {
	script := "exec 3<>/dev/tcp/" + s.other.Address.String() + "/22; head -c 7 <&3"
	wantOutput(t, s.lab, s.host, "root", "bash -c '"+script+"'", "SSH-2.0")
}

func (s stage) accountsTime(t *testing.T) {
	if used, err := s.host.CPU(); err != nil || used <= 0 {
		t.Errorf("CPU = %s, %v", used, err)
	}
}

func (s stage) staysUp(t *testing.T) {
	before := leader(t, s.host)
	up(t, s.lab, s.host)
	if after := leader(t, s.host); after != before {
		t.Errorf("leader was %d, is %d", before, after)
	}
}

func (s stage) reboots(t *testing.T) {
	wantOutput(t, s.lab, s.host, "root", "echo mine > /root/kept; cat /root/kept", "mine")
	before := leader(t, s.host)
	// A moment later, so that the answer is not cut off.
	wantOutput(t, s.lab, s.host, "root", "systemd-run --quiet --on-active=0.3 --timer-property=AccuracySec=10ms systemctl reboot; echo asked", "asked")
	waitFor(t, "another PID 1", func() bool { pid, err := s.host.Leader(); return err == nil && pid != before })
	up(t, s.lab, s.host)
	wantOutput(t, s.lab, s.host, "root", "cat /root/kept", "mine")
}

func (s stage) losesNspawn(t *testing.T) {
	kill(t, parent(t, leader(t, s.host)))
	waitFor(t, "the host's end", func() bool { return !running(t, s.lab, s.host) })
	up(t, s.lab, s.host)
	wantOutput(t, s.lab, s.host, "root", "systemctl is-system-running; cat /root/kept", "running\nmine")
}

func (s stage) losesSupervisor(t *testing.T) {
	before := leader(t, s.host)
	kill(t, parent(t, parent(t, before)))
	waitFor(t, "the supervisor's end", func() bool { return !running(t, s.lab, s.host) })
	up(t, s.lab, s.host)
	if after := leader(t, s.host); after == before {
		t.Error("the orphan still runs")
	}
	wantOutput(t, s.lab, s.host, "root", "cat /root/kept", "mine")
}

func (s stage) goesDown(t *testing.T) {
	const service = "systemd-run --quiet --unit=farewell -p RemainAfterExit=yes -p ExecStop='touch /root/farewell' true"
	wantOutput(t, s.lab, s.host, "root", service+"; ls /root", "kept")
	if err := s.lab.Down(t.Context(), s.host.Name); err != nil {
		t.Fatal(err)
	}
	if running(t, s.lab, s.host) {
		t.Error("is said to run")
	}
	wantNothingLeft(t, s.host)
}

func (s stage) bootsOnce(t *testing.T) {
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := s.lab.Up(t.Context(), []string{s.host.Name}, "")
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	wantOutput(t, s.lab, s.host, "root", "ls /root", "farewell\nkept")
}

func (s stage) isFresh(t *testing.T) {
	anew, err := s.lab.Fresh(t.Context(), s.host.Name, "")
	if err != nil {
		t.Fatal(err)
	}
	if anew.Address != s.host.Address || anew.Suite != s.host.Suite {
		t.Errorf("became %+v, was %+v", anew, s.host)
	}
	wantOutput(t, s.lab, s.host, "root", "cat /root/kept 2>/dev/null || echo forgotten", "forgotten")
}

func (s stage) isSeeded(t *testing.T) {
	for range 2 { // the second time there is nothing to do
		if err := s.lab.Seed(t.Context(), s.host.Suite, []string{"netbase"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.lab.Fresh(t.Context(), s.host.Name, ""); err != nil {
		t.Fatal(err)
	}
	const install = "ip route delete default; apt-get install -qq netbase >/dev/null 2>&1; dpkg-query -W -f '${Status}' netbase"
	wantOutput(t, s.lab, s.host, "root", install, "install ok installed")
}

func (s stage) refusesSuite(t *testing.T) {
	if _, err := s.lab.Up(t.Context(), []string{s.host.Name}, "trixie"); err == nil || !strings.Contains(err.Error(), "lab fresh "+s.host.Name) {
		t.Errorf("up with another suite = %v, want an error that names fresh", err)
	}
}

func (s stage) isRemoved(t *testing.T) {
	if err := s.lab.Remove(t.Context(), s.host.Name); err != nil {
		t.Fatal(err)
	}
	wantNothingLeft(t, s.host)
	if _, err := os.Stat(s.host.Root()); !os.IsNotExist(err) {
		t.Errorf("its directory: %v", err)
	}
	known, err := os.ReadFile(s.lab.KnownHosts())
	if err != nil || strings.Contains(string(known), s.host.Name) || !strings.Contains(string(known), s.other.Name) {
		t.Errorf("known_hosts has the wrong hosts (%v):\n%s", err, known)
	}
}

// TestDestroy is about a lab of its own, next to the one for tests.
func TestDestroy(t *testing.T) {
	labtest.Open(t) // skips where it has to
	const dir, bridge = lab.DefaultDir + "-test-destroy", "plabtest1"
	l, err := lab.Open(lab.Config{
		Dir: dir, Base: filepath.Join(lab.DefaultDir, "base"),
		Bridge: bridge, Network: labtest.Network("destroy"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Destroy(context.Background(), false) })
	hosts, err := l.Up(t.Context(), []string{"lab-self3"}, "")
	if err != nil {
		t.Fatal(err)
	}
	// Without one of its own, the bridge would have the address of its only port, and another
	// when the next host comes: hosts that send to the old one hear nothing for half a minute.
	own, port := hardwareAddress(t, bridge), hardwareAddress(t, "vb-"+hosts[0].Name)
	if own == port {
		t.Errorf("the bridge has its port's address %s", port)
	}
	if err := l.Destroy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	wantNothingLeft(t, hosts[0])
	for _, path := range []string{dir, "/sys/class/net/" + bridge} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: %v, want it gone", path, err)
		}
	}
	tables, err := exec.Command("/usr/sbin/nft", "list", "tables").Output()
	if err != nil || strings.Contains(string(tables), bridge) {
		t.Errorf("nft tables (%v): %s", err, tables)
	}
	if _, err := os.Stat(filepath.Join(lab.DefaultDir, "base", hosts[0].Suite)); err != nil {
		t.Errorf("the base was only lent to it: %v", err)
	}
	if err := l.Destroy(t.Context(), false); err != nil {
		t.Errorf("destroying nothing: %v", err)
	}
}

func up(t *testing.T, l *lab.Lab, host lab.Host) {
	t.Helper()
	hosts, err := l.Up(t.Context(), []string{host.Name}, "")
	if err != nil {
		t.Fatal(err)
	}
	if hosts[0].Address != host.Address || !hosts[0].Running {
		t.Fatalf("up made %+v of %+v", hosts[0], host)
	}
}

func running(t *testing.T, l *lab.Lab, host lab.Host) bool {
	t.Helper()
	now, err := l.Host(host.Name)
	if err != nil {
		t.Fatal(err)
	}
	return now.Running
}

func leader(t *testing.T, host lab.Host) int {
	t.Helper()
	pid, err := host.Leader()
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func parent(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nPPid:")
	line, _, _ := strings.Cut(rest, "\n")
	parent, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || parent <= 1 {
		t.Fatalf("parent of %d: %q, %v", pid, line, err)
	}
	return parent
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func hardwareAddress(t *testing.T, link string) string {
	t.Helper()
	found, err := net.InterfaceByName(link)
	if err != nil {
		t.Fatal(err)
	}
	return found.HardwareAddr.String()
}

// wantNothingLeft looks for what a host has outside of its own directory.
func wantNothingLeft(t *testing.T, host lab.Host) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), host.Root()) {
		t.Error("its file system is still mounted")
	}
	if _, err := os.Stat("/sys/class/net/vb-" + host.Name); err == nil {
		t.Error("its link is still on the bridge")
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/provision-lab/", "/sys/fs/cgroup/provision-lab/"} {
		if groups, _ := filepath.Glob(pattern + host.Name); len(groups) > 0 {
			t.Errorf("control groups are left: %v", groups)
		}
	}
}

// dial takes the host's key only as the lab has pinned it.
func dial(l *lab.Lab, host lab.Host, user string, auth ssh.AuthMethod) (*ssh.Client, error) {
	pinned, err := knownhosts.New(l.KnownHosts())
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", net.JoinHostPort(host.Address.String(), "22"), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: pinned, Timeout: time.Minute,
	})
}

func wantOutput(t *testing.T, l *lab.Lab, host lab.Host, user, command, want string) {
	t.Helper()
	data, err := os.ReadFile(l.Identity())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	client, err := dial(l, host, user, ssh.PublicKeys(key))
	if err != nil {
		t.Fatalf("%s as %s: %v", host.Name, user, err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	output, err := session.CombinedOutput(command)
	if got := strings.TrimSpace(string(output)); err != nil || got != want {
		t.Errorf("%s as %s: %s = %q, %v, want %q", host.Name, user, command, got, err, want)
	}
}
