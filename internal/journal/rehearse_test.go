package journal_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
)

// tree is a service's configuration with all that a change can do to it.
func tree(t *testing.T, m *machine) (dir string, before string) {
	t.Helper()
	dir = m.root + "/etc dir"
	m.write(t, dir+"/main.conf", "old\n")
	m.write(t, dir+"/gone.conf", "old\n")
	m.write(t, dir+"/sub/gone.conf", "old\n")
	if err := os.Symlink("gone.conf", dir+"/enabled"); err != nil {
		t.Fatal(err)
	}
	m.write(t, m.root+"/secret", "s&cret")
	return dir, listing(t, dir)
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var s strings.Builder
	for _, name := range []string{"main.conf", "gone.conf", "sub/gone.conf", "new", "new/a.conf", "enabled"} {
		stat, err := os.Lstat(dir + "/" + name)
		if err != nil {
			s.WriteString(name + " none\n")
			continue
		}
		s.WriteString(name + " " + stat.Mode().String() + " " + stat.ModTime().String())
		if stat.Mode().IsRegular() {
			s.WriteString(read(t, dir+"/"+name))
		}
		target, _ := os.Readlink(dir + "/" + name)
		s.WriteString(" " + target + "\n")
	}
	return s.String()
}

func changes(dir, secret string) []recipe.Step {
	config := file(dir+"/main.conf", "key {{K}}\n")
	config.Fill = map[string]string{"{{K}}": secret}
	private := recipe.Attributes{Mode: 0o640, Owner: "root", Group: "daemon"}
	return []recipe.Step{
		config,
		recipe.SetAttributes{Path: dir + "/main.conf", Attributes: private},
		recipe.MakeDirectory{Path: dir + "/new", Attributes: recipe.Attributes{Mode: 0o750, Owner: "root", Group: "daemon"}},
		file(dir+"/new/a.conf", "a\n"),
		recipe.MakeLink{Path: dir + "/enabled", Target: "new/a.conf"},
		recipe.Remove{Path: dir + "/gone.conf"},
		recipe.Remove{Path: dir + "/sub", Tree: true},
	}
}

func TestRehearsalSeesTheNewAndTouchesNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	dir, before := tree(t, m)
	c := m.begin(t)
	const check = `cd "%" && cat main.conf new/a.conf enabled && ls -R && stat -c %a:%G main.conf new && exit 7`
	failed := c.fails(t, recipe.Rehearse{
		Unit: "x.service", Trees: []string{dir, dir + "/sub"}, Steps: changes(dir, m.root+"/secret"),
		Check: strings.Replace(check, "%", dir, 1),
	})
	want := "key s&cret\na\na\n.:\nenabled\nmain.conf\nnew\n\n./new:\na.conf\n640:daemon\n750:daemon\n"
	if !strings.HasPrefix(failed.Output, want) {
		t.Errorf("the check saw\n%s\nwant\n%s", failed.Output, want)
	}
	if failed.Status != 7 || !strings.Contains(failed.Output, "x.service: the new configuration does not pass") {
		t.Errorf("status %d, output %q", failed.Status, failed.Output)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the live tree was\n%s\nis\n%s", before, after)
	}
	c.do(t, recipe.Rehearse{Unit: "x.service", Trees: []string{dir}, Steps: changes(dir, m.root+"/secret"), Check: "grep -q s.cret '" + dir + "/main.conf'"})
	if after := listing(t, dir); after != before {
		t.Errorf("the live tree was\n%s\nis\n%s", before, after)
	}
	if left, _ := os.ReadDir(m.state("runs/" + c.Run)); len(left) != 3 {
		t.Errorf("left in the run's directory: %v", left)
	}

	// The same steps for good do what the rehearsal showed.
	c.do(t, changes(dir, m.root+"/secret")...)
	if got := read(t, dir+"/main.conf") + read(t, dir+"/enabled"); got != "key s&cret\na\n" {
		t.Errorf("live: %q", got)
	}
}

// What the same run makes before the file, as the password of a user that is new, is not there yet: its placeholder
// stands for it.
func TestRehearsalGoesWithoutASecretThatIsNotMadeYet(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	dir, before := tree(t, m)
	c := m.begin(t)
	c.do(t, recipe.Rehearse{Unit: "x.service", Trees: []string{dir}, Steps: changes(dir, m.root+"/later"), Check: "grep -q '^key {{K}}$' '" + dir + "/main.conf'"})
	if after := listing(t, dir); after != before {
		t.Errorf("the live tree was\n%s\nis\n%s", before, after)
	}
	if failed := c.fails(t, changes(dir, m.root+"/later")...); !strings.Contains(failed.Output, "there is no secret in "+m.root+"/later") {
		t.Errorf("for good it says %q", failed.Output)
	}
}

func TestRehearsalThatCannotBeTriedTouchesNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	dir, before := tree(t, m)
	m.write(t, m.root+"/outside/live.conf", "live")
	if err := os.Symlink(m.root+"/outside", dir+"/out"); err != nil {
		t.Fatal(err)
	}
	c := m.begin(t)
	for name, rehearse := range map[string]recipe.Rehearse{
		"is a link out of": {Trees: []string{dir}, Steps: []recipe.Step{file(dir+"/out/live.conf", "new")}},
		"No such file":     {Trees: []string{dir + "/none"}, Steps: []recipe.Step{file(dir+"/none/live.conf", "new")}},
		"does not pass":    {Trees: []string{dir}, Steps: []recipe.Step{recipe.SetAttributes{Path: dir + "/absent", Attributes: rootOwned}}},
	} {
		rehearse.Unit, rehearse.Check = "x.service", "true"
		failed := c.fails(t, rehearse)
		if !strings.Contains(failed.Output, name) {
			t.Errorf("said %q, want %q in it", failed.Output, name)
		}
	}
	if read(t, m.root+"/outside/live.conf") != "live" {
		t.Error("what is outside of the tree was written to")
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the live tree was\n%s\nis\n%s", before, after)
	}
}

// fakeSystemd is a systemctl whose units are files: their text is ActiveState.
func fakeSystemd(t *testing.T, m *machine) {
	t.Helper()
	m.fake(t, "systemctl", `
echo "$*" >>`+m.dir+`/log
for unit; do :; done
is=`+m.dir+`/units/$unit
case $1 in
start | restart | reload-or-restart) [ ! -e `+m.dir+`/broken ] || { echo failed >"$is"; exit 1; }; echo active >"$is" ;;
stop) echo inactive >"$is" ;;
show) case $3 in
	ActiveState) cat "$is" ;;
	NRestarts) cat "$is.restarts" 2>/dev/null || echo 0 ;;
	InvocationID) cat "$is.invocation" 2>/dev/null || echo 1 ;;
	SubState | Job) cat "$is.$3" 2>/dev/null || : ;;
	*) echo "ActiveState=$(cat "$is")" ;;
	esac ;;
esac`)
	m.fake(t, "journalctl", `
case $1 in
--sync) : >`+m.dir+`/synced ;;
*) [ ! -e `+m.dir+`/synced ] || echo "the unit's own last words" ;;
esac`)
	m.write(t, m.dir+"/units/x.service", "inactive")
	m.write(t, m.dir+"/units/x.timer", "inactive")
}

func control(verb recipe.Verb) recipe.ControlUnit {
	return recipe.ControlUnit{Unit: "x.timer", Verb: verb}
}

func TestControlUnit(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeSystemd(t, m)
	c := m.begin(t)
	for _, verb := range []recipe.Verb{recipe.VerbEnable, recipe.VerbStart, recipe.VerbReload, recipe.VerbRestart, recipe.VerbStop, recipe.VerbDisable} {
		c.do(t, control(verb))
	}
	var verbs []string
	for _, line := range strings.Split(m.log(t), "\n") {
		if line != "" && !strings.HasPrefix(line, "show") && !strings.HasPrefix(line, "reset-failed") {
			verbs = append(verbs, line)
		}
	}
	want := "-q enable -- x.timer|start -- x.timer|reload-or-restart -- x.timer|restart -- x.timer|-q stop -- x.timer|-q disable -- x.timer"
	if got := strings.Join(verbs, "|"); got != want {
		t.Errorf("systemctl was told %s, want %s", got, want)
	}
}

func TestUnitThatDoesNotStartIsExplained(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeSystemd(t, m)
	m.fake(t, "journalctl", "for _ in 1 2 3 4; do echo 'bind() to 0.0.0.0:80 failed'; echo 'bind() to [::]:80 failed'; done")
	m.write(t, m.dir+"/broken", "")
	c := m.begin(t)
	failed := c.fails(t, control(recipe.VerbStart))
	const first = "bind() to 0.0.0.0:80 failed\nbind() to [::]:80 failed\n"
	if rest, ok := strings.CutPrefix(failed.Output, first); !ok || strings.Contains(rest, "bind()") || !strings.Contains(rest, "ActiveState=failed") {
		t.Errorf("output %q", failed.Output)
	}
	if !strings.Contains(m.log(t), "stop -- x.timer") {
		t.Errorf("what could not be started is tried for ever: systemctl was told\n%s", m.log(t))
	}
	os.Remove(m.dir + "/log")
	c.fails(t, control(recipe.VerbRestart))
	if strings.Contains(m.log(t), "stop") {
		t.Errorf("what ran before is stopped: systemctl was told\n%s", m.log(t))
	}
}

func TestUnitThatDoesNotListenIsExplained(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeSystemd(t, m)
	m.fake(t, "sleep", "exit 0")
	c := m.begin(t)
	deaf := control(recipe.VerbStart)
	deaf.Listens = []string{m.root + "/x.sock"}
	failed := c.fails(t, deaf)
	if !strings.Contains(failed.Output, "x.timer: does not listen on "+m.root+"/x.sock") {
		t.Errorf("output %q", failed.Output)
	}
}

// A unit that has settled is watched beside other work: what dies meanwhile is found out then, and
// what has been up for long enough is not waited for.
func TestUnitsAreWatchedTogether(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeSystemd(t, m)
	m.fake(t, "sleep", `echo "sleep $*" >>`+m.dir+"/log\n"+`exec /bin/sleep "$@"`)
	m.write(t, m.dir+"/units/y.service", "inactive")
	c := m.begin(t)
	start := func(unit string) recipe.ControlUnit {
		return recipe.ControlUnit{Unit: unit, Verb: recipe.VerbStart, Watched: true}
	}
	c.do(t, start("x.service"), start("y.service"))
	if strings.Contains(m.log(t), "sleep") {
		t.Errorf("a start waits:\n%s", m.log(t))
	}
	c.do(t, recipe.Watch{Unit: "x.service"}, recipe.Watch{Unit: "y.service"}, recipe.Watch{Unit: "y.service"})
	waited := 0.0
	for _, line := range strings.Split(m.log(t), "\n") {
		var seconds float64
		if n, _ := fmt.Sscanf(line, "sleep %f", &seconds); n == 1 {
			waited += seconds
		}
	}
	if waited > 1.01 { // hundredths are cut off; on a busy machine it is less
		t.Errorf("waited for %v s in all, want one second for both:\n%s", waited, m.log(t))
	}

	c.do(t, start("x.service"))
	m.write(t, m.dir+"/units/x.service", "failed")
	failed := c.fails(t, recipe.Watch{Unit: "x.service"})
	if !strings.Contains(failed.Output, "x.service: did not stay up") || !strings.Contains(failed.Output, "the unit's own last words") {
		t.Errorf("output %q", failed.Output)
	}
	if !strings.Contains(m.log(t), "stop -- x.service") {
		t.Errorf("what did not run before is tried for ever:\n%s", m.log(t))
	}
	os.Remove(m.dir + "/log")
	alone := start("y.service")
	alone.Watched = false
	c.do(t, alone)
	if strings.Count(m.log(t), "show -p InvocationID") != 2 { // when it has settled, and a second later
		t.Errorf("what no step watches is not seen to stay up:\n%s", m.log(t))
	}
}

// A unit is restarted along with one that it needs: that is no death, and it settles anew.
func TestUnitThatIsTakenAlongIsNotDead(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		after map[string]string // of the unit, when it is looked at
		then  map[string]string // a moment later
		dies  bool
	}{
		{"it starts again", map[string]string{"": "activating", ".invocation": "2"}, map[string]string{"": "active"}, false},
		{"its start waits", map[string]string{"": "inactive", ".Job": "77"}, map[string]string{"": "active", ".Job": "", ".invocation": "2"}, false},
		{"it was started again", map[string]string{".invocation": "2"}, nil, false},
		{"its number of restarts begins anew", map[string]string{".invocation": "2", ".restarts": "0"}, nil, false},
		{"it does not come back", map[string]string{"": "activating", ".invocation": "2"}, map[string]string{"": "failed"}, true},
		{"it dies, and tries again", map[string]string{"": "activating", ".SubState": "auto-restart"}, map[string]string{"": "active", ".SubState": "", ".invocation": "2", ".restarts": "4"}, true},
		{"it has died, and come back by itself", map[string]string{".invocation": "2", ".restarts": "4"}, nil, true},
		{"it is down", map[string]string{"": "inactive"}, nil, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			fakeSystemd(t, m)
			m.write(t, m.dir+"/units/x.service.restarts", "3")
			become := func(files map[string]string) {
				for _, suffix := range slices.Sorted(maps.Keys(files)) { // first its state, as systemd has it
					m.write(t, m.dir+"/units/x.service"+suffix, files[suffix])
				}
			}
			c := m.begin(t)
			c.do(t, recipe.ControlUnit{Unit: "x.service", Verb: recipe.VerbRestart, Watched: true})
			become(row.after)
			if row.then != nil {
				timer := time.AfterFunc(1300*time.Millisecond, func() { become(row.then) }) // behind the second of watching
				defer timer.Stop()
			}
			if row.dies {
				c.fails(t, recipe.Watch{Unit: "x.service"})
				return
			}
			c.do(t, recipe.Watch{Unit: "x.service"})
		})
	}
}

func TestCheckGoesBeforeTheUnit(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeSystemd(t, m)
	c := m.begin(t)
	checked := control(recipe.VerbRestart)
	checked.Check = "echo it is wrong; exit 1"
	failed := c.fails(t, checked)
	if !strings.Contains(failed.Output, "it is wrong\nx.timer: its check failed, and it was left alone") {
		t.Errorf("output %q", failed.Output)
	}
	if exists(m.dir+"/log") && strings.Contains(m.log(t), "restart") {
		t.Errorf("it was touched:\n%s", m.log(t))
	}
}

// A unit file that a dead run wrote is read by systemd before the next run restarts the unit.
func TestDaemonReloadSurvivesItsRun(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fakeSystemd(t, m)
	m.setup = "mkdir -p /var/lib/units && mount --bind /var/lib/units /etc/systemd/system || exit 99"
	if _, err := os.Stat("/etc/systemd/system"); err != nil {
		t.Skip("no /etc/systemd/system to mount over")
	}
	c := m.begin(t)
	c.do(t, file("/etc/systemd/system/x.service", "[Unit]\n"))
	c.kill(t)
	again := m.begin(t)
	again.do(t, control(recipe.VerbRestart))
	log := m.log(t)
	if strings.Count(log, "daemon-reload") != 1 || strings.Index(log, "daemon-reload") > strings.Index(log, "restart --") {
		t.Errorf("systemctl was told:\n%s", log)
	}
	stale := control(recipe.VerbRestart)
	stale.Found.NeedReload = true
	for _, step := range []recipe.Step{
		recipe.MakeLink{Path: "/etc/systemd/system/y.service", Target: "x.service"},
		recipe.Remove{Path: "/etc/systemd/system/y.service"}, stale,
	} {
		os.Remove(m.dir + "/log")
		again.do(t, step, control(recipe.VerbStop))
		if strings.Count(m.log(t), "daemon-reload") != 1 {
			t.Errorf("%s: systemctl was told:\n%s", step.Title(), m.log(t))
		}
	}
}
