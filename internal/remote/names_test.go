package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHostNames(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".ssh/config", "# Host no\nInclude conf.d/*\nHost web1 web2 \"db 1\"\n  HostName 192.0.2.1\nhost=gate !web9 *.example.org web1\nMatch host x\nHost *\n")
	write(".ssh/conf.d/10", "Host early\nInclude ~/other\n")
	write(".ssh/conf.d/20", "Host late # a comment\n")
	write("other", "Host other web2\n")
	write("loop", fmt.Sprintf("Include %s/loop\n", home))
	write("open", "Host \"web\n")
	got, err := HostNames("")
	want := []string{"early", "other", "web2", "late", "web1", "db 1", "gate"}
	if err != nil || !slices.Equal(got[:min(len(want), len(got))], want) { // behind them, the machine's own
		t.Errorf("%q, %v", got, err)
	}
	if got, err := HostNames(filepath.Join(home, "other")); err != nil || !slices.Equal(got, []string{"other", "web2"}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := HostNames("none"); err != nil || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"loop", "open", "nothere", ".ssh"} {
		if _, err := HostNames(filepath.Join(home, bad)); err == nil {
			t.Errorf("%s: is read", bad)
		}
	}
}
