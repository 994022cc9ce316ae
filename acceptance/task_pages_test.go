package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
)

// quickPages are the tasks whose pages CI has time to follow, one of them on its days.
var quickPages = []string{"nginx", "redis", "firewall", "postgresql"}

// Each task's page is followed as a reader would: its hosts.yaml with the addresses of bare lab hosts, and
// then every command, which has to say what the page says that it does.
func TestTaskPages(t *testing.T) {
	onItsDays(t, 3)
	t.Parallel()
	pages, err := filepath.Glob("../docs/tasks/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	var names []string
	for _, page := range pages {
		names = append(names, strings.TrimSuffix(filepath.Base(page), ".md"))
	}
	of := ofTheDay(t, quickPages, 1)
	if os.Getenv("PROVISION_PROVE") == "all" {
		of = names
	}
	for suite, release := range today(t) {
		for _, name := range of {
			t.Run(suite+"/"+name, func(t *testing.T) {
				t.Parallel()
				noted(t)
				followTask(t, name, suite, fmt.Sprintf("labt%d%s", slices.Index(names, name), release[1:]))
			})
		}
	}
}

// followTask does what a task's page says, with hosts that are called so and a letter.
func followTask(t *testing.T, name, suite, hosts string) {
	t.Helper()
	text, err := os.ReadFile("../docs/tasks/" + name + ".md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "<!-- by hand -->\n")
	byHand, _, whole := strings.Cut(after, "<!-- by the tool -->\n")
	if !whole {
		t.Fatal("the page has no commands")
	}
	folder, environment, addresses := exampleHome(t, name, suite, hosts)
	said := ""
	for _, block := range fenced(addresses.Replace(byHand)) {
		switch block.kind {
		case "sh":
			said = ""
			for line := range strings.Lines(block.text) {
				typed, _, _ := strings.Cut(line, "  #")
				said += typeLine(t, folder, strings.TrimSpace(typed), environment)
			}
		case "text":
			if line := unsaid(said, block.text); line != "" {
				t.Errorf("the page shows %q, and it says\n%s", line, said)
			}
		}
	}
}

// exampleHome is a copy of a task's example with lab hosts at its addresses, in the home of somebody who
// can log in there.
func exampleHome(t *testing.T, name, suite, hosts string) (folder string, environment []string, addresses *strings.Replacer) {
	t.Helper()
	folder = t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../tasks/examples/"+name)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "hosts.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	l := labtest.Open(t)
	var pairs []string
	for n, found := range regexp.MustCompile(`root@(192\.0\.2\.\d+)`).FindAllStringSubmatch(string(text), -1) {
		host := bare(t, l, suite, hosts+string(rune('a'+n)))
		moving := host.Address.As4()
		moving[3] = 250 // what no lab host has
		pairs = append(pairs, found[1], host.Address.String(), "192.0.2.100", fmt.Sprintf("%d.%d.%d.%d", moving[0], moving[1], moving[2], moving[3]))
	}
	addresses = strings.NewReplacer(pairs...)
	writeProject(t, folder, map[string]string{
		"hosts.yaml":  addresses.Replace(string(text)),
		".ssh/config": fmt.Sprintf("Host *\n  IdentityFile %s\n  UserKnownHostsFile %s\n", l.Identity(), l.KnownHosts()),
	})
	return folder, slices.Concat(command(t).Env, []string{"HOME=" + folder, "PROVISION_INVENTORY=" + file}, goEnvironment(t)), addresses
}

// typeLine types a command, and agrees to what it asks.
func typeLine(t *testing.T, folder, line string, environment []string) string {
	t.Helper()
	if words := strings.Fields(line); words[0] == "provision" && needsYes(words) {
		line += " -y"
	}
	c := exec.CommandContext(t.Context(), "sh", "-ec", line)
	c.Dir, c.Env = folder, environment
	if strings.HasPrefix(line, "provision deploy gimel") {
		c.Dir = "." // it is built from the source tree
	}
	done := finish(t, c).exits(t, 0)
	t.Logf("%s\n%s", line, tail(done.stdout+done.stderr, 2000))
	return done.stdout + done.stderr
}

// unsaid is the first line that a page shows and a text has not, behind those before it: … is anything, and how
// wide a gap is does not count.
func unsaid(text, page string) string {
	rest := strings.Split(text, "\n")
	for line := range strings.Lines(page) {
		form := regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(narrow(line)), "…", ".*"))
		at := slices.IndexFunc(rest, func(said string) bool { return form.MatchString(narrow(said)) })
		if at < 0 {
			return line
		}
		rest = rest[at+1:]
	}
	return ""
}

// narrow leaves one blank of several, and none at the ends.
func narrow(line string) string { return strings.Join(strings.Fields(line), " ") }

func TestUnsaid(t *testing.T) {
	const text = "lb1 │ a   UP\nlb1 │ after 485 ms (here)\n✓ lb1  done\n"
	for page, want := range map[string]string{
		"a UP\nafter … ms (here)\n  ✓ lb1 done\n": "",
		"b UP\n":                      "b UP\n",
		"✓ lb1  done\nlb1 │ a   UP\n": "lb1 │ a   UP\n",
		"after … ms (there)\n":        "after … ms (there)\n",
	} {
		if got := unsaid(text, page); got != want {
			t.Errorf("of %q: %q, want %q", page, got, want)
		}
	}
}
