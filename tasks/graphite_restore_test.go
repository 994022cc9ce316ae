package tasks

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// graphiteBefore is what Graphite has: metrics, and of a database one of the two.
func graphiteBefore(database string) map[string]string {
	files := map[string]string{"whisper/old.wsp": "old"}
	if database == "sqlite" {
		files["graphite.db"], files["graphite.db-journal"] = "old", "unfinished"
	} else {
		files["postgresql"] = "old"
	}
	return files
}

func newGraphiteTrial(t *testing.T, database string) restoreTrial {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	r := newRestoreTrial(t)
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for _, member := range [][2]string{
		{"whisper/new.wsp", "new"}, {"database", "new"},
		{"about.json", `{"format": 1, "host": "h", "database": "` + database + `", "metrics": 1, "taken": "now"}`},
	} {
		if err := archive.WriteHeader(&tar.Header{Name: member[0], Size: int64(len(member[1])), Mode: 0o640, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(member[1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range []func() error{archive.Close, zip.Close} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
	r.digested(packed.String())
	return r
}

// graphiteHas are the metrics and the database, in one word when both are of one.
func (r restoreTrial) graphiteHas(database string) string {
	metrics, data := "new", r.read("postgresql")
	if r.has("whisper/old.wsp") {
		metrics = "old"
	}
	if database == "sqlite" {
		data = r.read("graphite.db")
		if r.has("graphite.db-journal") != (data == "old") {
			data += ", with another's journal or without its own"
		}
	}
	if metrics == data {
		return metrics
	}
	return metrics + " and " + data
}

// mending is what an install does first where a restore has died: nothing, when none has.
func mending(t *testing.T) resource.Command {
	t.Helper()
	var r recipe.Recipe
	graphite{}.addMending(&r)
	return r.Items[0].Resource.(resource.Command)
}

// A restore of Graphite that is killed, at whatever moment, has left what was there or has brought the backup once the
// next install has looked at it, or the next restore; not metrics of the one with the database of the other.
func TestRestoreOfGraphiteIsWholeWhenItIsKilled(t *testing.T) {
	t.Parallel()
	action, mend := graphiteBackup().actions()[1].Text, mending(t)
	for _, c := range []struct {
		database string
		installs bool
	}{{"sqlite", true}, {"sqlite", false}, {"postgresql", true}} {
		t.Run(fmt.Sprintf("%s, an install %v", c.database, c.installs), func(t *testing.T) {
			t.Parallel()
			r := newGraphiteTrial(t, c.database)
			restore := "database=" + c.database + "\n" + action
			r.everyKill(restore, graphiteHome, graphiteBefore(c.database), func(t *testing.T, n int) {
				if !r.has("whisper") {
					r.write("home/whisper/since.wsp", "since") // carbon makes it, where the host has been started anew
				}
				if c.installs {
					if said, err := r.runs("if "+mend.Unless+"; then exit 0; fi\n"+mend.Script, graphiteHome); err != nil {
						t.Fatalf("%v: %s", err, said)
					}
					r.write("runs", "")
				}
				// One that changes nothing itself, for its backup is another than its digest says.
				if said, err := r.runs(strings.ReplaceAll(restore, `"$wanted" ]`, `x ]`), graphiteHome); err == nil || !r.running() {
					t.Errorf("%v, running %v: %s", err, r.running(), said)
				}
				is := r.graphiteHas(c.database)
				if is != "old" && is != "new" || r.has(".restore-*") {
					t.Fatalf("it has %s: %q", is, globs(t, r.home+"/*"))
				}
				if is == "new" && !r.has("whisper.before-*/old.wsp") || is == "old" && r.has("*.before-*") {
					t.Errorf("it has %s: %q", is, globs(t, r.home+"/*"))
				}
				if r.has("whisper/since.wsp") || len(globs(t, r.home+"/*/since.wsp")) > 1 {
					t.Errorf("what came since: %q", globs(t, r.home+"/*/since.wsp"))
				}
				if n%3 != 0 {
					return
				}
				if said, err := r.runs(restore, graphiteHome); err != nil || r.graphiteHas(c.database) != "new" || !r.running() {
					t.Errorf("%v: it has %s\n%s", err, r.graphiteHas(c.database), said)
				}
			})
		})
	}
}

// Putting back what a restore that died has moved is whole when it is killed itself.
func TestMendingOfGraphiteIsWholeWhenItIsKilled(t *testing.T) {
	t.Parallel()
	mend := mending(t)
	for _, database := range []string{"sqlite", "postgresql"} {
		files := graphiteBefore(database)
		for name, text := range map[string]string{"whisper/old.wsp": "whisper.before-x/old.wsp", "graphite.db": "graphite.db.before-x", "graphite.db-journal": "graphite.db.before-x-journal", "postgresql": "graphite.pgdump.before-x"} {
			if _, there := files[name]; there {
				files[text] = files[name]
				delete(files, name)
			}
		}
		files["whisper/new.wsp"], files[".restore-x/moving"] = "new", ""
		files[map[string]string{"sqlite": "graphite.db", "postgresql": "postgresql"}[database]] = "new"
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			r := newGraphiteTrial(t, database)
			r.everyKill(mend.Script, graphiteHome, files, func(t *testing.T, _ int) {
				said, err := r.runs(mend.Script, graphiteHome)
				if err != nil || r.graphiteHas(database) != "old" || r.read("whisper.undone-*/new.wsp") != "new" {
					t.Errorf("%v: it has %s, and what came since is %s\n%s", err, r.graphiteHas(database), r.read("whisper.undone-*/new.wsp"), said)
				}
			})
		})
	}
}

// One that fails puts back what was there, and leaves nothing else.
func TestRestoreOfGraphiteThatFailsLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgresql"} {
		r := newGraphiteTrial(t, database)
		for _, at := range []string{"mv -T -- whisper", "migrate"} {
			r.again(graphiteBefore(database))
			said, err := r.runs("database="+database+"\n"+graphiteBackup().actions()[1].Text, graphiteHome, "FAILS_AT="+at)
			if err == nil || r.graphiteHas(database) != "old" || !r.running() || r.has("*.before-*") || r.has("*.undone-*") || r.has(".restore-*") {
				t.Errorf("%s, it fails at %q: %v, it has %s, %q\n%s", database, at, err, r.graphiteHas(database), globs(t, r.home+"/*"), said)
			}
		}
	}
}
