package run

import (
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A host is brought back under its lock: another run, which waits for that, would drain it, and find it brought
// back in the middle of its changes.
func TestBroughtBackUnderTheLock(t *testing.T) {
	onMachine(t, func(m *machine) {
		first := site{m: m, content: "1", drain: ":", verify: ":", undrain: "sleep 1; echo back >>" + m.path("log")}
		is(t, first.goes(t), engine.StatusChanged)
		first.did(t)
		first.content = "2"
		second := first
		second.m, second.content = &machine{dir: m.dir, patience: time.Minute}, "3"
		ended := make(chan engine.Finished)
		go func() { ended <- first.goes(t) }()
		for !strings.Contains(m.read(t, "log"), "undrain") {
			time.Sleep(5 * time.Millisecond)
		}
		is(t, second.goes(t), engine.StatusChanged)
		is(t, <-ended, engine.StatusChanged)
		const once = "drain write verify undrain back"
		if did := first.did(t); did != once+" "+once || first.isDrained() {
			t.Errorf("did %q", did)
		}
	})
}

// A rollback drains as an install does. A host that was left drained is brought back where it is as it was when it
// served, and not where a run is taken back that came upon it drained.
func TestRollbackDrains(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":"}
		install := func(conf, verify string, status engine.Status) {
			t.Helper()
			s.verify, s.before = verify, []recipe.Resource{resource.File{Path: m.path("conf"), Content: conf}}
			is(t, s.goes(t), status)
			s.did(t)
		}
		rollback := func(status engine.Status, did, conf string, drained bool) {
			t.Helper()
			ended := m.works(t, "rollback", Blueprint{Drains: s.drains()}, Rollback("site"))
			is(t, ended, status)
			if found := s.did(t); found != did || m.read(t, "conf") != conf || s.isDrained() != drained || ended.Drained != drained {
				t.Errorf("did %q, conf is %q, drained %v, %v", found, m.read(t, "conf"), s.isDrained(), ended.Drained)
			}
		}
		install("one", ":", engine.StatusChanged)
		install("two", ":", engine.StatusChanged)
		rollback(engine.StatusChanged, "drain undrain", "one", false)
		install("broken", "false", engine.StatusFailed)
		install("broken too", "false", engine.StatusFailed)
		rollback(engine.StatusFailed, "drain", "broken", true)
		if !strings.Contains(m.told.String(), "has left it drained, and a later one is taken back: it stays drained") {
			t.Errorf("told %s", m.told.String())
		}
		rollback(engine.StatusChanged, "drain undrain", "one", false)
	})
}

// A removal drains, too. What it takes away is not brought back: it serves nobody any more, until the host has the
// task again.
func TestRemovalDrains(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":", before: []recipe.Resource{resource.File{Path: m.path("conf"), Content: "one"}}}
		is(t, s.goes(t), engine.StatusChanged)
		is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf("other", resource.File{Path: m.path("other"), Content: "x"})}}, Install), engine.StatusChanged)
		s.did(t)

		beside := Blueprint{Removes: named("other"), Remaining: []recipe.Task{s.task()}, Drains: s.drains()}
		is(t, m.works(t, "remove", beside, Install), engine.StatusChanged)
		if did := s.did(t); did != "drain verify undrain" || s.isDrained() || m.read(t, "other") != "" {
			t.Errorf("another task is removed: did %q, drained %v", did, s.isDrained())
		}
		ended := m.works(t, "remove", Blueprint{Removes: named("site"), Drains: s.drains()}, Install)
		is(t, ended, engine.StatusChanged)
		if did := s.did(t); did != "drain" || !s.isDrained() || ended.Drained || m.read(t, "conf") != "" || !strings.Contains(m.told.String(), "stays out of service: site is removed") {
			t.Errorf("its task is removed: did %q, drained %v, %v, told %s", did, s.isDrained(), ended.Drained, m.told.String())
		}
		is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf("other", resource.File{Path: m.path("other"), Content: "x"})}}, Install), engine.StatusChanged)
		if strings.Contains(m.told.String(), "drained") {
			t.Errorf("what is removed is told of: %s", m.told.String())
		}
		is(t, s.goes(t), engine.StatusChanged)
		if did := s.did(t); did != "drain verify undrain" || s.isDrained() {
			t.Errorf("it has its task again: did %q, drained %v", did, s.isDrained())
		}
	})
}

// A host whose task was taken from the inventory while it was drained is told of by every run, with what brings it
// back.
func TestDrainedByATaskThatIsGone(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":"}
		is(t, s.goes(t), engine.StatusChanged)
		s.content, s.verify = "2", "false"
		is(t, s.goes(t), engine.StatusFailed)
		other := Blueprint{Tasks: []recipe.Task{taskOf("other", resource.File{Path: m.path("other"), Content: "x"})}, Host: recipe.Listed{Name: "web1"}}
		renamed := s.drains()
		renamed[0].Task, renamed[0].Formerly = "shop", []string{"site"}
		const want = "is still drained by site, since run 000002, and has that task no more: provision install site -l web1 brings it back"
		for name, ended := range map[string]engine.Finished{"drift": m.works(t, "drift", other, Drift), "plan": m.works(t, "plan", other, Plan), "install": m.works(t, "install", other, Install)} {
			if is(t, ended, engine.StatusPending, engine.StatusChanged); !strings.Contains(m.told.String(), want) {
				t.Errorf("%s: told %s", name, m.told.String())
			}
		}
		s.did(t)
		s.verify = ":"
		is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{s.task()}, Drains: renamed}, Install), engine.StatusSame)
		if did := s.did(t); did != "drain verify undrain" || s.isDrained() {
			t.Errorf("its task has another name: did %q, drained %v", did, s.isDrained())
		}
		if _, err := os.Stat("/var/lib/provision/drained"); err != nil {
			t.Error(err)
		}
	})
}

// What builds before the first release noted of a drained host, in a file and without the task, is what is noted now.
func TestDrainedByAnEarlierBuild(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":"}
		is(t, s.goes(t), engine.StatusChanged)
		s.did(t)
		for _, noted := range []string{"000001\n", ""} {
			m.write(t, drainedMarks, noted, 0o644)
			other := Blueprint{Tasks: []recipe.Task{taskOf("other", resource.File{Path: m.path("other"), Content: "x"})}, Host: recipe.Listed{Name: "web1"}}
			m.works(t, "plan", other, Plan)
			if told := m.told.String(); !strings.Contains(told, "an install of that one does, and provision exec -l web1 -- rm /var/lib/provision/drained where there is none") {
				t.Errorf("%q: told %s", noted, told)
			}
			s.verify = "false"
			is(t, s.goes(t), engine.StatusFailed)
			if did := s.did(t); did != "drain verify" || noted != "" && m.remembered(t, "drained/site") != noted {
				t.Errorf("%q: did %q, noted %q", noted, did, m.remembered(t, "drained/site"))
			}
			s.verify = ":"
			is(t, s.goes(t), engine.StatusSame)
			if did := s.did(t); did != "drain verify undrain" || s.isDrained() {
				t.Errorf("%q: did %q, drained %v", noted, did, s.isDrained())
			}
			os.Remove(drainedMarks)
		}
	})
}

// An action that interrupts what its host serves drains it, and its tasks' checks bring it back; where it fails, too.
// Another action drains nobody, and says nothing of a host that is drained.
func TestActionDrains(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":"}
		is(t, s.goes(t), engine.StatusChanged)
		s.did(t)
		for _, test := range []struct {
			name, action, verify string
			drains               bool
			status               engine.Status
			did                  string
			drained              bool
		}{
			{"it interrupts", ":", ":", true, engine.StatusDone, "drain act verify undrain", false},
			{"it fails", "exit 3", ":", true, engine.StatusFailed, "drain act verify undrain", false},
			{"it interrupts nothing", ":", ":", false, engine.StatusDone, "act", false},
			{"it breaks the host", ":", "false", true, engine.StatusFailed, "drain act verify", true},
			{"it interrupts nothing, on a host that is drained", ":", ":", false, engine.StatusDone, "act", true},
			{"it mends the host", ":", ":", true, engine.StatusDone, "drain act verify undrain", false},
		} {
			s.verify = test.verify
			blueprint := Blueprint{Action: &resource.Action{Script: recipe.Script{Name: "act", Text: s.log("act", test.action)}}, ActionOf: recipe.Task{Name: "site"}}
			if test.drains {
				blueprint.Drains, blueprint.Remaining = s.drains(), []recipe.Task{s.task()}
			}
			ended := m.works(t, "do site act", blueprint, Do)
			if did := s.did(t); ended.Status != test.status || did != test.did || s.isDrained() != test.drained || ended.Drained != (test.drained && test.drains) {
				t.Errorf("%s: %s: %v; did %q; drained %v, %v", test.name, ended.Status, ended.Err, did, s.isDrained(), ended.Drained)
			}
			if told := m.told.String(); !test.drains && strings.Contains(told, "drained") {
				t.Errorf("%s: told %s", test.name, told)
			}
		}
	})
}

// Who presses Ctrl-C while a host is drained for an action has it brought back, and the action not run.
func TestInterruptedBeforeAnAction(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":"}
		is(t, s.goes(t), engine.StatusChanged)
		s.did(t)
		blueprint := Blueprint{Action: &resource.Action{Script: recipe.Script{Name: "act", Text: s.log("act", ":")}}, ActionOf: recipe.Task{Name: "site"}, Drains: s.drains(), Remaining: []recipe.Task{s.task()}}
		stop := make(chan struct{})
		settings := Settings{Forks: 1, Stop: stop, Observe: func(e engine.HostEvent) {
			if note, ok := e.Event.(engine.Note); ok && note.Text == "drained" {
				close(stop)
			}
		}}
		settings.Header.Verb = "do site act"
		results, err := Do(t.Context(), []Work{{Target: Target{Name: "here", Local: true}, Blueprint: blueprint}}, settings)
		if err != nil {
			t.Fatal(err)
		}
		is(t, results[0].Finished, engine.StatusInterrupted)
		if did := s.did(t); did != "drain undrain" || s.isDrained() {
			t.Errorf("did %q, drained %v", did, s.isDrained())
		}
	})
}

// Of several marks the first run counts, and one of a task that was removed none.
func TestSinceWhenAHostIsDrained(t *testing.T) {
	b := Blueprint{Drains: []Drain{{Task: "a"}, {Task: "b"}, {Task: "c"}}}
	for said, want := range map[string]string{"": "", "drained a 000007\ndrained b 000005\ndrained c \nserves\n": "000005", "drained a \n": "", "drained other 000001\ndrained c 000009\n": "000009"} {
		var plan engine.Plan
		b.serves(&plan, recipe.Facts{serving().Key: {Value: recipe.Command{Output: said}}})
		if plan.DrainedSince != want || plan.Drained != (said != "") {
			t.Errorf("%q: drained %v, since %q, want %q", said, plan.Drained, plan.DrainedSince, want)
		}
	}
}
