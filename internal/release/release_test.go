package release

import (
	"context"
	"errors"
	"os"
	"os/exec"
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

// ownCache keeps built releases apart, and what Go has compiled of its library where it is:
// compiling that anew takes a quarter of a minute.
func ownCache(t *testing.T) {
	t.Helper()
	compiled, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(compiled)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func TestSameSourcesAreTheSameBytes(t *testing.T) {
	ownCache(t)
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
	ownCache(t)
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

// TestVersionFollowsTheBuild: the same sources are other bytes with a Go of which a hole was
// mended, or with other settings.
func TestVersionFollowsTheBuild(t *testing.T) {
	root := tree(t)
	first := version(t, root)
	for _, setting := range []string{"GOFLAGS=-tags=other", "GOAMD64=v3", "GOARM64=v9.0", "GOEXPERIMENT=nodwarf5", "GOFIPS140=latest"} {
		t.Run(setting, func(t *testing.T) {
			name, value, _ := strings.Cut(setting, "=")
			t.Setenv(name, value)
			if other := version(t, root); other == first {
				t.Error("the same version")
			}
		})
	}
	t.Run("another Go", func(t *testing.T) {
		real, err := exec.LookPath("go")
		if err != nil {
			t.Fatal(err)
		}
		bin := t.TempDir()
		write(t, filepath.Join(bin, "go"), "#!/bin/sh\n"+real+" \"$@\" | sed 's/go1\\.[0-9.]*/&1/'\n")
		if err := os.Chmod(filepath.Join(bin, "go"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		if other := version(t, root); other == first {
			t.Error("the same version")
		}
	})
	t.Setenv("GOCACHE", t.TempDir())
	if again := version(t, tree(t)); again != first {
		t.Errorf("version %s with another cache in another directory, %s before", again, first)
	}
}
