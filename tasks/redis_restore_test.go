package tasks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const redisHome = "/var/lib/redis"

// redisBefore is an append-only file as Redis has left it: rewritten once, and written to since.
var redisBefore = map[string]string{
	"appendonlydir/appendonly.aof.2.base.rdb": "old",
	"appendonlydir/appendonly.aof.3.incr.aof": "written since",
	"appendonlydir/appendonly.aof.manifest":   "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.3.incr.aof seq 3 type i\n",
}

func newRedisTrial(t *testing.T) restoreTrial {
	t.Helper()
	r := newRestoreTrial(t)
	r.digested("REDIS")
	r.again(redisBefore)
	return r
}

func redisRestore() string { return redisBackup().actions()[1].Text }

// parts are what a manifest names, in its order; it is an error that one is not there, or that another is.
func (r restoreTrial) parts(t *testing.T, folder string) string {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(folder, "appendonly.aof.manifest"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(manifest)) {
		content, err := os.ReadFile(filepath.Join(folder, strings.Fields(line)[1]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(content))
	}
	return strings.Join(all, "+")
}

// A restore of Redis that is killed, at whatever moment, has left what was there whole, or has brought the backup; and
// the next one goes as if there had been none.
func TestRestoreOfRedisIsWholeWhenItIsKilled(t *testing.T) {
	t.Parallel()
	r := newRedisTrial(t)
	data, old, brought := r.home+"/appendonlydir", "old+written since", "REDIS+"
	r.everyKill(redisRestore(), redisHome, redisBefore, func(t *testing.T, _ int) {
		is := r.parts(t, data)
		if is != old && is != brought {
			t.Fatalf("it is %q", is)
		}
		if is == brought && r.parts(t, glob(t, r.home+"/appendonlydir.before-*")) != old {
			t.Error("what was there before is lost")
		}
		// It is mended by one that changes nothing itself, for its backup is another than its digest says.
		if said, err := r.runs(strings.ReplaceAll(redisRestore(), `"$wanted" ]`, `x ]`), redisHome); err == nil || !r.running() {
			t.Errorf("%v, running %v: %s", err, r.running(), said)
		}
		if r.parts(t, data) != is || r.has(".restore-*") || r.has("appendonlydir.before-*") != (is == brought) {
			t.Errorf("it was %q, and is %q", is, r.parts(t, data))
		}
		if stray := len(globs(t, data+"/*")) - 3; stray != 0 {
			t.Errorf("%d files too many: %q", stray, globs(t, data+"/*"))
		}
		if said, err := r.runs(redisRestore(), redisHome); err != nil || r.parts(t, data) != brought || !r.running() {
			t.Errorf("%v: it is %q\n%s", err, r.parts(t, data), said)
		}
	})
}

// One that fails puts back what was there, whether Redis has started with the new parts or not.
func TestRestoreOfRedisThatFailsLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	r := newRedisTrial(t)
	for _, at := range []string{"redis-check-rdb", "cp -al", `: >".restore-`, "mv -T -- " + r.home, "sync " + r.home} {
		r.again(redisBefore)
		said, err := r.runs(redisRestore(), redisHome, "FAILS_AT="+at)
		if err == nil || r.parts(t, r.home+"/appendonlydir") != "old+written since" || r.has("appendonlydir.before-*") || r.has(".restore-*") || !r.running() {
			t.Errorf("it fails at %q: %v, %q\n%s", at, err, globs(t, r.home+"/*/*"), said)
		}
		if len(globs(t, r.home+"/appendonlydir/*")) != 3 {
			t.Errorf("it fails at %q, and there is %q", at, globs(t, r.home+"/appendonlydir/*"))
		}
	}
}

// A backup's file is read by the account of the data alone, and once: what is behind its name may be another's, and
// another a moment later.
func TestRestoreReadsABackupOnce(t *testing.T) {
	t.Parallel()
	r := newRedisTrial(t)
	if said, err := r.runs(redisRestore(), redisHome, "FAILS_AT=redis-check-rdb"); err == nil || !strings.Contains(said, "is no whole snapshot") {
		t.Errorf("%v: root itself has read it\n%s", err, said)
	}
	// sha256sum is where it is held against its digest: by then it is another.
	r.write("bin/sha256sum", "#!/bin/sh\necho changed >"+r.folder+"/backup\nexec /usr/bin/sha256sum \"$@\"\n")
	r.again(redisBefore)
	if said, err := r.runs(redisRestore(), redisHome); err != nil || r.parts(t, r.home+"/appendonlydir") != "REDIS+" {
		t.Errorf("%v: it is %q\n%s", err, r.parts(t, r.home+"/appendonlydir"), said)
	}
}

// Nothing waits at a name that has become a pipe since it was looked at: what comes from there is of another digest.
func TestRestoreWaitsForNobody(t *testing.T) {
	t.Parallel()
	r := newRedisTrial(t)
	script := strings.Replace(redisRestore(), "\n# opened ", "\nrm \"$from\"; mkfifo \"$from\"\n# opened ", 1)
	if said, err := r.runs(script, redisHome); err == nil || !strings.Contains(said, "nothing was changed") {
		t.Errorf("%v: %s", err, said)
	}
}

func globs(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func glob(t *testing.T, pattern string) string {
	t.Helper()
	found := globs(t, pattern)
	if len(found) != 1 {
		t.Fatalf("%d of %s", len(found), pattern)
	}
	return found[0]
}
