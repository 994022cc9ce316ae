package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write what the scripts' commands print into them, and the schema into docs")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"provision": main})
}

// TestScript runs testdata/script/*.txt, each in an empty folder with an empty home:
//
//	exits CODE COMMAND...    run it; its exit code has to be this
//	refuse ARGUMENT...       provision refuses this with code 1 and a hint: nothing on standard
//	                         output, and it connects to no listener of the script
//	listen NAME              listen on loopback; the port is $NAME
//	sshd NAME                start a real sshd on loopback; the port is $NAME, and $SSH are
//	                         the flags that let provision in
//	account NAME             make an account of the machine that may become nobody else; it is
//	                         $NAME, and the key of the script's sshd lets it in
//	signal NAME COMMAND...   run it, send it SIGNAME once it prints "ready", want exit code 130
//	unread CODE COMMAND...   run it, and close the pipe that it prints into once it prints
//	                         "ready"; its exit code has to be this
//	graphite NAME            answer on loopback as Graphite does, each target by the file of its
//	                         name; the port is $NAME
//	carbon NAME              take what is sent there into the file carbon; the port is $NAME
//	trouble HOST...          start simulated hosts in these troubles, by which they are named
//	objects CODE             what was printed are lines of --json, and the last has this code;
//	                         of list it is -
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv("NEWLINE", "\n")
			env.Setenv("PROVISION_LAB_DIR", filepath.Join(env.WorkDir, "lab"))
			env.Values[listenersKey{}] = &listeners{}
			return os.MkdirAll(filepath.Join(home, ".ssh"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "refuse": cmdRefuse, "listen": cmdListen, "sshd": cmdSSHD, "signal": cmdSignal, "unread": cmdUnread, "account": cmdAccount,
			"objects": cmdObjects, "graphite": cmdGraphite, "carbon": cmdCarbon, "trouble": cmdTrouble,
		},
	})
}

func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitOf(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitOf(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

type listenersKey struct{}

// listeners counts who connected to the listeners of a script.
type listeners struct{ connected atomic.Int64 }

func cmdRefuse(ts *testscript.TestScript, _ bool, args []string) {
	connected := &ts.Value(listenersKey{}).(*listeners).connected
	before := connected.Load()
	if got := exitOf(ts, ts.Exec("provision", args...)); got != exitUsage {
		ts.Fatalf("exit code %d, want %d", got, exitUsage)
	}
	if printed := ts.ReadFile("stdout"); printed != "" {
		ts.Fatalf("on standard output: %s", printed)
	}
	if told := ts.ReadFile("stderr"); !strings.HasPrefix(told, "✗ ") || !strings.Contains(told, "\n  hint: ") {
		ts.Fatalf("no problem with a hint: %s", told)
	}
	if n := connected.Load() - before; n > 0 {
		ts.Fatalf("it connected, %d times", n)
	}
}

func cmdListen(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	all := ts.Value(listenersKey{}).(*listeners)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			all.connected.Add(1)
			connection.Close()
		}
	}()
	ts.Setenv(args[0], portOf(listener))
}

func portOf(listener net.Listener) string {
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// fakeSystemctl knows no unit. It stands in the place of the real one for those who come
// through a script's sshd, as the machine of the tests may have no systemd that runs.
const fakeSystemctl = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
for unit; do printf 'LoadState=not-found\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=no\n\n'; done
`

// cmdSSHD starts the sshd of the machine with keys of its own.
func cmdSSHD(ts *testscript.TestScript, _ bool, args []string) {
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil || os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			ts.Fatalf("needs /usr/sbin/sshd and root (apt-get install openssh-server)")
		}
		ts.Logf("needs /usr/sbin/sshd and root")
		return // the conditions of the scripts skip what needs it
	}
	dir := ts.MkAbs("ssh")
	key := filepath.Join(dir, "key")
	if _, err := os.Stat(key); err != nil {
		ts.Check(os.MkdirAll(dir, 0o755))
		ts.Check(os.MkdirAll("/run/sshd", 0o755))
		ts.Check(exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).Run())
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	port := portOf(free)
	free.Close()
	public, err := os.ReadFile(key + ".pub")
	ts.Check(err)
	known, err := os.OpenFile(filepath.Join(dir, "known_hosts"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	fmt.Fprintf(known, "[127.0.0.1]:%s %s", port, public)
	known.Close()
	config := filepath.Join(dir, "sshd_config."+port)
	ts.Check(os.WriteFile(config, fmt.Appendf(nil, "Port %s\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s.pub\n"+
		"StrictModes no\nPidFile none\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n", port, key, key), 0o600))
	systemctl := filepath.Join(dir, "systemctl")
	ts.Check(os.WriteFile(systemctl, []byte(fakeSystemctl), 0o755))
	server := exec.Command("unshare", "--mount", "sh", "-ec", `mount --bind "$1" /usr/bin/systemctl; exec /usr/sbin/sshd -D -e -f "$2"`, "sh", systemctl, config)
	ts.Check(server.Start())
	ts.Defer(func() {
		server.Process.Kill()
		server.Wait()
	})
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if connection, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			connection.Close()
			break
		}
		if time.Since(began) > time.Minute {
			ts.Fatalf("sshd does not listen at %s", port)
		}
	}
	ts.Setenv(args[0], port)
	ts.Setenv("KEY", key)
	ts.Check(os.WriteFile(ts.MkAbs("ssh_config"), fmt.Appendf(nil,
		"User root\nIdentityFile %s\nIdentitiesOnly yes\nUserKnownHostsFile %s\nConnectTimeout 120\n", key, known.Name()), 0o600))
}

func cmdAccount(ts *testscript.TestScript, _ bool, args []string) {
	name := fmt.Sprintf("pvt-%s-%d", strings.ToLower(args[0]), os.Getpid())
	if output, err := exec.Command("useradd", "-m", "-s", "/bin/sh", "-p", "*", name).CombinedOutput(); err != nil {
		ts.Fatalf("useradd: %s", output)
	}
	ts.Defer(func() { exec.Command("userdel", "-rf", name).Run() })
	// sshd reads the keys as who logs in.
	for dir := ts.MkAbs("ssh"); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		ts.Check(os.Chmod(dir, 0o755))
	}
	ts.Setenv(args[0], name)
}

// started starts a command of a script that prints into a pipe, and returns once it has printed
// "ready".
func started(ts *testscript.TestScript, args []string) (*exec.Cmd, *os.File) {
	path, err := exec.LookPath(args[0])
	if err != nil { // the scripts' PATH is not this process's
		for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
			if _, err := os.Stat(filepath.Join(dir, args[0])); err == nil {
				path = filepath.Join(dir, args[0])
				break
			}
		}
	}
	output, printed, err := os.Pipe()
	ts.Check(err)
	command := exec.Command(path, args[1:]...)
	command.Dir, command.Stdout, command.Stderr = ts.MkAbs("."), printed, printed
	for _, name := range []string{"HOME", "PATH", "LANG", "PROVISION_LAB_DIR"} {
		command.Env = append(command.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(command.Start())
	printed.Close()
	ts.Check(output.SetReadDeadline(time.Now().Add(5 * time.Minute)))
	text, buffer := "", make([]byte, 4096)
	for !strings.Contains(text, "ready") {
		n, err := output.Read(buffer)
		text += string(buffer[:n])
		if err != nil {
			command.Process.Kill()
			ts.Fatalf("%v: %v\n%s", command, err, text)
		}
	}
	return command, output
}

func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	command, output := started(ts, args[1:])
	defer output.Close()
	ts.Check(command.Process.Signal(unix.SignalNum("SIG" + args[0])))
	rest, _ := io.ReadAll(output)
	if got := exitOf(ts, command.Wait()); got != exitInterrupted {
		ts.Fatalf("exit code %d, want %d\n%s", got, exitInterrupted, rest)
	}
}

func cmdUnread(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	command, output := started(ts, args[1:])
	output.Close()
	err = command.Wait()
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		ts.Fatalf("ended by signal %v", status.Signal())
	}
	if got := exitOf(ts, err); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// TestHelpFits reads every command's help: no line is longer than a terminal is wide.
func TestHelpFits(t *testing.T) {
	f := &flags{}
	root := newRoot(f, console{os.Stdin, os.Stdout, os.Stderr})
	commands := []*cobra.Command{root}
	for len(commands) > 0 {
		command := commands[0]
		commands = append(commands[1:], command.Commands()...)
		if command.Hidden {
			continue
		}
		var text strings.Builder
		fmt.Fprintf(&text, "%s\n", command.Long)
		writeUsage(&text, command, f.groups())
		for line := range strings.Lines(text.String()) {
			line = strings.TrimRight(line, "\n")
			columns := len([]rune(line))
			if columns > helpColumns {
				t.Errorf("%s --help: a line of more than %d columns: %s", command.CommandPath(), helpColumns, line)
			}
			// man indents what is to be typed by seven more, and breaks none of it.
			if strings.HasPrefix(line, "  ") && strings.Contains(command.Long+command.Example, line) && columns > helpColumns-7 {
				t.Errorf("man %s: a line of more than %d columns: %s", command.CommandPath(), helpColumns, line)
			}
		}
	}
}
