package run

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/lab"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
)

// What a run costs in round trips through a real sshd, the login's 7 among them, whatever the
// time: so often spoke the controller after it had heard something. That is up to 4 more than are
// waited for: the end of a command's input, and of a channel, and the goodbye go beside.
func TestRoundTrips(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.systemd(t)
		target := m.sshd(t)
		config := resource.File{Path: m.path("config"), Content: "1\n"}
		service := resource.Service{Unit: "x.service"}
		// A command that goes by what the one before has made is planned once that is done.
		first := resource.Command{Name: "first", Unless: "test -e " + m.path("first"), Script: "touch " + m.path("first")}
		second := resource.Command{
			Name: "second", Unless: "test -e " + m.path("second"), Script: "touch " + m.path("second"),
			Reads: []recipe.Key{recipe.CommandKey("first")},
		}
		whole := func(r *recipe.Recipe) {
			r.Add(resource.Directory{Path: m.path("directory")})
			r.Add(config, recipe.Notification{Unit: service.Unit, Action: recipe.Restart})
			r.Add(first)
			r.Add(second)
			r.Add(service)
		}
		for _, test := range []struct {
			name   string
			before func()
			status engine.Status
			most   int64
		}{
			{"first apply", func() {}, engine.StatusChanged, 21},
			{"converged", func() {}, engine.StatusSame, 13},
			{"one file changed, and its service restarted", func() { config.Content = "2\n" }, engine.StatusChanged, 20},
		} {
			test.before()
			trips := trips(t, target, whole, test.status)
			t.Logf("%s: %d round trips", test.name, trips)
			if trips > test.most {
				t.Errorf("%s: %d round trips, want %d at the most", test.name, trips, test.most)
			}
		}
	})
}

// trips runs a recipe, and returns its round trips: with that of TCP, which the relay answers.
func trips(t *testing.T, target Target, of func(*recipe.Recipe), status engine.Status) int64 {
	t.Helper()
	relay := relayed(t, &target, 10*time.Millisecond)
	task := recipe.Task{Name: "x", Build: func(recipe.Input) (recipe.Recipe, error) {
		var r recipe.Recipe
		of(&r)
		return r, nil
	}}
	settings := Settings{Forks: 1, Unasked: true, Observe: func(engine.HostEvent) {}}
	settings.Header.Verb = "install"
	results, err := Install(t.Context(), []Work{{Target: target, Blueprint: Blueprint{Tasks: []recipe.Task{task}}}}, settings)
	if err != nil || len(results) != 1 {
		t.Fatalf("%v, %v", results, err)
	}
	is(t, results[0].Finished, status)
	return relay.RoundTrips() + 1
}

// relayed lets the way to a target lead through a relay.
func relayed(t *testing.T, target *Target, delay time.Duration) *lab.Relay {
	t.Helper()
	relay, err := lab.NewRelay(fmt.Sprintf("127.0.0.1:%d", target.Address.Port), delay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relay.Close() })
	_, port, err := net.SplitHostPort(relay.Address())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(port, &target.Address.Port); err != nil {
		t.Fatal(err)
	}
	return relay
}

// systemd puts a systemctl in front of the real one, whose x.service always runs.
func (m *machine) systemd(t *testing.T) {
	t.Helper()
	m.write(t, m.dir+"/sbin/systemctl", `#!/bin/sh
case "$*" in
*LoadState*) printf 'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n' ;;
*NRestarts*) echo 0 ;;
*ActiveState*) echo active ;;
esac
`, 0o755)
}

// sshd starts an OpenSSH server in the namespace, and returns it as a target.
func (m *machine) sshd(t *testing.T) Target {
	t.Helper()
	server := fmt.Sprintf("/proc/%d/root/usr/sbin/sshd", os.Getppid()) // outside of the namespace
	if _, err := os.Stat(server); err != nil {
		t.Skip(err)
	}
	port := freePort(t)
	script := `set -e; cd "$0"; mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f id
printf '%s %s\n' '*' "$(cat host.pub)" >known_hosts`
	if out, err := exec.Command("sh", "-c", script, m.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m.write(t, m.dir+"/sshd_config", fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %[2]s/host\nAuthorizedKeysFile %[2]s/id.pub\n"+
		"StrictModes no\nPidFile none\nUsePAM no\nPermitRootLogin yes\n", port, m.dir), 0o644)
	cmd := exec.Command(server, "-D", "-e", "-f", m.dir+"/sshd_config")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatal("sshd does not listen")
		}
	}
	return Target{Name: "there", Address: remote.Address{User: "root", Host: "127.0.0.1", Port: port}, Config: remote.Config{
		ConfigFile: "none", Identities: []string{filepath.Join(m.dir, "id")}, KnownHosts: m.dir + "/known_hosts",
		Options: []string{"IdentityAgent=none", "IdentitiesOnly=yes", "ConnectTimeout=120"},
	}}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
