package acceptance

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// plain and raced return the command under test, built when the first test wants it; raced is
// built with the race detector, and takes 0.3 s more each time.
var plain, raced func() (string, error)

// line is where tests that boot hosts wait for their turn; from graphites come hosts that have
// Graphite already.
var (
	line      *turns
	graphites = &origins{made: map[string]string{}}
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "provision-acceptance")
	if err == nil {
		flag.Parse()
		line, err = newTurns()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	plain = sync.OnceValues(func() (string, error) { return build(filepath.Join(dir, "plain")) })
	raced = sync.OnceValues(func() (string, error) { return build(filepath.Join(dir, "raced"), "-race") })
	code := m.Run()
	if err := graphites.remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

func build(dir string, flags ...string) (string, error) {
	path := filepath.Join(dir, "provision")
	args := append([]string{"build", "-o", path}, flags...)
	if output, err := exec.CommandContext(context.Background(), "go", append(args, "provision/cmd/provision")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %v: %w\n%s", flags, err, output)
	}
	return path, nil
}

// executable is the path of the command for a test. Where it does most at once (several hosts,
// each of its verbs, signals, a second connection that confirms) the race detector watches.
func executable(t *testing.T) string {
	t.Helper()
	built := plain
	switch name, _, _ := strings.Cut(t.Name(), "/"); name {
	case "TestGraphite", "TestOneOfThreeIsDown", "TestReadme", "TestLockedAndNotConverged", "TestFault15ChangeThatCutsTheConnectionIsUndone":
		built = raced
	}
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
