package tasks

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// restoreTrial is the restore of Redis in a directory of the test's, where it may do what setpriv lets it.
type restoreTrial struct {
	t              *testing.T
	folder, script string
}

func newRestoreTrial(t *testing.T) restoreTrial {
	t.Helper()
	r := restoreTrial{t, t.TempDir(), ""}
	for name, text := range map[string]string{
		"redis-cli": "echo 1", "journalctl": "exit 0", "systemctl": "exit 0",
		"redis-check-rdb": `echo "$*" >>` + r.folder + "/checked",
		// It runs what it is told without another account, and without env -i and what stands behind that.
		"setpriv": `while [ "$1" != HOME=/nonexistent ]; do shift; done; shift 2
case $* in *"$DIES_AT"*) exit 1 ;; esac
exec "$@"`,
	} {
		r.write("bin/"+name, "#!/bin/sh\n"+text+"\n")
	}
	r.write("data/appendonlydir/old", "")
	r.write("backup.rdb", "REDIS")
	digest, err := exec.Command("sha256sum", r.folder+"/backup.rdb").Output()
	if err != nil {
		t.Fatal(err)
	}
	r.write("backup.rdb.sha256", string(digest))
	r.script = strings.ReplaceAll(redisBackup().actions()[1].Text, "/var/lib/redis", r.folder+"/data")
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

// runs restores, and ends the part in which this stands; "nothing" ends none.
func (r restoreTrial) runs(diesAt string) (string, error) {
	c := exec.Command("sh", "-c", "from="+r.folder+"/backup.rdb\n"+r.script)
	c.Env = append(os.Environ(), "PATH="+r.folder+"/bin:"+os.Getenv("PATH"), "DIES_AT="+diesAt)
	said, err := c.CombinedOutput()
	return string(said), err
}

func (r restoreTrial) has(pattern string) bool {
	found, err := filepath.Glob(filepath.Join(r.folder, "data", pattern))
	return err == nil && len(found) == 1
}

// A restore that dies before it has moved what was there away leaves that: it was taken for its own, and removed.
func TestRestoreThatDiesLeavesWhatWasThere(t *testing.T) {
	r := newRestoreTrial(t)
	if said, err := r.runs(`mv -T ".restore-`); err == nil || !r.has("appendonlydir/old") || r.has(".restore-*") {
		t.Errorf("%v: what was there is not, or what was unpacked is\n%s", err, said)
	}
	if said, err := r.runs("nothing"); err != nil || !r.has("appendonlydir/appendonly.aof.1.base.rdb") || !r.has("appendonlydir.before-*/old") {
		t.Errorf("%v: the backup is not there, or what was there before is not\n%s", err, said)
	}
}

// What a backup's file has is read by Redis's account alone.
func TestRestoreReadsABackupAsRedis(t *testing.T) {
	r := newRestoreTrial(t)
	if said, err := r.runs("redis-check-rdb"); err == nil || !strings.Contains(said, "is no whole snapshot") || !r.has("appendonlydir/old") {
		t.Errorf("%v: root itself has read it\n%s", err, said)
	}
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
