package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// published is a path that the module can be had from.
const published = "example.org/you/provision"

// Under another path the module can be had by the go command, from a proxy and into an empty cache,
// and what is installed is whole.
func TestModuleCanBePublished(t *testing.T) {
	onItsDays(t, 0)
	if testing.Short() {
		t.Skip("builds all: not with -short")
	}
	t.Parallel()
	tree := clone(t)
	for _, name := range []string{"provision", "you/provision", "https://example.org/you"} {
		if output, err := exec.Command(filepath.Join(tree, "packaging/rename-module"), name).CombinedOutput(); err == nil {
			t.Errorf("the module is called %s:\n%s", name, output)
		}
	}
	// What does not know its directory is compiled once, for all that follows.
	inTree := func(name string, args ...string) string {
		return out(t, tree, []string{"GOFLAGS=-trimpath"}, name, args...)
	}
	if changed := inTree("git", "status", "--porcelain"); changed != "" {
		t.Errorf("a name that is refused changed\n%s", changed)
	}
	inTree("packaging/rename-module", published)
	if left := inTree("gofmt", "-l", "."); left != "" {
		t.Errorf("not as gofmt has it: %s", left)
	}
	inTree("sh", "-c", `! git grep -n '"provision/' -- '*.go'`)
	// What knows the module by its name finds it.
	inTree("go", "test", "-short", "./internal/architecture", "./internal/release")

	proxy, home := t.TempDir(), t.TempDir()
	publish(t, tree, proxy, "v1.0.0")
	cache := strings.TrimSpace(out(t, tree, nil, "go", "env", "GOMODCACHE"))
	out(t, home, []string{
		"GOPROXY=file://" + proxy + ",file://" + cache + "/cache/download", "GOSUMDB=off", "GOWORK=off",
		"GOMODCACHE=" + filepath.Join(home, "modules"), "GOBIN=" + filepath.Join(home, "bin"), "GOFLAGS=-trimpath -modcacherw",
	}, "go", "install", published+"/cmd/provision@v1.0.0", published+"/cmd/gimel@v1.0.0")

	installed := func(args ...string) string { return out(t, home, nil, filepath.Join(home, "bin/provision"), args...) }
	gimel := func(args ...string) string { return out(t, home, nil, filepath.Join(home, "bin/gimel"), args...) }
	if versions := installed("version") + installed("--version") + gimel("version"); versions != "provision version v1.0.0\nprovision version v1.0.0\nv1.0.0\n" {
		t.Errorf("they are\n%s", versions)
	}
	// What all tasks are made from is there, and so are the first task's files.
	installed("check", "--inventory", filepath.Join(tree, "examples/metrics/hosts.yaml"))
	installed("new", "shop")
	installed("check")
	// No package brought gimel: it is told where it is to be had.
	alone := exec.Command(filepath.Join(home, "bin/provision"), "deploy", "gimel", "-H", "web1")
	alone.Dir = home
	const hint = "CGO_ENABLED=0 go install " + published + `/cmd/gimel@v1.0.0, then add --artifact "$(go env GOPATH)/bin/gimel"`
	if said, err := alone.CombinedOutput(); err == nil || !strings.Contains(string(said), hint) {
		t.Errorf("without gimel it says\n%s", said)
	}
	if help := gimel("help"); !strings.Contains(help, "serve") {
		t.Errorf("gimel says\n%s", help)
	}
}

// clone is the commit that is checked out, in a directory of its own.
func clone(t *testing.T) string {
	t.Helper()
	tree := filepath.Join(t.TempDir(), "source")
	out(t, ".", nil, "git", "clone", "-q", "..", tree)
	return tree
}

// publish puts a tree into the files of a proxy (go.dev/ref/mod#goproxy-protocol).
func publish(t *testing.T, tree, proxy, version string) {
	t.Helper()
	dir := filepath.Join(proxy, published, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := zip.CreateFromDir(archive, module.Version{Path: published, Version: version}, tree); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(tree, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"list": version + "\n", version + ".mod": string(text),
		version + ".info": fmt.Sprintf(`{"Version": %q, "Time": "2026-11-29T21:41:07Z"}`, version),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// out runs a program and returns what it prints.
func out(t *testing.T, dir string, environment []string, name string, args ...string) string {
	t.Helper()
	var problems strings.Builder
	c := exec.CommandContext(t.Context(), name, args...)
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		c.Path = filepath.Join(dir, name)
	}
	c.Dir, c.Env, c.Stderr = dir, append(os.Environ(), environment...), &problems
	output, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s\n%s", name, strings.Join(args, " "), err, tail(string(output), 4000), tail(problems.String(), 4000))
	}
	return string(output)
}
