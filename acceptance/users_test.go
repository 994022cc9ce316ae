package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// otherUsers repairs the host as somebody with sudo, somebody with sudo and a password,
// and both through another host: each time the plan, the repair and the run after it are
// as root's.
func otherUsers(t *testing.T, identity, known string, host, jump machine) {
	direct := []string{"-F", "none", "-i", identity, "-o", "UserKnownHostsFile=" + known}
	config := filepath.Join(t.TempDir(), "ssh_config")
	text := fmt.Sprintf("Host %s\n  ProxyJump root@%s\nHost *\n  IdentityFile %s\n  UserKnownHostsFile %s\n", host.Address, jump.Address, identity, known)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	through := []string{"-F", config}
	tests := []struct {
		name, login string
		options     []string
		password    string
		from        string // the address that sshd sees
	}{
		{"admin", "admin", direct, "", ""},
		{"operator", "operator", direct, "lab", ""},
		{"admin through another host", "admin", through, "", jump.Address.String()},
		{"operator through another host", "operator", through, "lab", jump.Address.String()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			do := func(verb string, code int, more ...string) ended {
				args := append([]string{verb, "graphite", "-H", test.login + "@" + host.Address.String()}, append(test.options, more...)...)
				if test.password == "" {
					return provision(t, args...).exits(t, code)
				}
				return typing(t, test.password, append(args, "-K")...).exits(t, code)
			}
			do("plan", 0, "--detailed-exitcode")
			host.run(t, "rm /etc/nginx/sites-enabled/graphite; echo x >>/etc/graphite/local_settings.py")
			do("plan", 2, "--detailed-exitcode")
			before := host.mainPIDs(t, "carbon-cache", "graphite-web", "nginx")
			do("install", 0, "-y")
			after := host.mainPIDs(t, "carbon-cache", "graphite-web", "nginx")
			if after["graphite-web"] == before["graphite-web"] || after["carbon-cache"] != before["carbon-cache"] {
				t.Errorf("main processes before %v, after %v", before, after)
			}
			do("plan", 0, "--detailed-exitcode")
			login := host.run(t, "journalctl -q -o cat | grep 'Accepted publickey for "+test.login+" ' | tail -n 1")
			if !strings.Contains(login, "from "+test.from) {
				t.Errorf("sshd says %q, want it from %s", login, test.from)
			}
		})
	}
}

// typing runs the command on a terminal of its own, where somebody types a password when
// it is asked for.
func typing(t *testing.T, password string, args ...string) ended {
	t.Helper()
	master, slave := terminal(t)
	c := command(t, args...)
	var stdout bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = slave, &stdout, slave
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return finish(t, typed(t, c, master, slave, password))
}

// typed makes the keyboard of a terminal: it answers the first prompt.
func typed(t *testing.T, c *exec.Cmd, master, slave *os.File, password string) *exec.Cmd {
	t.Helper()
	done := make(chan struct{})
	var shown bytes.Buffer
	go func() {
		defer close(done)
		answered := false
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			shown.Write(buffer[:n])
			if !answered && strings.Contains(shown.String(), "sudo password: ") {
				time.Sleep(50 * time.Millisecond) // until echo is off
				fmt.Fprintln(master, password)
				answered = true
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		slave.Close()
		master.Close()
		<-done
		if strings.Contains(shown.String(), password+"\r\n") {
			t.Errorf("the password is on the screen: %q", shown.String())
		}
		if t.Failed() {
			t.Logf("on the screen: %s", shown.String())
		}
	})
	return c
}

// terminal opens a pseudo-terminal (pts(4)).
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}
