package run

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"provision/internal/recipe"
	"provision/internal/script"
)

// asked puts a probe's script to this machine, with another directory as the host's memory.
func asked(t *testing.T, probe recipe.Probe, state string) recipe.Facts {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", strings.ReplaceAll(probe.Script, script.State, state))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return recipe.Facts{probe.Key: {Value: recipe.Command{Exit: cmd.ProcessState.ExitCode(), Output: string(out)}}}
}

func TestUnsettledChanges(t *testing.T) {
	for name, row := range map[string]struct {
		files []string // of the host's memory
		held  bool     // the lock
		want  string
	}{
		"nothing was ever armed":            {},
		"confirmed":                         {files: []string{"armed/x.service/confirmed"}},
		"of a run that died":                {files: []string{"armed/x.service/open", "armed/y.service/open"}, want: "the change to x.service, y.service is neither confirmed nor undone yet, of a run that died"},
		"of a run":                          {files: []string{"armed/x.service/open", "holder"}, held: true, want: "the change to x.service is neither confirmed nor undone yet, of the run of me (install x)"},
		"of a run that the host outlived":   {files: []string{"armed/x.service/undoing"}, held: true, want: "the change to x.service is neither confirmed nor undone yet, of the run of one that has ended"},
		"it cannot be undone, for a while":  {files: []string{"armed/x.service/undoing"}},
		"another unit's run is not of this": {files: []string{"armed/x.service/confirmed", "holder"}, held: true},
	} {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			lock, err := os.Create(state + "/lock")
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Close()
			if row.held {
				if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range row.files {
				path := filepath.Join(state, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte("me (install x)"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			said := ""
			if err := (host{}).unsettled(asked(t, unsettledChanges(), state)); err != nil {
				said = err.Error()
			}
			if said != row.want {
				t.Errorf("said %q, want %q", said, row.want)
			}
		})
	}
}
