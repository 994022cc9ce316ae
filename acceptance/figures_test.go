package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// counted are the figures of docs/design.md that somebody can count: the words around one, and where the
// cases stand that it counts, a match of lines each.
var counted = []struct{ said, file, first, cases string }{
	{`(\d+) tasks in which a fault was planted`, "testdata/planted/tasks/*.star", "", `(?m)\A`},
	{`each of the (\d+) kinds of which own tasks are made`, "../docs/kinds.md", "## In the list of build\n\n", `(?m)^\| \[`},
	{`(\d+) ways to go through a change`, "guard_test.go", ") all(", `(?m)^\t\t\{"`},
	{`(\d+) cases of all kinds`, "../internal/memory/conformance_kinds_test.go", "\tstays  string\n}{", `(?m)^\t\{`},
	{`(\d+) tasks on lab hosts: files, units`, "remove_test.go", "\tvars     []string\n}{", `(?m)^\t\{`},
	{`(\d+) kinds of steps`, "../internal/journal/race_test.go", "func racedSteps(", `(?m)^\t\t"[\w ]+": +func\(`},
	{`(\d+) fleets: who is begun`, "../internal/run/window_test.go", "func TestWhenNoFurtherHostIsBegun(", `(?m)^\t\t\{name: `},
	{`(\d+) runs of a host behind a load balancer`, "../internal/run/drain_test.go", "func TestHostIsDrainedAroundItsChange(", `(?m)^\t+\{"|:= s\.goes\(t\); `},
}

// TestPromisesAreCounted: as many cases as docs/design.md says are there.
func TestPromisesAreCounted(t *testing.T) {
	page, err := os.ReadFile("../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, figure := range counted {
		said := regexp.MustCompile(figure.said).FindStringSubmatch(string(page))
		if said == nil {
			t.Errorf("design.md does not say %s", figure.said)
			continue
		}
		there := 0
		files, err := filepath.Glob(figure.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, found := strings.Cut(string(text), figure.first)
			if !found {
				t.Errorf("%s has no %s", file, figure.first)
			}
			there += len(regexp.MustCompile(figure.cases).FindAllString(section(file, rest), -1))
		}
		if strconv.Itoa(there) != said[1] {
			t.Errorf("design.md says %q, and %s has %d", said[0], figure.file, there)
		}
	}
}

// section is what belongs to the line that was found: of Go up to the end of what is declared there, of a
// page up to the next heading.
func section(file, text string) string {
	end := map[string]string{".go": "\n}", ".md": "\n#"}[filepath.Ext(file)]
	if end == "" {
		return text
	}
	section, _, _ := strings.Cut(text, end)
	return section
}

// TestFiguresOfTheReadme: its table beside other tools has the figures of docs/benchmarks.md, and so has what it
// says of a converged host.
func TestFiguresOfTheReadme(t *testing.T) {
	readme, page := textOf(t, "../README.md"), textOf(t, "../docs/benchmarks.md")
	one, ten := peersTable(t, page, "one host"), peersTable(t, page, "ten hosts")
	for row, figure := range map[string]func(tool string) string{
		"one host":                 func(tool string) string { return one[tool][2] },
		"ten hosts":                func(tool string) string { return ten[tool][2] },
		"CPU here, ten hosts":      func(tool string) string { return ten[tool][3] },
		"ten hosts, the first run": func(tool string) string { return ten[tool][0] },
	} {
		want := "| " + row + " |"
		for _, tool := range []string{"provision", "Fabric", "Ansible, mitogen", "Ansible, pipelining"} {
			want += " " + figure(tool) + " |"
		}
		if !strings.Contains(readme, want+"\n") {
			t.Errorf("README lacks %q", want)
		}
	}
	converged := regexp.MustCompile("(?m)^\\| `provision install` \\| [\\d.]+ \\| (\\d+) ms \\| (\\d+) ms \\|").FindStringSubmatch(page)
	if converged == nil {
		t.Fatal("benchmarks.md has no row of a converged host")
	}
	if want := fmt.Sprintf("%s next door, %s at 100 ms", seconds(t, converged[1]), seconds(t, converged[2])); !strings.Contains(readme, want) {
		t.Errorf("README lacks %q", want)
	}
}

// peersTable has the four figures of each tool on so many hosts: the first run and the next, wall and CPU.
func peersTable(t *testing.T, page, hosts string) map[string][]string {
	t.Helper()
	_, table, found := strings.Cut(page, "| "+hosts+" | first run, wall | CPU of the controller | again, wall | CPU |\n")
	table, _, ends := strings.Cut(table, "\n\n")
	if !found || !ends {
		t.Fatalf("benchmarks.md has no table of %s", hosts)
	}
	figures := map[string][]string{}
	for _, line := range strings.Split(table, "\n")[1:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 5 {
			t.Fatalf("%s: not a tool and four figures", line)
		}
		figures[cells[0]] = cells[1:]
	}
	return figures
}

func seconds(t *testing.T, milliseconds string) string {
	t.Helper()
	value, err := strconv.ParseFloat(milliseconds, 64)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%.2g s", value/1000)
}

func textOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
