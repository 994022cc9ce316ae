package run

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
)

// site is a task of a host that is drained, which writes down what is done in its order.
type site struct {
	m             *machine
	content       string
	drain, verify string // sh, after which is written down what was done
	undrain       string
	before        []recipe.Resource
}

func (s site) log(word, text string) string {
	return "echo \"" + word + "\" >>" + s.m.path("log") + "\n" + text
}

func (s site) hook(name, text string) Hook {
	script := recipe.Script{Name: name, Arguments: recipe.HookArguments(), Timeout: time.Minute, Text: s.log(name+" $host", text)}
	return Hook{Action: resource.Action{Script: script, Given: recipe.Values{"host": "here", "address": "192.0.2.1"}}}
}

func (s site) goes(t *testing.T) engine.Finished {
	t.Helper()
	return s.m.works(t, "install", Blueprint{Tasks: []recipe.Task{s.task()}, Drains: s.drains()}, Install)
}

func (s site) drains() []Drain {
	return []Drain{{Task: "site", Out: s.hook("drain", s.drain), In: s.hook("undrain", s.undrain)}}
}

func (s site) task() recipe.Task {
	write := resource.Command{Name: "write", Script: s.log("write", "echo "+s.content+" >"+s.m.path("site")), Unless: "grep -qsx " + s.content + " " + s.m.path("site"), Changes: []recipe.Key{}}
	task := taskOf("site", append(s.before, write)...)
	task.Verify = func(recipe.Input) ([]recipe.Check, error) {
		return []recipe.Check{{Name: "site", From: recipe.FromHost, Command: &recipe.CommandCheck{Script: s.log("verify", s.verify)}}}, nil
	}
	return task
}

// did is what was done since it was asked last.
func (s site) did(t *testing.T) string {
	t.Helper()
	did := strings.Join(strings.Fields(strings.ReplaceAll(s.m.read(t, "log"), " here", "")), " ")
	os.Remove(s.m.path("log"))
	return did
}

func (s site) isDrained() bool {
	marks, _ := os.ReadDir("/var/lib/provision/drained")
	return len(marks) > 0
}

// A host is drained before its first change and brought back after its proof; not where it has nothing yet,
// nor where nothing changes. One that is left broken stays drained, until a run finds it well, whoever's.
func TestHostIsDrainedAroundItsChange(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":"}
		steps := []struct {
			name    string
			change  func()
			status  engine.Status
			did     string
			drained bool
		}{
			{"a bare host", func() {}, engine.StatusChanged, "write verify", false},
			{"nothing to change", func() {}, engine.StatusSame, "", false},
			{"a change", func() { s.content = "2" }, engine.StatusChanged, "drain write verify undrain", false},
			{"a hook fails", func() { s.content, s.drain = "3", "exit 7" }, engine.StatusFailed, "drain undrain", false},
			{"its checks fail", func() { s.drain, s.verify = ":", "false" }, engine.StatusFailed, "drain write verify", true},
			{"they fail still", func() {}, engine.StatusFailed, "drain verify", true},
			{"they fail, and a hook does", func() { s.drain = "exit 7" }, engine.StatusFailed, "drain verify", true},
			{"it is well again", func() { s.drain, s.verify = ":", ":" }, engine.StatusSame, "drain verify undrain", false},
			{"a step fails, and it serves", func() {
				s.content, s.before = "4", []recipe.Resource{resource.Command{Name: "fail", Script: "false", Unless: "false", Changes: []recipe.Key{}}}
			}, engine.StatusFailed, "drain verify undrain", false},
			{"a step fails, and it does not", func() { s.verify = "false" }, engine.StatusFailed, "drain verify", true},
			{"all is well", func() { s.verify, s.before = ":", nil }, engine.StatusChanged, "drain write verify undrain", false},
		}
		for _, step := range steps {
			step.change()
			ended := s.goes(t)
			if did := s.did(t); ended.Status != step.status || did != step.did || s.isDrained() != step.drained || ended.Drained != step.drained {
				t.Errorf("%s: %s: %v; did %q, want %q; drained %v, %v", step.name, ended.Status, ended.Err, did, step.did, s.isDrained(), ended.Drained)
			}
		}
		s.content = "another"
		s.verify = "rm -r /var/lib/provision/drained" // somebody's hand: nobody else brings it back
		if ended := s.goes(t); ended.Status != engine.StatusChanged || s.did(t) != "drain write verify undrain" {
			t.Errorf("without its mark: %+v", ended)
		}
		s.verify = ":"
		s.content, s.drain = "5", "echo closed >&2; exit 7"
		if ended := s.goes(t); ended.Err == nil || !strings.HasPrefix(ended.Err.Error(), "drain of site: exit status 7: closed") {
			t.Errorf("a hook that fails: %v", ended.Err)
		}
	})
}

// A run that dies while its host is drained leaves it drained, which the next one is told and makes good.
func TestDrainedByARunThatDied(t *testing.T) {
	onMachine(t, func(m *machine) {
		s := site{m: m, content: "1", drain: ":", verify: ":"}
		is(t, s.goes(t), engine.StatusChanged)
		s.did(t)
		m.killedWhen(t, "grep -q 2 "+m.path("site"))
		s.content = "2"
		if ended := s.goes(t); ended.Err == nil || !ended.Drained || !s.isDrained() {
			t.Errorf("%+v", ended)
		}
		m.survives(t)
		if did := s.did(t); did != "drain write" {
			t.Errorf("the run that died: %s", did)
		}
		is(t, s.goes(t), engine.StatusSame)
		if did := s.did(t); did != "drain verify undrain" || s.isDrained() || !strings.Contains(m.told.String(), "a run has left it drained") {
			t.Errorf("the next one: %s, told %s", did, m.told.String())
		}
		// What was not announced is not done, and the host is as before.
		s.before = []recipe.Resource{resource.File{Path: m.path("conf"), Content: "ours\n"}}
		m.asked, m.before = true, func() { m.write(t, m.path("conf"), "ours\n", 0o600) } // another step than is planned
		is(t, s.goes(t), engine.StatusStale)
		if did := s.did(t); did != "drain undrain" || s.isDrained() {
			t.Errorf("stale: %s", did)
		}
	})
}

// A hook that no signal ends, as one that hangs in the kernel, is not waited for. Here it is timeout(1) that hangs.
func TestHookThatDoesNotEnd(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, as which hooks are run")
	}
	connection, err := remote.Local(remote.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	noted := t.TempDir() + "/timeout"
	hook := Hook{Action: resource.Action{Script: recipe.Script{Name: "drain", Timeout: time.Second, Text: "echo $PPID >" + noted + "\nkill -STOP $PPID"}}}
	defer func() {
		pid, _ := os.ReadFile(noted)
		if number, err := strconv.Atoi(strings.TrimSpace(string(pid))); err == nil {
			syscall.Kill(number, syscall.SIGKILL)
		}
	}()
	err = failedHook("drain of site, on lb", hook.run(t.Context(), connection, time.Millisecond))
	if want := "drain of site, on lb: was killed after 1s, and does not end: it hangs there"; err.Error() != want || !strings.Contains(Hint(err, "web1"), "ps -eo pid,stat") || status(err, "") != engine.StatusFailed {
		t.Errorf("%v; hint %q", err, Hint(err, "web1"))
	}
}

// What a hook prints may have a secret of its task in it, which may be none of the run's.
func TestSecretsOfHooksAreKnown(t *testing.T) {
	hook := Hook{Action: resource.Action{Values: recipe.Values{"password": recipe.NewSecret("correct horse")}}}
	if known := (Blueprint{Drains: []Drain{{Task: "serving", Out: hook, In: hook}}}).Secrets(); !slices.Contains(known, "correct horse") {
		t.Errorf("known: %q", known)
	}
}
