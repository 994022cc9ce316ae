package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docs is where the pages lie, whose names below are from there on.
const docs = "../../docs/"

// current holds pages that are made from the tool against those that there are, or writes them anew. In
// their folders there are no others.
func current(t *testing.T, run string, pages map[string]string) {
	t.Helper()
	for name, got := range pages {
		if *update {
			if err := os.MkdirAll(filepath.Dir(docs+name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(docs+name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(docs + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: go test ./cmd/provision -run %s -update writes it anew: %s", name, run, diff)
		}
	}
	folders := map[string]bool{}
	for name := range pages {
		folders[filepath.Dir(name)] = true
	}
	delete(folders, ".")
	for folder := range folders {
		there, err := filepath.Glob(docs + folder + "/*.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range there {
			if _, made := pages[strings.TrimPrefix(file, docs)]; !made {
				t.Errorf("%s is of nothing that there is", file)
			}
		}
	}
}

// The part of a page that people write: the commands, and words about them.
const byHandBegins, byHandEnds = "<!-- by hand -->\n", "<!-- by the tool -->\n"

// byHand is that part, as the page has it.
func byHand(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(docs + name)
	if err != nil {
		t.Fatal(err)
	}
	_, after, begins := strings.Cut(string(text), byHandBegins)
	part, _, ends := strings.Cut(after, byHandEnds)
	if !begins || !ends {
		t.Fatalf("%s: nothing is between %q and %q", name, byHandBegins, byHandEnds)
	}
	return byHandBegins + part + byHandEnds
}
