package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are those whose tasks are tried here; acceptance runs their commands.
var pages = []string{"from-ansible.md", "from-fabric.md", "from-pyinfra.md"}

var (
	starlarkBlock = regexp.MustCompile("(?s)```starlark\n(.*?)```")
	typedLine     = regexp.MustCompile(`(?m)^provision ([^#|\n]+?)(?:  +#|$)`)
	typedCommand  = regexp.MustCompile("`provision ([^`…]+)`")
)

// The tasks of a page can be built, a list alone as the list of one.
func TestPages(t *testing.T) {
	for _, page := range pages {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile("../../docs/" + page)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			files := map[string]string{"hosts.yaml": "hosts: {web1: {tasks: [shop]}}\n"}
			for i, block := range starlarkBlock.FindAllStringSubmatch(string(text), -1) {
				first, _, _ := strings.Cut(block[1], "\n")
				if name, whole := strings.CutPrefix(first, "# "); whole {
					files[name] = block[1]
					continue
				}
				files[fmt.Sprintf("tasks/part%d.star", i)] = "def build(v, host):\n    return " + strings.ReplaceAll(block[1], "\n", "\n    ")
			}
			if len(files) < 3 {
				t.Errorf("%d files: a task and a list are wanted", len(files))
			}
			for name, text := range files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			out, err := os.Create(filepath.Join(dir, "printed"))
			if err != nil {
				t.Fatal(err)
			}
			shown := console{os.Stdin, out, out}
			f := newFlags(shown)
			f.selection.inventory = filepath.Join(dir, "hosts.yaml")
			if err := f.checkAll(shown); err != nil {
				printed, _ := os.ReadFile(out.Name())
				t.Errorf("%v\n%s", err, printed)
			}
		})
	}
}

// Each command that a page mentions can be read: there are such verbs, flags and as many arguments.
func TestCommandsOfPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 8 {
		t.Fatal(len(pages), "pages:", err)
	}
	below, err := filepath.Glob("../../docs/*/*.md")
	if err != nil || len(below) < 60 {
		t.Fatal(len(below), "pages of tasks and kinds:", err)
	}
	for _, page := range append(append(pages, below...), "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all := typedCommand.FindAllStringSubmatch(string(text), -1)
		if filepath.Base(page) == "fleets.md" || filepath.Base(filepath.Dir(page)) == "tasks" { // which have whole lines, too
			all = append(all, typedLine.FindAllStringSubmatch(string(text), -1)...)
		}
		for _, typed := range all {
			if err := readable(shellWords(typed[1])); err != nil {
				t.Errorf("%s: provision %s: %v", filepath.Base(page), typed[1], err)
			}
		}
	}
}

// readable parses a command line, and runs nothing.
func readable(line []string) error {
	shown := console{os.Stdin, os.Stdout, os.Stderr}
	verb, rest, err := newRoot(newFlags(shown), shown).Find(line)
	switch {
	case err != nil:
		return err
	case !verb.HasParent():
		return fmt.Errorf("no verb")
	}
	if err := verb.ParseFlags(rest); err != nil {
		return err
	}
	return verb.ValidateArgs(verb.Flags().Args())
}

// shellWords are the words of a line, of which those in quotes are one.
func shellWords(line string) []string {
	var words []string
	quote := rune(0)
	for _, word := range strings.FieldsFunc(line, func(r rune) bool {
		switch {
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case r == quote:
			quote = 0
		}
		return quote == 0 && r == ' '
	}) {
		words = append(words, strings.NewReplacer(`"`, "", "'", "").Replace(word))
	}
	return words
}
