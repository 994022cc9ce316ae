package journal_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/internal/script"
)

// door is a machine with a guarded unit, which a systemctl of the test pretends to run.
type door struct {
	*machine
	path string // of its file
}

const doorUnit = "door.socket"

func newDoor(t *testing.T) door {
	t.Helper()
	m := newMachine(t)
	for _, dir := range []string{m.dir + "/units", m.dir + "/lib/provision"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.setup = "mount --bind " + m.dir + "/units /etc/systemd/system || exit 99"
	m.fake(t, "systemctl", "echo \"$*\" >>"+m.dir+"/systemctl\ncase $* in *ActiveState*) echo active ;; *NRestarts*) echo 0 ;; esac\n[ ! -e "+m.dir+"/broken ] || case $* in reload*) exit 1 ;; esac\n")
	d := door{m, m.root + "/rules"}
	m.write(t, d.path, "old")
	return d
}

// inside runs sh on the machine, beside the run.
func (d door) inside(t *testing.T, text string) string {
	t.Helper()
	namespace := "mount --bind " + d.dir + "/lib /var/lib && mount --bind " + d.dir + "/sbin /usr/sbin || exit 99\n" + d.setup + "\nexec setsid -w sh -c \"$0\""
	cmd := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", namespace, text)
	output, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok && len(exit.Stderr) > 0 {
		t.Logf("%v: %s", err, exit.Stderr)
	}
	return strings.TrimSpace(string(output))
}

// change makes a guarded change live, in a run.
func (d door) change(t *testing.T, c *client) {
	t.Helper()
	found := recipe.Unit{Load: "loaded", Active: "active", State: "enabled"}
	steps := []recipe.Numbered{
		{Number: 1, Resource: "test", Step: recipe.Arm{Unit: doorUnit, Found: found}},
		{Number: 2, Resource: "test", Step: file(d.path, "new"), Guards: []string{doorUnit}, Neighbours: []string{doorUnit, "other.service"}},
		{Number: 3, Resource: "test", Step: recipe.ControlUnit{Unit: doorUnit, Verb: recipe.VerbReload, Found: found, Guarded: true}},
	}
	if _, err := c.Do(t.Context(), steps, nil, c.observe); err != nil && !exists(d.dir+"/broken") {
		t.Fatalf("%v%s", err, outputOf(err))
	}
	c.number = len(steps)
}

func (d door) verdict(t *testing.T, run string, step int) string {
	t.Helper()
	return d.inside(t, script.Verdict(run, doorUnit, step))
}

const undoNow = "sh /var/lib/provision/undo " + doorUnit

// gone says that nothing of the undoing is left.
func (d door) gone(t *testing.T) {
	t.Helper()
	for _, name := range []string{"armed", "undo"} {
		if exists(d.state(name)) {
			t.Errorf("%s is left", name)
		}
	}
	if units, _ := os.ReadDir(d.dir + "/units"); len(units) > 0 {
		t.Errorf("units are left: %v", units)
	}
}

func TestConfirmingAndUndoingAtOnceOneWins(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	won := map[string]int{}
	for i := range 16 {
		d.write(t, d.path, "old")
		c := d.begin(t)
		d.change(t, c)
		var both sync.WaitGroup
		var told string
		both.Go(func() { time.Sleep(time.Duration(i%4) * 4 * time.Millisecond); told = d.verdict(t, c.Run, 3) })
		both.Go(func() { d.inside(t, undoNow) })
		both.Wait()
		content, verdict := read(t, d.path), d.verdict(t, c.Run, 0)
		if want := map[string]string{"confirmed": "new", "undone": "old"}[verdict]; content != want {
			t.Fatalf("%s, and the file is %s", verdict, content)
		}
		if told != verdict && told != "open" { // what is being undone is open
			t.Errorf("told %s, and it is %s", told, verdict)
		}
		if again := d.verdict(t, c.Run, 3); again != verdict {
			t.Errorf("it was %s, and is %s", verdict, again)
		}
		c.finish(t)
		d.gone(t)
		won[verdict]++
	}
	t.Logf("won: %v", won)
}

// TestUndoingThatIsCutOffIsDoneAgain cuts the power at every command of an undoing at boot.
func TestUndoingThatIsCutOffIsDoneAgain(t *testing.T) {
	t.Parallel()
	cut := 0
	for at := 1; ; at++ {
		d := newDoor(t)
		c := d.begin(t)
		d.change(t, c)
		c.kill(t)
		if err := os.WriteFile(d.state("armed/"+doorUnit+"/boot"), []byte("another\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(d.dir + "/systemctl")
		d.write(t, d.dir+"/count", "0")
		for _, name := range []string{"mv", "cp", "rm", "tac", "sync", "flock", "date"} {
			d.fake(t, name, fmt.Sprintf(`n=$(($(/usr/bin/cat %[1]s/count) + 1)); echo $n >%[1]s/count
if [ $n -eq %[2]d ]; then
	# rm(1) takes files in any order: it had come to the first that is needed.
	case "$*" in "-rf "*/armed/*) /usr/bin/rm -f "$2/found" ;; esac
	kill -9 0
fi
exec /usr/bin/%[3]s "$@"
`, d.dir, at, name))
		}
		d.inside(t, "sh /var/lib/provision/undo")
		if strings.TrimSpace(read(t, d.dir+"/count")) != fmt.Sprint(at) {
			break // it came to its end before
		}
		d.inside(t, "sh /var/lib/provision/undo")
		if read(t, d.path) != "old" || d.verdict(t, c.Run, 3) != "undone" {
			t.Errorf("cut at command %d: the file is %s, verdict %s", at, read(t, d.path), d.verdict(t, c.Run, 3))
		}
		if waits := d.pending(t); waits != "other.service restart" {
			t.Errorf("cut at command %d: there waits %q", at, waits)
		}
		if said := read(t, d.dir+"/systemctl"); strings.Contains(said, "stop -- "+doorUnit) || strings.Contains(said, "disable -- "+doorUnit) || !strings.Contains(said, "--no-block reload-or-restart -- "+doorUnit) {
			t.Errorf("cut at command %d: systemctl was told\n%s", at, said)
		}
		d.gone(t)
		cut++
	}
	if cut < 10 {
		t.Errorf("it was cut off %d times", cut)
	}
	t.Logf("cut off %d times", cut)
}

// pending is what waits on the machine, each unit with its action.
func (d door) pending(t *testing.T) string {
	t.Helper()
	return d.inside(t, `cd /var/lib/provision/pending && for unit in *; do [ ! -e "$unit" ] || echo "$unit $(cat "$unit")"; done`)
}

// Who shares a file with a guarded unit has taken it in by the time that it is undone: the old one it
// takes in too.
func TestUndoneFileIsNotedForItsOtherUnits(t *testing.T) {
	t.Parallel()
	for name, confirm := range map[string]bool{"undone": false, "confirmed": true} {
		d := newDoor(t)
		c := d.begin(t)
		d.change(t, c)
		if waits := d.pending(t); waits != "" {
			t.Errorf("before: %q", waits)
		}
		want := ""
		if confirm {
			d.verdict(t, c.Run, 3)
		} else {
			want = "other.service restart"
			c.do(t, recipe.Undo{Unit: doorUnit})
		}
		if waits := d.pending(t); waits != want {
			t.Errorf("%s: there waits %q", name, waits)
		}
		c.finish(t)
		d.gone(t)
	}
}

func TestArmedAndNotChangedIsUndoneToo(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := d.begin(t)
	c.do(t, recipe.Arm{Unit: doorUnit, Found: recipe.Unit{Active: "inactive", State: "disabled"}})
	c.kill(t)
	d.inside(t, "sh /var/lib/provision/undo")
	if verdict := d.verdict(t, c.Run, 1); verdict != "undone" || read(t, d.path) != "old" {
		t.Errorf("verdict %s, the file is %s", verdict, read(t, d.path))
	}
	d.gone(t)
}

func TestStepThatFailedIsNotConfirmed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.write(t, d.dir+"/broken", "")
	c := d.begin(t)
	d.change(t, c)
	if verdict := d.verdict(t, c.Run, 3); verdict != "open" {
		t.Errorf("verdict %s", verdict)
	}
	os.Remove(d.dir + "/broken")
	c.do(t, recipe.Undo{Unit: doorUnit})
	if verdict := d.verdict(t, c.Run, 3); verdict != "undone" || read(t, d.path) != "old" {
		t.Errorf("verdict %s, the file is %s", verdict, read(t, d.path))
	}
	c.finish(t)
	d.gone(t)
}

// TestRunThatIsGoneCanBeConfirmedForAMoment: it may be only its connection that is gone.
func TestRunThatIsGoneCanBeConfirmedForAMoment(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := d.begin(t)
	d.change(t, c)
	c.kill(t)
	d.inside(t, "sh /var/lib/provision/undo")
	if read(t, d.path) != "new" {
		t.Fatal("it was undone at once")
	}
	if verdict := d.verdict(t, c.Run, 3); verdict != "confirmed" {
		t.Fatalf("verdict %s", verdict)
	}
	d.inside(t, "sh /var/lib/provision/undo")
	if verdict := d.verdict(t, c.Run, 0); verdict != "confirmed" || read(t, d.path) != "new" {
		t.Errorf("verdict %s, the file is %s", verdict, read(t, d.path))
	}
	d.gone(t)
}

func TestNextRunUndoesWhatADeadOneArmed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	dead := d.begin(t)
	d.change(t, dead)
	dead.kill(t)
	c := d.begin(t)
	if verdict := d.verdict(t, dead.Run, 3); verdict != "undone" || read(t, d.path) != "old" {
		t.Errorf("verdict %s, the file is %s", verdict, read(t, d.path))
	}
	d.gone(t)
	d.change(t, c)
	// The controller of the dead run wakes up: what is armed now is not its own to confirm.
	if late, open := d.verdict(t, dead.Run, 3), d.verdict(t, c.Run, 0); late != "undone" || open != "open" {
		t.Errorf("the dead run's verdict %s, this one's %s", late, open)
	}
	if verdict := d.verdict(t, c.Run, 3); verdict != "confirmed" {
		t.Errorf("verdict %s", verdict)
	}
	c.finish(t)
	d.gone(t)
}

// The journal may be on a disk that is full: what was confirmed is confirmed without it.
func TestConfirmedChangeThatTheJournalDoesNotKnow(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := d.begin(t)
	d.change(t, c)
	d.verdict(t, c.Run, 3)
	journal := d.state("runs/" + c.Run + "/journal")
	text := read(t, journal)
	kept, _, confirmed := strings.Cut(text, `{"event":"confirmed"`)
	if !confirmed {
		t.Fatalf("the journal: %s", text)
	}
	d.write(t, journal, kept[:strings.LastIndex(kept, "\n")+1])
	if verdict := d.verdict(t, c.Run, 0); verdict != "confirmed" {
		t.Errorf("verdict %s", verdict)
	}
	c.finish(t)
	d.gone(t)
}

// After a boot only the boot unit is there, once: what it could not undo the timer has to.
func TestUndoingThatFailsAtBootIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := d.begin(t)
	d.change(t, c)
	c.kill(t)
	d.write(t, d.state("armed/"+doorUnit+"/boot"), "another\n")
	d.fake(t, "systemctl", "echo \"$*\" >>"+d.dir+"/systemctl\n[ ! -e "+d.dir+"/broken ] || case $* in *restart*) exit 1 ;; esac\n")
	d.write(t, d.dir+"/broken", "")
	d.write(t, d.dir+"/systemctl", "")
	d.inside(t, "sh /var/lib/provision/undo")
	if said := read(t, d.dir+"/systemctl"); !strings.Contains(said, "--no-block start provision-undo.timer\n") {
		t.Errorf("systemctl was told\n%s", said)
	}
	if verdict := d.verdict(t, c.Run, 0); verdict != "open" {
		t.Errorf("verdict %s", verdict)
	}
	os.Remove(d.dir + "/broken")
	d.inside(t, "sh /var/lib/provision/undo")
	if verdict := d.verdict(t, c.Run, 0); verdict != "undone" || read(t, d.path) != "old" {
		t.Errorf("verdict %s, the file is %s", verdict, read(t, d.path))
	}
	d.gone(t)
}

// TestTakeOverWaitsForTheStepUnderWay: a run whose connection was cut ends, and what it had
// started does too.
func TestTakeOverWaitsForTheStepUnderWay(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := d.begin(t)
	c.background(t, run("slow", "touch "+d.dir+"/begun; while [ ! -e "+d.dir+"/go ]; do sleep 0.05; done; touch "+d.dir+"/ended"))
	eventually(t, "the step to begin", func() bool { return exists(d.dir + "/begun") })
	took := make(chan bool)
	go func() {
		d.inside(t, script.TakeOver(c.Run, 5*time.Minute)+"\n:")
		took <- exists(d.dir + "/ended")
	}()
	ended := make(chan struct{})
	go func() {
		c.shell.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Error("the runner did not end before its step")
	}
	select {
	case <-took:
		d.write(t, d.dir+"/go", "")
		t.Fatal("it did not wait for the step")
	case <-time.After(200 * time.Millisecond):
	}
	d.write(t, d.dir+"/go", "")
	if !<-took {
		t.Error("it did not wait for the step")
	}
	if journal := read(t, d.state("runs/"+c.Run+"/journal")); !strings.Contains(journal, `"outcome":"cut off"`) {
		t.Errorf("the journal: %s", journal)
	}
	next := d.begin(t)
	if len(next.notes) > 0 {
		t.Errorf("the next run was told %q", next.notes)
	}
	next.finish(t)
}

// A power cut may leave the journal's last line without its end: what the undoing at boot adds is no
// part of it.
func TestUndoingIsNotedBehindALineThatWasCutShort(t *testing.T) {
	t.Parallel()
	for _, torn := range []string{`now {"event":"beg`, "now {\x00\x00\x00"} {
		d := newDoor(t)
		c := d.begin(t)
		d.change(t, c)
		c.kill(t)
		for path, text := range map[string]string{d.state("armed/" + doorUnit + "/boot"): "another\n", d.state("runs/" + c.Run + "/journal"): read(t, d.state("runs/"+c.Run+"/journal")) + torn} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d.inside(t, "sh /var/lib/provision/undo")
		runs, err := script.ParseHistory([]byte(d.inside(t, script.History)))
		if err != nil || len(runs) != 1 {
			t.Fatalf("%d runs, %v", len(runs), err)
		}
		for _, step := range runs[0].Begun() {
			if step.Path == d.path {
				t.Errorf("after %q: the journal does not have that step %d was undone:\n%s", torn, step.Step, read(t, d.state("runs/"+c.Run+"/journal")))
			}
		}
	}
}
