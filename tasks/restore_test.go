package tasks

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"provision/internal/recipe"
)

// restoreTrial is a restore in a directory of the test's. The accounts are all one, systemctl starts nothing, and what
// ends in the middle ends at the command that is the nth.
type restoreTrial struct {
	t            *testing.T
	folder, home string
	programs     map[string]string // sh, in front of the real ones
}

// counted are the commands at which a trial can be cut off: each that changes something, or that another process does.
var counted = strings.Fields("setpriv systemctl redis-cli redis-check-rdb graphite-manage pg_dump pg_restore mkdir rm mv ln cp sync sha256sum")

func newRestoreTrial(t *testing.T) restoreTrial {
	t.Helper()
	folder := t.TempDir()
	r := restoreTrial{t: t, folder: folder, home: folder + "/home", programs: map[string]string{
		"redis-cli": "echo 1", "journalctl": "exit 0", "redis-check-rdb": `grep -q REDIS "$1"`,
		"systemctl": `for unit; do :; done; case $1 in start) >"` + folder + `/runs" ;; stop) rm -f "` + folder + `/runs" ;; esac`,
		// It runs what it is told without another account, and without env -i and what stands behind that.
		"setpriv": `while [ "$1" != PYTHONDONTWRITEBYTECODE=1 ]; do shift; done; shift
case $* in *"${FAILS_AT:-in no command}"*) exit 1 ;; esac
exec "$@"`,
		"graphite-manage": `[ "${FAILS_AT:-}" != migrate ]`,
		"pg_dump":         `cat "` + folder + `/home/postgresql"`,
		"pg_restore":      `for dump; do :; done; cat "$dump" >"` + folder + `/loaded" && /bin/mv "` + folder + `/loaded" "` + folder + `/home/postgresql"`,
	}}
	for _, name := range counted {
		program := r.programs[name]
		if program == "" {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Fatal(err)
			}
			program = "exec " + path + ` "$@"`
		}
		r.programs[name] = `read -r n <"$COUNT"; n=$((n + 1)); echo "$n" >"$COUNT"
[ "$n" != "$KILLED_AT" ] || kill -KILL 0
` + program
	}
	for name, text := range r.programs {
		r.write("bin/"+name, "#!/bin/sh\n"+text+"\n")
	}
	return r
}

func (r restoreTrial) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

// digested writes a backup, and its digest beside it.
func (r restoreTrial) digested(content string) {
	r.t.Helper()
	r.write("backup", content)
	digest, err := exec.Command("sha256sum", r.folder+"/backup").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	r.write("backup.sha256", string(digest))
}

// again has everything as it was before the restore.
func (r restoreTrial) again(files map[string]string) {
	r.t.Helper()
	if err := os.RemoveAll(r.home); err != nil {
		r.t.Fatal(err)
	}
	for name, text := range files {
		r.write("home/"+name, text)
	}
	r.write("runs", "")
}

// runs runs a script of a task's, whose data are in home, with words before it that the environment has. A kill takes all
// that it has begun with it.
func (r restoreTrial) runs(script, home string, environment ...string) (said string, err error) {
	r.t.Helper()
	count := filepath.Join(r.folder, "count")
	r.write("count", "0\n")
	c := exec.Command("sh", "-c", "from="+r.folder+"/backup\n"+strings.ReplaceAll(script, home, r.home))
	c.Env = append(os.Environ(), "PATH="+r.folder+"/bin:"+os.Getenv("PATH"), "COUNT="+count, "KILLED_AT=0")
	c.Env = append(c.Env, environment...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	err = c.Run()
	return output.String(), err
}

// everyKill cuts a script off at each of its commands in turn, and calls f after each time: then a run of it to its end.
func (r restoreTrial) everyKill(script, home string, files map[string]string, f func(t *testing.T, n int)) {
	r.t.Helper()
	for n := 1; ; n++ {
		r.again(files)
		said, err := r.runs(script, home, fmt.Sprintf("KILLED_AT=%d", n))
		if err == nil {
			if n < 10 {
				r.t.Fatalf("it was killed %d times alone:\n%s", n-1, said)
			}
			return
		}
		if !r.t.Run(fmt.Sprintf("killed at command %d", n), func(t *testing.T) {
			if !strings.Contains(err.Error(), "killed") {
				t.Fatalf("%v:\n%s", err, said)
			}
			f(t, n)
		}) {
			r.t.Fatalf("and no further")
		}
	}
}

// read is a file's content, or that it is not there.
func (r restoreTrial) read(pattern string) string {
	r.t.Helper()
	found, err := filepath.Glob(filepath.Join(r.home, pattern))
	if err != nil {
		r.t.Fatal(err)
	}
	if len(found) != 1 {
		return fmt.Sprintf("%d of %s", len(found), pattern)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		r.t.Fatal(err)
	}
	return string(content)
}

func (r restoreTrial) has(pattern string) bool {
	found, err := filepath.Glob(filepath.Join(r.home, pattern))
	return err == nil && len(found) == 1
}

// running reports whether what was stopped was started again.
func (r restoreTrial) running() bool {
	_, err := os.Stat(r.folder + "/runs")
	return err == nil
}

// Of several units systemctl is-active is content when one runs (systemctl(1)): each is asked for by itself.
func TestActionsAskForEachUnit(t *testing.T) {
	several := regexp.MustCompile(`is-active (\S+\.service ){1,}\S+\.service`)
	everyAction(t, func(t *testing.T, _ recipe.Task, action recipe.Script) {
		if found := several.FindString(action.Text); found != "" {
			t.Errorf("%s is content when one of them runs", found)
		}
	})
}
