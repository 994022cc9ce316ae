package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/run"
)

func TestWorst(t *testing.T) {
	const (
		good, failed, unreachable = engine.StatusChanged, engine.StatusFailed, engine.StatusUnreachable
		locked, stale             = engine.StatusLocked, engine.StatusStale
		diverged, interrupted     = engine.StatusNotConverged, engine.StatusInterrupted
		refused                   = engine.StatusRefused
	)
	for _, c := range []struct {
		ends []engine.Status
		want int
	}{
		{nil, 0},
		{[]engine.Status{good, engine.StatusSame, engine.StatusPending, engine.StatusVerified, engine.StatusDone}, 0},
		{[]engine.Status{good, unreachable}, 4},
		{[]engine.Status{unreachable, locked}, 5},
		{[]engine.Status{stale, unreachable}, 5},
		{[]engine.Status{locked, diverged}, 6},
		{[]engine.Status{diverged, failed, locked, unreachable}, 3},
		{[]engine.Status{failed, refused}, 1},
		{[]engine.Status{refused, interrupted, failed}, 130},
	} {
		var results []run.Result
		for _, status := range c.ends {
			results = append(results, run.Result{Finished: engine.Finished{Status: status}})
		}
		if got := worst(results, exitGood); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.ends, got, c.want)
		}
	}
}

// The table of docs/reference.md is the one that counts, row by row: of any two codes the upper one is the command's.
func TestExitCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Exit codes\n")
	var documented []int
	for _, row := range regexp.MustCompile(`(?m)^\| ([0-9]+) \|`).FindAllStringSubmatch(section, -1) {
		code, _ := strconv.Atoi(row[1])
		documented = append(documented, code)
	}
	if all := []int{exitGood, exitUsage, exitPending, exitFailed, exitUnreachable, exitLocked, exitNotConverged, exitInterrupted}; !slices.Equal(slices.Sorted(slices.Values(documented)), all) {
		t.Fatalf("the table has %v, and there are %v", documented, all)
	}
	for i, upper := range documented {
		for _, lower := range documented[i:] {
			if foremost(lower, upper) != upper || foremost(upper, lower) != upper {
				t.Errorf("of %d and %d, which stands below, it is %d", upper, lower, foremost(upper, lower))
			}
		}
	}
}

func TestExitCode(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything"), 1},
		{usage(errors.New("wrong"), "hint"), 1},
		{outcome{4}, 4},
		{fmt.Errorf("x: %w", engine.ErrStale), 5},
		{fmt.Errorf("sudo password: %w", errInterrupted), 130},
	} {
		if got := exitCode(c.err, teller{console: console{null, null, null}}); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

// The exit codes of provision(1) are those of docs/reference.md, in its order.
func TestExitStatusesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := ""
	for _, status := range exitStatuses() {
		rows += "| " + status.term + " | " + status.meaning + " |\n"
	}
	if !strings.Contains(strings.ReplaceAll(string(page), "`", ""), rows) {
		t.Errorf("docs/reference.md has not\n%s", rows)
	}
}
