package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Test is one of a task's own tests that ended.
type Test struct {
	Task, Name string
	Took       time.Duration
	Problem    string // why it failed, with its place; "" of one that holds
	Hint       string
	Diff       string // a unified diff without its head
}

// Tests tells of tests, a line each.
type Tests struct {
	page
	w      io.Writer
	ascii  bool
	failed int
	ended  int
	tasks  map[string]bool
	err    error
}

// NewTests returns who tells of tests.
func NewTests(w io.Writer, o Options) *Tests {
	return &Tests{page: newPage(o), w: w, ascii: o.ASCII, tasks: map[string]bool{}}
}

// Ended tells of a test that ended.
func (t *Tests) Ended(test Test) {
	t.ended++
	t.tasks[test.Task] = true
	clean := func(text string) string { return sanitize(text, t.ascii) }
	name := t.paint.strong.Render(test.Task) + "  " + test.Name
	if test.Problem == "" {
		t.print(t.withDetails(t.paint.good.Render(t.sign.good)+" "+name, noticeable(test.Took.Seconds())))
		return
	}
	t.failed++
	lines := []string{t.paint.bad.Render(t.sign.bad) + " " + name}
	lines = append(lines, t.prose("    ", clean(test.Problem), t.paint.plain)...)
	if test.Hint != "" {
		lines = append(lines, t.command("    hint: ", clean(test.Hint))...)
	}
	for line := range strings.Lines(clean(test.Diff)) {
		lines = append(lines, t.diffLine("    ", strings.TrimSuffix(line, "\n"))...)
	}
	t.print(lines)
}

// Close ends with how many there were, and how long they took in all.
func (t *Tests) Close(took time.Duration) error {
	of := counted(len(t.tasks), "task")
	line := t.paint.good.Render(t.sign.good) + " " + t.join(counted(t.ended, "test")+" of "+of+" passed", shortTime(took))
	if t.failed > 0 {
		line = t.paint.bad.Render(t.sign.bad) + " " + t.join(fmt.Sprintf("%d of %s of %s failed", t.failed, counted(t.ended, "test"), of), shortTime(took))
	}
	t.print([]string{line})
	return t.err
}

func (t *Tests) print(lines []string) {
	if err := writeLines(t.w, lines); t.err == nil {
		t.err = err
	}
}

func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// shortTime is secondsText of what may be over in milliseconds.
func shortTime(took time.Duration) string {
	if took < time.Second {
		return fmt.Sprintf("%d ms", took.Milliseconds())
	}
	return secondsText(took.Seconds())
}
