package acceptance

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/lab"
	"provision/internal/lab/labtest"
	"provision/internal/recipe"
	want "provision/internal/resource"
)

// The connection drops while a step is under way: its outcome is unknown, the host is asked
// again over a new connection, and a rerun does what is left.
func TestFault01DropInMidApply(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf01")
	relay, err := lab.NewRelay(f.Address.String()+":22", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	over := f.through(relay.Address())
	resources := []recipe.Resource{
		want.File{Path: "/etc/first", Content: "1\n"}, once("take long", "sleep 3"), want.File{Path: "/etc/last", Content: "2\n"},
	}
	cut := at("take long", func() { time.AfterFunc(500*time.Millisecond, relay.Cut) })
	dropped := over.install(t, change{on: cut}, resources...).is(t, engine.StatusUnreachable)
	dropped.says(t, "take long: outcome unknown")
	if !dropped.noted("connected again: 3 of 4 left to do: command:take long, file:/etc/last, memory:fault") {
		t.Errorf("notes %q", dropped.notes)
	}
	again := over.install(t, change{patience: 2 * time.Minute}, resources...).is(t, engine.StatusChanged)
	if !again.noted("run 000001 on this host died before its end; this one picks up") {
		t.Errorf("notes %q", again.notes)
	}
	over.install(t, change{}, resources...).is(t, engine.StatusSame)
	f.clean(t)
}

// The controller is gone in the middle of an upload: the file at the destination is the old
// one, and what had arrived is swept, also when the next run brings another file.
func TestFault02UploadStopsHalfway(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf02")
	f.run(t, "mkdir /opt/app && echo old >/opt/app/app && chmod 755 /opt/app/app")
	relay, err := lab.NewRelay(f.Address.String()+":22", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	over := f.through(relay.Address())
	artifact := func(fill string) want.Artifact {
		content := []byte(strings.Repeat(fill, 20<<20))
		path := filepath.Join(t.TempDir(), "app")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return want.Artifact{Path: "/opt/app/app", Artifact: recipe.Artifact{Source: path, Size: int64(len(content)), SHA256: recipe.Digest(content)}}
	}
	half, whole := artifact("1"), artifact("2")
	var first sync.Once
	halfway := func(event engine.Event) {
		if progress, ok := event.(engine.Progress); ok && progress.Done > 8<<20 {
			first.Do(relay.Cut)
		}
	}
	over.install(t, change{on: halfway}, half).is(t, engine.StatusUnreachable)
	if got := f.read(t, "/opt/app/app"); got != "old\n" {
		t.Errorf("the destination holds %d bytes of something else", len(got))
	}
	if left := f.run(t, "stat -c %s /var/lib/provision/uploads/"+half.Artifact.SHA256); left == "0\n" {
		t.Errorf("nothing had arrived: %q", left)
	}
	over.install(t, change{patience: 2 * time.Minute}, whole).is(t, engine.StatusChanged)
	if got := f.read(t, "/opt/app/app"); len(got) != 20<<20 || got[0] != '2' {
		t.Errorf("the destination holds %d bytes", len(got))
	}
	f.clean(t)
}

// The run dies between a file and the restart that the file asks for: the journal names the
// step, and the rerun restarts the service, though the file is as it should be.
func TestFault03KilledBeforeTheRestart(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf03")
	wanted := func(content string, command want.Command) func(r *recipe.Recipe) {
		return func(r *recipe.Recipe) {
			r.Add(want.File{Path: "/etc/systemd/system/fault.service", Content: simpleUnit}, recipe.Notification{Unit: "fault.service", Action: recipe.Restart})
			r.Add(want.File{Path: "/etc/fault.conf", Content: content}, recipe.Notification{Unit: "fault.service", Action: recipe.Restart})
			r.Add(command)
			r.Add(want.Service{Unit: "fault.service"})
		}
	}
	f.build(t, change{}, wanted("1\n", once("nothing", ":"))).is(t, engine.StatusChanged)
	before := f.mainPIDs(t, "fault.service")["fault.service"]
	// The runner dies as of a kill -9; what it started goes with it.
	kill := at("wait", func() {
		f.run(t, `until for p in /proc/[0-9]*; do [ "$(readlink $p/fd/9)" = /var/lib/provision/lock ] && grep -qsx sleep $p/comm && break; done; do sleep 0.1; done
for p in /proc/[0-9]*; do grep -qs provision/lock $p/fdinfo/9 2>/dev/null; [ "$(readlink $p/fd/9)" = /var/lib/provision/lock ] && kill -9 ${p#/proc/}; done; :`)
	})
	killed := f.build(t, change{on: kill}, wanted("2\n", once("wait", "sleep 30")))
	if killed.Status == engine.StatusChanged {
		t.Fatal("the run lived")
	}
	killed.says(t, "wait: outcome unknown")
	if log := f.read(t, "/var/lib/provision/runs/000002/journal"); !strings.Contains(log, `"title":"wait"`) || strings.Contains(log, `"finish"`) {
		t.Errorf("journal:\n%s", log)
	}
	if f.read(t, "/etc/fault.conf") != "2\n" || f.mainPIDs(t, "fault.service")["fault.service"] != before {
		t.Fatal("it died at another moment")
	}
	again := f.build(t, change{}, wanted("2\n", once("nothing", ":"))).is(t, engine.StatusChanged)
	if !again.noted("run 000002 on this host died before its end; this one picks up") {
		t.Errorf("notes %q", again.notes)
	}
	if f.mainPIDs(t, "fault.service")["fault.service"] == before {
		t.Error("the service was not restarted")
	}
	restart := again.plan.Changes()[0]
	if restart.Item.Resource.ID() != "service:fault.service" || restart.Change.Summary != "restart: to take in what changed" || again.Changed != 2 { // and what the host remembers
		t.Errorf("the rerun said %s %+v, and changed %d", restart.Item.Resource.ID(), restart.Change, again.Changed)
	}
	f.clean(t)
}

// The host reboots in mid-run.
func TestFault11Reboot(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf11")
	boot := func() string { return strings.TrimSpace(f.run(t, "cat /proc/sys/kernel/random/boot_id")) }
	before := boot()
	resources := []recipe.Resource{once("reboot", "systemctl reboot; sleep 60"), want.File{Path: "/etc/last", Content: "x\n"}}
	rebooted := f.install(t, change{}, resources...).is(t, engine.StatusUnreachable)
	rebooted.says(t, "reboot: outcome unknown")
	if boot() == before {
		t.Fatal("it did not reboot")
	}
	if !rebooted.noted("the host has rebooted") || !rebooted.noted("3 of 3 left to do") {
		t.Errorf("notes %q", rebooted.notes)
	}
	f.run(t, ": >/var/tmp/done-reboot")
	f.install(t, change{}, resources...).is(t, engine.StatusChanged)
	f.clean(t)
}

// A reboot takes longer than a lost connection is tried for: a port that is closed on a host
// that answers is waited for.
func TestFault11RebootThatTakesLong(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf11b")
	relay, err := lab.NewRelay(f.Address.String()+":22", 0)
	if err != nil {
		t.Fatal(err)
	}
	over := f.through(relay.Address())
	var down sync.WaitGroup
	shut := at("reboot", func() {
		down.Go(func() {
			relay.Close()
			time.Sleep(22 * time.Second)
			listener, err := net.Listen("tcp", relay.Address())
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { listener.Close() })
			go forward(listener, f.Address.String()+":22")
		})
	})
	late := over.install(t, change{on: shut}, once("reboot", "sleep 40"), want.File{Path: "/etc/last", Content: "x\n"}).is(t, engine.StatusUnreachable)
	down.Wait()
	if !late.noted("the host seems to reboot: waiting for it, up to 5 minutes") || !late.noted("connected again: 3 of 3 left to do: command:reboot, file:/etc/last, memory:fault") {
		t.Errorf("notes %q", late.notes)
	}
	if late.noted("the host has rebooted") {
		t.Error("it did not: only its port was closed")
	}
}

// forward passes connections on until the listener is closed.
func forward(listener net.Listener, target string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			continue
		}
		go func() {
			io.Copy(server, client)
			server.Close()
		}()
		go func() {
			io.Copy(client, server)
			client.Close()
		}()
	}
}

// Two runs on a host at once: the second waits, and says for whom; in vain it gives up.
func TestFault25TwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf25")
	var others, bothCame sync.WaitGroup
	bothCame.Add(2)
	var first sync.Once
	waits := func(event engine.Event) {
		if note, ok := event.(engine.Note); ok && strings.HasPrefix(note.Text, "waiting for the lock") {
			first.Do(bothCame.Done)
		}
	}
	begin := at("hold", func() {
		others.Go(func() {
			defer bothCame.Done()
			impatient := f.install(t, change{patience: time.Second}, want.File{Path: "/etc/second", Content: "x\n"})
			if impatient.Status != engine.StatusLocked || !strings.Contains(fmt.Sprint(impatient.Err), "held by tester@labf25 (install fault) since 20") {
				t.Errorf("impatient: %s, %v", impatient.Status, impatient.Err)
			}
		})
		others.Go(func() {
			defer first.Do(bothCame.Done)
			patient := f.install(t, change{patience: 5 * time.Minute, on: waits}, want.File{Path: "/etc/third", Content: "x\n"})
			if patient.Status != engine.StatusChanged || !patient.noted("waiting for the lock, held by tester@labf25 (install fault) since 20") {
				t.Errorf("patient: %s, %v, %q", patient.Status, patient.Err, patient.notes)
			}
		})
		others.Go(func() {
			bothCame.Wait()
			f.run(t, "touch /run/both-came")
		})
	})
	f.install(t, change{on: begin}, once("hold", "until [ -e /run/both-came ]; do sleep 0.1; done")).is(t, engine.StatusChanged)
	others.Wait()
	f.run(t, "rm /run/both-came")
	f.clean(t)
}

// An apt-get that outlives its connection keeps the lock until it ends, and a rerun says
// whose it is.
func TestFault25OrphanedAptKeepsTheLock(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf25b")
	f.feed(t, "cat >/usr/sbin/apt-get; chmod 755 /usr/sbin/apt-get", "#!/bin/sh\ncase \"$*\" in *netbase*) sleep 5 ;; esac\nexec /usr/bin/apt-get \"$@\"\n")
	relay, err := lab.NewRelay(f.Address.String()+":22", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	var first sync.Once
	cut := func(event engine.Event) {
		if began, ok := event.(engine.StepBegan); ok && strings.Contains(began.Title, "netbase") {
			first.Do(func() { time.AfterFunc(time.Second, relay.Cut) })
		}
	}
	over := f.through(relay.Address())
	over.install(t, change{on: cut}, want.Package{Name: "netbase"}).is(t, engine.StatusUnreachable).says(t, "netbase: outcome unknown")
	locked := f.install(t, change{patience: 0}, want.Package{Name: "netbase"}).is(t, engine.StatusLocked)
	locked.says(t, "held by tester@labf25b (install fault) since 20", "; at work: apt-get")
	again := f.install(t, change{patience: 5 * time.Minute}, want.Package{Name: "netbase"}, want.File{Path: "/etc/last", Content: "x\n"}).is(t, engine.StatusChanged)
	if !again.noted("waiting for the lock") || !again.noted("picks up") {
		t.Errorf("notes %q", again.notes)
	}
	f.clean(t)
}

// Ctrl-C once stops after the step that is under way, twice at once; both say what was done.
func TestFault37CtrlC(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	host := boot(t, l, "bookworm", "labf37")[0]
	for presses := 1; presses <= 2; presses++ {
		if err := l.Rewind(context.Background(), host.Name); err != nil {
			t.Fatal(err)
		}
		signals := slices.Repeat([]syscall.Signal{syscall.SIGINT}, presses)
		run := signalled(t, signals, "install nginx-light", "install", "nginx", "-y", "--json", "-H", host.Name)
		run.exits(t, 130)
		installed := strings.Contains(host.run(t, "dpkg-query -W -f '${db:Status-Abbrev}' nginx-light 2>&1 || :"), "ii")
		events := run.events(t)
		last := events[len(events)-2] // before the summary
		awaited := slices.ContainsFunc(of(events, "step_ended", ""), func(e event) bool { return strings.HasPrefix(e.Title, "install nginx-light") })
		if n := len(of(events, "changed", "")); n == 0 || last.Changed != n || last.Status != "interrupted" {
			t.Errorf("%d times: %s, %d of %d changes told", presses, last.Status, n, last.Changed)
		}
		if began := of(events, "step_began", ""); !strings.HasPrefix(began[len(began)-1].Title, "install nginx-light") {
			t.Errorf("%d times: went on to %q", presses, began[len(began)-1].Title)
		}
		if presses == 1 && (!installed || !awaited || !strings.Contains(run.stdout, "it goes on")) {
			t.Errorf("once: installed %v, and the step awaited %v\n%s", installed, awaited, tail(run.stdout, 2000))
		}
		if presses == 2 && (awaited || !strings.Contains(last.Error, "outcome unknown")) {
			t.Errorf("twice: the step awaited %v\n%s", awaited, tail(run.stdout, 2000))
		}
		provision(t, "install", "nginx", "-y", "-H", host.Name).exits(t, 0)
		provision(t, "plan", "nginx", "--detailed-exitcode", "-H", host.Name).exits(t, 0)
		if left := host.leftovers(t); len(left) > 0 {
			t.Errorf("%d times: left %q", presses, left)
		}
	}
}

// A terminal that is closed is a first Ctrl-C, and no second one, however often it is told. Who
// reads the output may go away: what was begun is done, and the exit code is the host's.
func TestFault45HangupAndLostOutput(t *testing.T) {
	t.Parallel()
	host := boot(t, labtest.Open(t), "bookworm", "labf45")[0]
	run := signalled(t, []syscall.Signal{syscall.SIGHUP, syscall.SIGHUP}, "install nginx-light", "install", "nginx", "-y", "--json", "-H", host.Name)
	run.exits(t, 130)
	events := run.events(t)
	if awaited := of(events, "step_ended", ""); !strings.HasPrefix(awaited[len(awaited)-1].Title, "install nginx-light") {
		t.Errorf("the step under way was not awaited\n%s", tail(run.stdout, 2000))
	}
	if last := events[len(events)-2]; last.Status != "interrupted" || last.Changed == 0 {
		t.Errorf("%s, %d changes told", last.Status, last.Changed)
	}
	c := command(t, "install", "nginx", "-y", "-v", "-H", host.Name)
	read, printed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = printed, printed
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	printed.Close()
	if _, err := bufio.NewReader(read).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	read.Close() // as when | head has its line
	if err := c.Wait(); err != nil {
		t.Errorf("without a reader: %v", err)
	}
	provision(t, "plan", "nginx", "--detailed-exitcode", "-H", host.Name).exits(t, 0)
}

// signalled runs the command, which prints JSON, and sends it signals when the step begins
// whose title begins so.
func signalled(t *testing.T, signals []syscall.Signal, step string, args ...string) ended {
	t.Helper()
	c := command(t, args...)
	var stderr strings.Builder
	c.Stderr = &stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	var sent time.Time
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		output.WriteString(lines.Text() + "\n")
		if !sent.IsZero() || !strings.Contains(lines.Text(), `"event":"step_began"`) || !strings.Contains(lines.Text(), `"title":"`+step) {
			continue
		}
		sent = time.Now()
		for _, signal := range signals {
			c.Process.Signal(signal)
			time.Sleep(300 * time.Millisecond)
		}
	}
	c.Wait()
	if sent.IsZero() {
		t.Fatalf("%s: no step %q\n%s\n%s", c, step, tail(output.String(), 3000), stderr.String())
	}
	t.Logf("%v: ended after %s", signals, time.Since(sent).Round(time.Millisecond))
	return ended{strings.Join(c.Args, " "), c.ProcessState.ExitCode(), output.String(), stderr.String()}
}
