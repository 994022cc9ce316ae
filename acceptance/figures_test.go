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
	{`(\d+) kinds of steps`, "../internal/journal/race_test.go", "func TestNoStepTrustsANameOfAnotherAccount(", `(?m)^\t\t"[\w ]+": +func\(`},
	{`(\d+) fleets: who is begun`, "../internal/run/window_test.go", "func TestWhenNoFurtherHostIsBegun(", `(?m)^\t\t\{name: `},
	{`(\d+) runs of a host behind a load balancer`, "../internal/run/drain_test.go", "func TestHostIsDrainedAroundItsChange(", `(?m)^\t\t\{"|:= s\.goes\(t\); `},
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

// TestFiguresOfTheReadme: its table of a converged host has the figures of docs/benchmarks.md.
func TestFiguresOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	measured := regexp.MustCompile("(?m)^\\| (?:`provision install`|script by hand, `ssh`) \\| [\\d.]+ \\| (\\d+) ms \\| (\\d+) ms \\|").FindAllStringSubmatch(string(page), -1)
	if len(measured) != 2 {
		t.Fatalf("benchmarks.md has %d rows of a converged host", len(measured))
	}
	for column, row := range []string{"wall time, host next door", "wall time, host 100 ms away"} {
		want := "| " + row + " |"
		for _, one := range measured {
			ms, err := strconv.ParseFloat(one[1+column], 64)
			if err != nil {
				t.Fatal(err)
			}
			want += fmt.Sprintf(" %.2g s |", ms/1000)
		}
		if !strings.Contains(string(readme), want) {
			t.Errorf("README lacks %q", want)
		}
	}
}
