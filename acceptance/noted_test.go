package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// revision is the commit that is tried, with a + where files differ from it.
var revision = sync.OnceValue(func() string {
	name, err := exec.Command("git", "describe", "--always", "--exclude=*", "--dirty=+").Output()
	if err != nil {
		return "no-commit"
	}
	return strings.TrimSpace(string(name))
})

// noted adds a line to the file PROVISION_PROVE_LOG as soon as a test ends: when, of which commit, how
// it ended and after how long. make prove takes an hour and more, and somebody waits.
func noted(t *testing.T) {
	t.Helper()
	path, began := os.Getenv("PROVISION_PROVE_LOG"), time.Now()
	if path == "" {
		return
	}
	t.Cleanup(func() {
		mark := "✓"
		if t.Failed() {
			mark = "✗"
		}
		line := fmt.Sprintf("%s %s %s %4.0f s  %s\n", time.Now().UTC().Format(time.RFC3339), revision(), mark, time.Since(began).Seconds(), t.Name())
		if err := appendTo(path, line); err != nil {
			t.Error(err)
		}
	})
}

// appendTo writes at the end of a file that others write to as well.
func appendTo(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(line); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// TestNoted has two parts that pass: a line of each, the second after the first.
func TestNoted(t *testing.T) {
	path := t.TempDir() + "/log"
	t.Setenv("PROVISION_PROVE_LOG", path)
	for range 2 {
		t.Run("part", noted)
	}
	text, err := os.ReadFile(path)
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 3 || !strings.HasSuffix(lines[0], " ✓    0 s  TestNoted/part") {
		t.Errorf("noted is %v\n%s", err, text)
	}
}
