package inventory

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inventoryProgram writes one, in a directory that is nobody else's.
func inventoryProgram(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cloud")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// A program that does not end, prints too much, fails, or that another account may have written, is told, and
// nothing of it is left.
func TestProgram(t *testing.T) {
	left := filepath.Join(t.TempDir(), "left")
	for problem, one := range map[string]struct {
		text  string
		bends func(path string) error
	}{
		"did not end within ":                 {text: "#!/bin/sh\nsleep 600 &\necho $! >" + left + ".new; mv " + left + ".new " + left + "\nwait\n"},
		"has printed more than 32 MiB":        {text: "#!/bin/sh\nexec yes\n"},
		"ended with exit status 7":            {text: "#!/bin/sh\nexit 7\n"},
		"cannot be run: no such file":         {text: "#!/no/such/thing\n"},
		"JSON: ends before it is whole":       {text: "#!/bin/sh\necho '{'\n"},
		"JSON: invalid character 'o'":         {text: "#!/bin/sh\necho no\n"},
		"JSON: has something behind":          {text: "#!/bin/sh\necho '{}{}'\n"},
		"no _meta with hostvars":              {text: "#!/bin/sh\necho '{\"web\": {\"hosts\": [\"a\"]}}'\n"},
		"cloud may be written by others":      {text: "#!/bin/sh\n", bends: func(path string) error { return os.Chmod(path, 0o775) }},
		"is not run: " + os.TempDir():         {text: "#!/bin/sh\n", bends: func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) }},
		"\"no\" is no variable":               {text: "echo no program\n"}, // it has the mode of one
		"hosts: the inventory is empty":       {text: "#!/bin/sh\n[ $# = 1 ] && [ \"$1\" = --list ] && echo '{\"_meta\": {\"hostvars\": {}}}'\n"},
		"has the group \"b\", and there is n": {text: "#!/bin/sh\necho '{\"a\": {\"children\": [\"b\"]}, \"_meta\": {\"hostvars\": {}}}'\n"},
	} {
		t.Run(problem, func(t *testing.T) {
			path := inventoryProgram(t, one.text)
			if one.bends != nil {
				if err := one.bends(path); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if problem == "did not end within " {
				for most := 300 * time.Millisecond; !exists(left) && most < time.Minute; most *= 2 { // a busy machine is not so far
					if _, _, err = runProgram(path, most); err != nil && !strings.Contains(err.Error(), problem+most.String()) {
						t.Errorf("within %s: %v", most, err)
					}
				}
			} else {
				_, err = Load(path, known(), nil)
			}
			if err == nil || !strings.Contains(err.Error(), problem) || hintOf(err) == "" {
				t.Errorf("%v\nhint: %s", err, hintOf(err))
			}
		})
	}
	text, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	for _, digit := range strings.TrimSpace(string(text)) {
		pid = pid*10 + int(digit-'0')
	}
	for range 6000 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	state, _ := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/stat")
	if !strings.Contains(string(state), ") Z") { // nobody has taken in its end
		t.Errorf("what it started runs: %s", state)
	}
}

// Behind a link the place counts where the program is: who may write there may put another one in its stead.
func TestProgramBehindALink(t *testing.T) {
	path := inventoryProgram(t, "#!/bin/sh\necho '{\"a\": {\"hosts\": [\"web1\"]}, \"_meta\": {\"hostvars\": {}}}'\n")
	link := filepath.Join(t.TempDir(), "hosts")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(link, known(), nil); err != nil {
		t.Errorf("a link to a program of one's own: %v", err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(link, known(), nil); err == nil || !strings.Contains(err.Error(), "is not run: "+filepath.Dir(path)+" may be written by others") {
		t.Errorf("behind a link in a directory that others may write: %v", err)
	}
}

// What a program leaves behind may keep its output open, as a connection that is shared: what was printed is
// the inventory.
func TestProgramThatLeavesSomethingBehind(t *testing.T) {
	path := inventoryProgram(t, "#!/bin/sh\nsleep 120 &\necho '{\"_meta\": {\"hostvars\": {}}, \"web\": [\"a\"]}'\n")
	began := time.Now()
	inv, err := Load(path, known(), nil)
	if err != nil || len(inv.Hosts()) != 1 || time.Since(began) > 100*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
