package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var repository = os.DirFS("../..")

// Every link of a page to a file of the source, and to a heading in it, leads somewhere.
func TestLinks(t *testing.T) {
	pages := markdown(t)
	if len(pages) < 25 {
		t.Fatalf("%d pages", len(pages))
	}
	for _, wrong := range deadLinks(t, repository, pages) {
		t.Error(wrong)
	}
}

func markdown(t *testing.T) []string {
	t.Helper()
	var pages []string
	err := fs.WalkDir(repository, ".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && slices.Contains([]string{"bin", "dist", ".git"}, file) {
			return fs.SkipDir
		}
		if err == nil && path.Ext(file) == ".md" {
			pages = append(pages, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// deadLinks says which links of pages lead nowhere.
func deadLinks(t *testing.T, source fs.FS, pages []string) []string {
	t.Helper()
	var dead []string
	for _, page := range pages {
		relink(read(t, source, page), func(target string) string {
			file, anchor := resolve(page, target)
			if _, err := fs.Stat(source, file); err != nil {
				dead = append(dead, fmt.Sprintf("%s: %s: no such file", page, target))
			} else if anchor != "" && !anchors(read(t, source, file))[anchor] {
				dead = append(dead, fmt.Sprintf("%s: %s: no such heading", page, target))
			}
			return target
		})
	}
	return dead
}

func read(t *testing.T, source fs.FS, file string) string {
	t.Helper()
	text, err := fs.ReadFile(source, file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDeadLinksAreFound(t *testing.T) {
	source := fstest.MapFS{
		"docs/a.md":  {Data: []byte("# The `one` thing, first\n[here](#the-one-thing-first) [b](b.md#more) [up](../x/y.go) [out](https://example.org/z)\n")},
		"docs/b.md":  {Data: []byte("## More\n```sh\n# no heading\n[x](no-link)\n```\n`[y](no-link)` [1](#no-heading) [2](a.md#one) [3](c.md) ![4](images/c.png)\n")},
		"x/y.go":     {Data: []byte("package x\n")},
		"docs/c/d.s": {},
	}
	want := []string{
		"docs/b.md: #no-heading: no such heading", "docs/b.md: a.md#one: no such heading",
		"docs/b.md: c.md: no such file", "docs/b.md: images/c.png: no such file",
	}
	if got := deadLinks(t, source, []string{"docs/a.md", "docs/b.md"}); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// The site has every page of docs, in its navigation too, and its links lead to its own files.
func TestSite(t *testing.T) {
	pages, err := collect(repository)
	if err != nil {
		t.Fatal(err)
	}
	site := fstest.MapFS{}
	var written []string
	for name, text := range pages {
		site[name] = &fstest.MapFile{Data: []byte(text)}
		if path.Ext(name) == ".md" {
			written = append(written, name)
		}
	}
	for _, wrong := range deadLinks(t, site, written) {
		t.Error(wrong)
	}
	for _, name := range []string{"index.md", "source/examples/base/index.md", "source/examples/base/tasks/base/task.star.md", "source/hosts.example.yaml.md"} {
		if pages[name] == "" {
			t.Errorf("%s is not there", name)
		}
	}
	navigation, err := navigate(repository)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := documents(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range docs {
		if !strings.Contains(navigation, " "+strings.TrimPrefix(file, "docs/")+"\n") {
			t.Errorf("%s is not in the navigation", file)
		}
	}
}

func TestRoute(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"index.md", "kinds.md", "kinds.md"},
		{"index.md", "source/a/b.md", "source/a/b.md"},
		{"source/a/b.md", "kinds.md", "../../kinds.md"},
		{"source/a/b.md", "source/a/c.md", "c.md"},
		{"source/a/b.md", "source/c/d.md", "../c/d.md"},
		{"tasks/a.md", "kinds.md", "../kinds.md"},
		{"tasks/a.md", "tasks/b.md", "b.md"},
	} {
		if got := route(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}
