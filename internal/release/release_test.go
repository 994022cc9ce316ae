package release

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tree is a source tree of a program that says hello.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                        "module provision\n\ngo 1.24\n",
		"go.sum":                        "",
		"cmd/hello/main.go":             "package main\n\nvar version string\n\nfunc main() { println(version) }\n",
		"cmd/hello/main_test.go":        "package main\n",
		"internal/hello/part.go":        "package hello\n",
		"internal/hello/testdata/x.txt": "x",
	} {
		write(t, filepath.Join(root, name), text)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func version(t *testing.T, root string) string {
	t.Helper()
	made, err := FromSource(context.Background(), root, "./cmd/hello")
	if err != nil {
		t.Fatal(err)
	}
	return made.Version
}

func TestVersionFollowsTheSourcesAlone(t *testing.T) {
	root := tree(t)
	first := version(t, root)
	write(t, filepath.Join(root, "cmd/hello/main_test.go"), "package main // a test\n")
	write(t, filepath.Join(root, "internal/hello/testdata/x.txt"), "y")
	write(t, filepath.Join(root, "README.md"), "words")
	if again := version(t, root); again != first {
		t.Errorf("version %s after a change of tests alone, before %s", again, first)
	}
	if again := version(t, filepath.Join(root, "cmd")); again != first {
		t.Errorf("version %s from a directory below, %s from the root", again, first)
	}
	write(t, filepath.Join(root, "internal/hello/part.go"), "package hello // more\n")
	if again := version(t, root); again == first {
		t.Error("the same version after a change of the sources")
	}
}

func TestSameSourcesAreTheSameBytes(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var digests []string
	for range 2 {
		made, err := FromSource(context.Background(), tree(t), "./cmd/hello")
		if err != nil {
			t.Fatal(err)
		}
		artifact, err := made.Artifact("amd64")
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(artifact.Source); err != nil || info.Size() != artifact.Size {
			t.Errorf("artifact of %d bytes: %v", artifact.Size, err)
		}
		digests = append(digests, artifact.SHA256)
	}
	if digests[0] != digests[1] {
		t.Errorf("two builds in two directories: %s and %s", digests[0], digests[1])
	}
}

func TestBuildThatFailsSaysWhy(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := tree(t)
	write(t, filepath.Join(root, "cmd/hello/main.go"), "package main\n\nfunc main() { nonsense() }\n")
	made, err := FromSource(context.Background(), root, "./cmd/hello")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.Artifact("amd64"); err == nil || !strings.Contains(err.Error(), "undefined: nonsense") {
		t.Errorf("error: %v", err)
	}
}

func TestNoSource(t *testing.T) {
	if _, err := FromSource(context.Background(), t.TempDir(), "./cmd/hello"); !errors.Is(err, ErrNoSource) {
		t.Errorf("error: %v", err)
	}
}

func TestFromFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gimel")
	write(t, file, "binary")
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	const digest = "9a3a45d01531a20e89ac6ae10b0b0beb0492acd7216a368aa062d1a5fecaf9cd" // printf binary | sha256sum
	for _, row := range []struct{ path, want, err string }{
		{file, "", ""},
		{file, strings.ToUpper(digest), ""},
		{file, strings.Repeat("0", 64), "has another SHA-256: it is " + digest},
		{dir, "", "not a regular file"},
		{fifo, "", "not a regular file"},
		{file + "x", "", "no such file"},
	} {
		made, err := FromFile(row.path, row.want)
		switch {
		case row.err == "" && (err != nil || made.Version != digest[:12]):
			t.Errorf("%s %q: %v, error %v", row.path, row.want, made, err)
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%s %q: error %v, want %q", row.path, row.want, err, row.err)
		}
	}
}
