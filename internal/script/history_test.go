package script

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// remembered is a host's memory: of each run its journal, with a copy kept of each file that a
// step replaced.
func remembered(t *testing.T, runs ...string) []Past {
	t.Helper()
	var printed strings.Builder
	for i, journal := range runs {
		fmt.Fprintf(&printed, "%06d\x00", i+1)
		index := ""
		for line := range strings.Lines(journal) {
			var number, status int
			var path, unit, verb string
			switch fields := strings.Fields(line); fields[0] {
			case "file", "lost": // without its copy
				fmt.Sscan(line[5:], &number, &path, &status)
				fmt.Fprintf(&printed, "now {\"event\":\"begin\",\"step\":%d,\"path\":%q}\n", number, path)
				if fields[0] == "file" {
					index += fmt.Sprintf("%d file L2E=\n", number)
				}
			case "unit":
				fmt.Sscan(line[5:], &number, &unit, &verb, &status)
				watched := strings.HasPrefix(verb, "watched-")
				fmt.Fprintf(&printed, "now {\"event\":\"begin\",\"step\":%d,\"unit\":%q,\"verb\":%q,\"watched\":%v}\n", number, unit, strings.TrimPrefix(verb, "watched-"), watched)
			case "watch":
				fmt.Sscan(line[6:], &number, &unit, &status)
				fmt.Fprintf(&printed, "now {\"event\":\"begin\",\"step\":%d,\"kind\":\"watch\",\"resource\":\"service:%s\"}\n", number, unit)
			}
			if strings.HasPrefix(line, "{") { // a record as it is
				printed.WriteString("now " + line + "\n")
				continue
			}
			if !strings.HasSuffix(line, "cut\n") {
				fmt.Fprintf(&printed, "now {\"event\":\"end\",\"step\":%d,\"status\":%d}\n", number, status)
			}
		}
		printed.WriteString("\x00" + index + "\x00")
	}
	pasts, err := ParseHistory([]byte(printed.String() + "end\x00"))
	if err != nil {
		t.Fatal(err)
	}
	return pasts
}

func TestHistoryLeavesOutLinesThatWereCutShort(t *testing.T) {
	journal := "now {\"event\":\"begin\",\"step\":1,\"path\":\"/a\"}\nnow {\"event\":\"end\",\"step\":1,\"status\":0}\nnow {\"eve"
	for _, torn := range []string{"2", "2 file", "2 file L2I", "x file L2I="} {
		runs, err := ParseHistory([]byte("000001\x00" + journal + "\x001 file L2E=\n" + torn + "\x00end\x00"))
		if err != nil || len(runs) != 1 || len(runs[0].Steps) != 1 || len(runs[0].Kept) != 1 || runs[0].Kept[1].Path != "/a" {
			t.Errorf("%q: %+v, %v", torn, runs, err)
		}
	}
}

// A file system may leave NULs in what the host wrote last before it lost power. The runs before
// and after it are remembered all the same.
func TestHistoryWithNULs(t *testing.T) {
	state := t.TempDir()
	const done = "now {\"event\":\"begin\",\"step\":1,\"path\":\"/a\"}\nnow {\"event\":\"end\",\"step\":1,\"status\":0}\n"
	for _, run := range []string{"000001", "000002", "000003"} {
		torn := ""
		if run == "000002" {
			torn = "now {\"event\":\x00\x00\x00\x00"
		}
		for name, text := range map[string]string{"journal": done + torn, "kept/index": "1 file /a\n" + torn} {
			path := filepath.Join(state, "runs", run, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	output, err := exec.Command("/bin/sh", "-c", strings.ReplaceAll(History, State, state)).Output()
	if err != nil {
		t.Fatal(err)
	}
	runs, err := ParseHistory(output)
	if err != nil || len(runs) != 3 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	for _, past := range runs {
		if len(past.Steps) != 1 || past.Kept[1].Path != "/a" {
			t.Errorf("%+v", past)
		}
	}
}

// What a service has not loaded yet goes back to where it last loaded something, through
// all runs that died in between.
func TestUnloaded(t *testing.T) {
	const loaded = "file 1 /a 0\nunit 2 x.service start 0\n"
	for _, row := range []struct {
		name   string
		runs   []string
		want   string
		loaded bool
	}{
		{"all is loaded", []string{loaded}, "", true},
		{"a run that died before the restart", []string{loaded, "file 1 /a 0\nfile 2 /b 0\n"}, "2:2 2:1", true},
		{"two of them", []string{loaded, "file 1 /a 0\n", "file 1 /b 0\n"}, "3:1 2:1", true},
		{"one that died in the restart", []string{loaded, "file 1 /a 0\nunit 2 x.service restart cut\n"}, "2:1", true},
		{"a restart that failed", []string{loaded, "file 1 /a 0\nunit 2 x.service restart 1\n"}, "2:1", true},
		{"one that died in a file", []string{loaded, "file 1 /a 0\nfile 2 /b cut\n"}, "2:2 2:1", true},
		{"a file that failed", []string{loaded, "file 1 /a 0\nfile 2 /b 4\n"}, "2:1", true},
		{"in the middle of a run", []string{"file 1 /a 0\nunit 2 x.service reload 0\nfile 3 /b 0\n"}, "1:3", true},
		{"one that died before it was seen to stay up", []string{loaded, "file 1 /a 0\nunit 2 x.service watched-restart 0\n"}, "2:1", true},
		{"one that died while it was watched", []string{loaded, "file 1 /a 0\nunit 2 x.service watched-restart 0\nwatch 3 x.service cut\n"}, "2:1", true},
		{"one that did not stay up", []string{loaded, "file 1 /a 0\nunit 2 x.service watched-restart 0\nwatch 3 x.service 1\n"}, "2:1", true},
		{"one that stayed up", []string{"file 1 /a 0\nunit 2 x.service watched-restart 0\nfile 3 /b 0\nwatch 4 x.service 0\n"}, "1:3", true},
		{"another that stayed up", []string{loaded, "file 1 /a 0\nunit 2 x.service watched-restart 0\nwatch 3 y.service 0\n"}, "2:1", true},
		{"another unit", []string{loaded, "file 1 /a 0\nunit 2 y.service restart 0\n"}, "2:1", true},
		{"another verb", []string{loaded, "file 1 /a 0\nunit 2 x.service enable 0\n"}, "2:1", true},
		{"never", []string{"file 1 /a 0\n"}, "1:1", false},
	} {
		replacements, hasLoaded := Unloaded(remembered(t, row.runs...), "x.service")
		var got []string
		for _, r := range replacements {
			got = append(got, fmt.Sprintf("%s:%d", strings.TrimLeft(r.Run, "0"), r.Step))
		}
		if strings.Join(got, " ") != row.want || hasLoaded != row.loaded {
			t.Errorf("%s: %q, loaded %v; want %q, %v", row.name, got, hasLoaded, row.want, row.loaded)
		}
	}
}

// What a rollback compares with what was kept: all that was begun and kept, in order.
func TestBegun(t *testing.T) {
	for _, row := range []struct {
		name, journal, want string
		undone              string
	}{
		{"done", "file 1 /a 0\nfile 2 /b 0\n", "1 2", ""},
		{"the run died in it", "file 1 /a 0\nfile 2 /b cut\n", "1 2", ""},
		{"it died in a set", "file 1 /a cut\nfile 2 /b cut\nfile 3 /c cut\n", "1 2 3", ""},
		{"it failed, and others went back", "file 1 /a 1\nfile 2 /a 0\n", "1 2", ""},
		{"a unit's start failed", "unit 1 x.service start 1\n", "1", ""},
		{"the host has undone one", "file 1 /a 0\nfile 2 /b 0\n", "1", `{"event":"undo","step":2}`},
		{"and one that the run died in", "file 1 /a 0\nfile 2 /b cut\n", "1", `{"event":"undo","step":2}`},
		{"nothing was kept", "file 1 /a 0\nlost 2 /b cut\n", "1", ""},
	} {
		past := remembered(t, row.journal+row.undone)[0]
		var got []string
		for _, step := range past.Begun() {
			got = append(got, fmt.Sprint(step.Step))
		}
		if strings.Join(got, " ") != row.want || !past.Changing() {
			t.Errorf("%s: %q, changing %v; want %q", row.name, got, past.Changing(), row.want)
		}
	}
}
