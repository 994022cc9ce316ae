package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// readmeCommands returns the commands of the README, in order, without their comments.
func readmeCommands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			inside = line == "```sh"
			continue
		}
		command, _, _ := strings.Cut(line, "   #")
		command, _, _ = strings.Cut(command, "  #")
		if inside && command != "" && !strings.HasPrefix(command, "#") {
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	return commands
}

// TestReadme runs every command of the README, as a reader would, one after the other: web1,
// of the group metrics, and web2, of the group ab, are lab hosts, and the lab of "provision lab" is one of
// this test's own.
func TestReadme(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	hosts := boot(t, l, "bookworm", "labr1", "labr2")
	ownLab1(t)
	own := readerLab(t, "readme")
	home := t.TempDir()
	environment := readerHome(t, l, home, hosts, own)
	for _, line := range readmeCommands(t) {
		if line == "sh .ci/test" || slices.Contains(gettingIt, line) {
			continue // that is what runs this, and TestPackage runs these
		}
		words := strings.Fields(line)
		dir := home
		if strings.HasPrefix(line, "go run ./cmd/provision") {
			words = append([]string{"provision"}, words[3:]...)
		}
		if strings.HasPrefix(line, "provision deploy") {
			dir = "." // it builds the release from the source tree
		}
		if words[0] != "provision" {
			t.Errorf("%s: not a command that this test knows", line)
			continue
		}
		command := exec.CommandContext(t.Context(), executable(t), words[1:]...)
		command.Dir, command.Env = dir, environment
		if dir == "." {
			command.Args = append(command.Args, "--inventory", filepath.Join(home, "hosts.yaml"))
		}
		if words[1] == "demo" {
			command.Args = append(command.Args, "--name", "labr3") // the reader's own demo may be there
		}
		if needsYes(words) {
			command.Args = append(command.Args, "-y") // a reader has a terminal, and is asked
		}
		ended := finish(t, command)
		t.Logf("%s: %d", line, ended.code)
		ended.exits(t, 0)
	}
	if graph, err := os.Stat(filepath.Join(home, "graphite-demo.png")); err != nil || graph.Size() < 5000 {
		t.Errorf("the demo's graph: %v", err)
	}
}

func needsYes(words []string) bool {
	changes := []string{"install", "rollback", "remove", "deploy", "do"}
	return slices.Contains(changes, words[1]) && words[len(words)-1] != "-y"
}

// lab1 is a name that one lab of a machine has at a time: readers of several pages make it.
var lab1 sync.Mutex

func ownLab1(t *testing.T) {
	lab1.Lock()
	t.Cleanup(lab1.Unlock)
}

// readerLab is an empty lab beside the test's, which shares the Debian systems that hosts
// are made from.
func readerLab(t *testing.T, name string) []string {
	t.Helper()
	dir := labtest.Config().Dir + "-" + name
	environment := []string{
		"PROVISION_LAB_DIR=" + dir, "PROVISION_LAB_BASE=" + labtest.Config().Base,
		"PROVISION_LAB_NETWORK=" + labtest.Network(name).String(), "PROVISION_LAB_BRIDGE=plab" + name + "0",
	}
	path := executable(t)
	destroy := func() {
		command := exec.Command(path, "lab", "destroy", "--keep-base")
		command.Env = append(os.Environ(), environment...)
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("lab destroy: %v\n%s", err, output)
		}
	}
	destroy()
	t.Cleanup(destroy)
	return environment
}

// readerHome is the home of somebody who knows the hosts as web1 and web2, and has an
// inventory.
func readerHome(t *testing.T, l *lab.Lab, home string, hosts []machine, environment []string) []string {
	t.Helper()
	config := ""
	for i, host := range hosts {
		config += fmt.Sprintf("Host web%d\n  HostName %s\n  User root\n  IdentityFile %s\n  UserKnownHostsFile %s\n",
			i+1, host.Address, l.Identity(), l.KnownHosts())
	}
	files := map[string]string{
		".ssh/config": config,
		"motd":        "Made by provision.\n",
		"hosts.yaml": `groups:
  metrics: {hosts: [web1], tasks: [graphite]}
  ab: {hosts: [web2], tasks: [gimel]}
hosts:
  web1: {}
  web2: {}
`,
	}
	for name, text := range files {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return slices.Concat(environment, []string{"HOME=" + home, "NO_COLOR=1", "LANG=C.UTF-8", "PATH=" + os.Getenv("PATH"), "GORACE=halt_on_error=1"}, goEnvironment(t))
}

// goEnvironment is what a build needs where HOME is another.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	var environment []string
	for _, name := range []string{"GOFLAGS", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"} {
		environment = append(environment, name+"="+os.Getenv(name))
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		environment = append(environment, name+"="+strings.TrimSpace(string(value)))
	}
	return environment
}
