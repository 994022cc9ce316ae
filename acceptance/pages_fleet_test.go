package acceptance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
)

// triedElsewhere are commands of these pages that other tests run, or that want somebody at a terminal.
var triedElsewhere = []string{
	"provision lab up", "provision ssh ", "provision secret encrypt ", "provision test TASK --lab", // TestReadme, TestScript/ssh, TestScript/secret, TestProof
	"provision install nginx ",                                                               // TestScript/elsewhere
	"provision do alerts ", "provision do graphite ", "provision get /var/backups/graphite/", // TestAlerts, TestBackupAndRestore
}

// TestFleetPages runs the commands of the pages about many hosts, about runs at which nobody looks, and of the
// reference: the blocks for a shell as they stand there, then what is mentioned in the text.
func TestFleetPages(t *testing.T) {
	onItsDays(t, 2)
	t.Parallel()
	l := labtest.Open(t)
	hosts := boot(t, l, slices.Sorted(maps.Keys(today(t)))[0], "labpgf1", "labpgf2")
	for _, page := range []string{"fleets.md", "unattended.md", "reference.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile("../docs/" + page)
			if err != nil {
				t.Fatal(err)
			}
			r := newFleetReader(t, l.Identity()+".pub")
			r.environment = readerHome(t, l, r.home, hosts, readerLab(t, "pgf"))
			r.writes(t)
			ran := 0
			for _, block := range fenced(string(text)) {
				if block.kind != "sh" {
					continue
				}
				for line := range strings.Lines(block.text) {
					ran++
					r.runs(t, strings.TrimSpace(line))
				}
			}
			r.runs(t, "provision install -l web -y")
			for _, typed := range typedCommand.FindAllStringSubmatch(string(text), -1) {
				if !slices.ContainsFunc(triedElsewhere, func(begin string) bool { return strings.HasPrefix(typed[1], begin) }) && !strings.Contains(typed[1], "…") {
					ran++
					r.runs(t, typed[1])
				}
			}
			if ran < 4 {
				t.Errorf("it has %d commands", ran)
			}
		})
	}
}

// fleetReader is somebody who types what a page says, on two hosts of a group that two names have.
type fleetReader struct {
	home, recipient string
	environment     []string
	written         int
}

func newFleetReader(t *testing.T, recipient string) *fleetReader {
	t.Helper()
	text, err := os.ReadFile(recipient)
	if err != nil {
		t.Fatal(err)
	}
	return &fleetReader{home: t.TempDir(), recipient: string(text)}
}

// writes gives the hosts something new to become.
func (r *fleetReader) writes(t *testing.T) {
	t.Helper()
	r.written++
	writeProject(t, r.home, map[string]string{
		"hosts.yaml": fmt.Sprintf("recipients:\n  - %sgroups:\n  web: {hosts: [web1, web2], tasks: [shop], vars: {shop.number: %d}}\n  metrics: {hosts: [web1, web2]}\nhosts:\n  web1: {}\n  web2: {}\n", r.recipient, r.written),
		"tasks/shop.star": `variables = [var("number", int), var("broken", bool, default = False), var("token", secret, default = None)]

actions = [action("backup", "mkdir -p \"$dir\" && touch \"$dir/backup\"", args = [var("dir", str)])]

def build(v, host):
    return [file("/etc/shop.conf", str(v.number) + "\n"), command("works", script = "exit 1" if v.broken else ":", unless = "false" if v.broken else "true")]

def verify(v, host):
    return [runs("cat /etc/shop.conf", contains = str(v.number))]
`,
		"tasks/shop_test.star": "def test_shop(t):\n    t.converged(vars = {\"number\": 1})\n",
	})
}

// runs types a line of a page: what stands for something is that, and who has no terminal says yes.
func (r *fleetReader) runs(t *testing.T, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, "  #")
	line = strings.NewReplacer("TASK.VARIABLE", "shop.token", "TASK", "shop", "HOST", "web1", "DIR", "man").Replace(strings.TrimSpace(line))
	if before, after, found := strings.Cut(line, "RUN"); found {
		line = before + r.lastRun(t) + after
	}
	words := strings.Fields(line)
	if words[0] != "provision" {
		t.Errorf("%s: no command of provision's", line)
		return
	}
	if needsYes(words) || slices.Contains([]string{"secret", "test"}, words[1]) {
		r.writes(t)
	}
	switch {
	case strings.Contains(line, "@notbegun"): // there are some after a run that has stopped
		r.shell(t, 3, "provision install -l web --window 1 -e shop.broken=true -y")
	case line == "provision drift": // its hosts are as they should be
		r.shell(t, 0, "provision install -l web -y")
	case slices.Contains(words, "--plan"): // the one of before is done by now
		r.shell(t, 0, "provision plan -l metrics --out "+words[len(words)-1])
	case strings.Contains(line, "/drained/"):
		r.shell(t, 0, "provision exec -l web1 -- sh -c 'mkdir -p /var/lib/provision/drained && touch /var/lib/provision/drained/serving'")
	}
	if needsYes(words) && !slices.Contains(words, "-y") && !slices.Contains(words, "--plan") {
		line += " -y"
	}
	r.shell(t, 0, line)
}

func (r *fleetReader) shell(t *testing.T, code int, line string) ended {
	t.Helper()
	c := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
	c.Dir, c.Env = r.home, append(slices.Clone(r.environment), "PATH="+filepath.Dir(executable(t))+":"+os.Getenv("PATH"))
	done := finish(t, c)
	t.Logf("%s: %d", line, done.code)
	return done.exits(t, code)
}

// lastRun is the ID of the last run.
func (r *fleetReader) lastRun(t *testing.T) string {
	t.Helper()
	id := ""
	for line := range strings.Lines(r.shell(t, 0, "provision runs --json").stdout) {
		var run struct{ ID string }
		if err := json.Unmarshal([]byte(line), &run); err == nil {
			id = cmp.Or(id, run.ID)
		}
	}
	return id
}
