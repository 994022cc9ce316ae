package inventory

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is refused, and how, into testdata/refused/*.txt")

// TestRefused holds every file of testdata/refused against the text beside it: the errors
// with file:line:column, and their hints.
func TestRefused(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse("hosts.yaml", data, known(), nil)
			if err == nil {
				t.Fatal("it is not refused")
			}
			got := err.Error() + "\n"
			got += "  hint: " + hintOf(err) + "\n"
			for _, e := range each(t, err) {
				if e.Advice == "" {
					t.Errorf("%v: no hint", e)
				}
			}
			compare(t, strings.TrimSuffix(file, ".yaml")+".txt", got)
		})
	}
}

// compare holds a text against a golden file.
func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// each returns the errors that an error of ours holds.
func each(t *testing.T, err error) Errors {
	t.Helper()
	var all Errors
	var one *Error
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = Errors{one}
	default:
		t.Fatalf("%T is not an error of ours: %v", err, err)
	}
	return all
}

// placed fails unless every error has a place within the text.
func placed(t *testing.T, data string, err error) {
	t.Helper()
	lines := strings.Split(data, "\n")
	for _, e := range each(t, err) {
		// What is missing is a blank behind its key.
		if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > utf8.RuneCountInString(lines[e.Line-1])+2 {
			t.Errorf("%v: there is no such place", e)
		}
		if strings.Contains(e.Problem, "\n") || e.Problem == "" {
			t.Errorf("the problem is not one line: %q", e.Problem)
		}
	}
}
