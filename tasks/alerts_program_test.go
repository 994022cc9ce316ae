package tasks

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/templates"
)

// alertsTrial is what monit runs on a host, here beside a Graphite that answers with what a test says.
type alertsTrial struct {
	t      *testing.T
	folder string
	config map[string]any

	in  io.Writer
	out *bufio.Reader

	mu     sync.Mutex
	answer string // to /render, or a status
}

func newAlertsTrial(t *testing.T, rules ...map[string]string) *alertsTrial {
	t.Helper()
	p := &alertsTrial{t: t, folder: t.TempDir(), answer: "[]"}
	for name, template := range alertsModules() {
		text, err := templates.Render(template, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.folder, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(p.render))
	t.Cleanup(server.Close)
	for _, folder := range []string{"state", "restarts", "verifies"} {
		if err := os.Mkdir(filepath.Join(p.folder, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	all := []alertRule{}
	for _, raw := range rules {
		all = append(all, newAlertRule(raw))
	}
	p.config = map[string]any{
		"url": server.URL, "own": true, "user": "", "password_file": "", "ca_file": "", "graphs": "http://graphite.example.org",
		"interval": 0, "cycles": "2", "remind_hours": 0, "restarts_at_most": 3, "watches_graphite": true, "journal": false, "mail": nil,
		"state": p.folder + "/state", "restarts": p.folder + "/restarts", "verifies": p.folder + "/verifies",
		"command": `{ echo "told: $ALERT_STATE $ALERT_NAME"; cat; } >>` + p.folder + `/told`, "rules": all, "services": []any{},
	}
	p.start()
	return p
}

func (p *alertsTrial) render(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(p.answer, "[") {
		fmt.Fprint(w, p.answer)
		return
	}
	http.Error(w, p.answer, http.StatusBadGateway)
}

// has lets Graphite have a series of these values; nil is none.
func (p *alertsTrial) has(values ...any) {
	var points [][]any
	for i, value := range values {
		points = append(points, []any{value, 1700000000 + 10*i})
	}
	text, _ := json.Marshal([]any{map[string]any{"target": "load", "datapoints": points}})
	p.says(string(text))
}

func (p *alertsTrial) says(answer string) {
	p.mu.Lock()
	p.answer = answer
	p.mu.Unlock()
}

// driver runs the program's commands one after the other in one Python, for its start is slow: a line of words,
// and the answer ends with the exit status behind a NUL.
const driver = `
import contextlib, importlib.machinery, importlib.util, io, json, os, sys, traceback
sys.dont_write_bytecode = True
os.umask(0o027) # as monit has it
loader = importlib.machinery.SourceFileLoader("alerts", sys.argv[1])
alerts = importlib.util.module_from_spec(importlib.util.spec_from_loader("alerts", loader))
loader.exec_module(alerts)
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = alerts.main(json.loads(line))
        except SystemExit as end:
            status = 1
            print(end)
        except BaseException:
            status = 1
            traceback.print_exc()
    print(said.getvalue() + "\0" + str(status), flush=True)
`

func (p *alertsTrial) start() {
	p.t.Helper()
	command := exec.CommandContext(p.t.Context(), "python3", "-c", driver, filepath.Join(p.folder, "alerts"))
	command.Env = append(os.Environ(), "PATH="+p.folder+":"+os.Getenv("PATH"))
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	p.t.Cleanup(func() {
		in.Close()
		command.Wait()
	})
}

// runs runs a command of the program, and returns what it prints and its exit status.
func (p *alertsTrial) runs(words ...string) (string, int) {
	p.t.Helper()
	text, err := json.Marshal(p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	config := filepath.Join(p.folder, "alerts.json")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	line, err := json.Marshal(append([]string{"--config", config}, words...))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.t.Fatal(err)
	}
	output, err := p.out.ReadString(0)
	if err != nil {
		p.t.Fatalf("%s: %v: %s", words, err, output)
	}
	status, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	if strings.Contains(output, "Traceback") {
		p.t.Errorf("%s: %s", words, output)
	}
	exit, err := strconv.Atoi(strings.TrimSpace(status))
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSuffix(output, "\x00"), exit
}

// told is what the command was told since it was asked last.
func (p *alertsTrial) told() string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.folder, "told"))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	os.Remove(filepath.Join(p.folder, "told"))
	return string(text)
}

// cycle is what monit does in one: a check of the rule, and a tell. It returns the first lines of the messages.
func (p *alertsTrial) cycle(rule string) (exit int, told []string) {
	p.t.Helper()
	_, exit = p.runs("check", rule)
	p.runs("tell")
	for line := range strings.Lines(p.told()) {
		if state, is := strings.CutSuffix(strings.TrimSpace(line), " "+rule); is && strings.HasPrefix(state, "told: ") {
			told = append(told, strings.TrimPrefix(state, "told: "))
		}
	}
	return exit, told
}

func TestAlertsJudgement(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	for name, test := range map[string]struct {
		rule map[string]string
		has  []any
		exit int
		says string
	}{
		"last, above":               {map[string]string{"critical": "10"}, []any{99, 99, 5, nil}, 0, "5 (last of 5min), critical above 10"},
		"at the limit is not above": {map[string]string{"critical": "10"}, []any{10}, 0, "10 (last"},
		"warning":                   {map[string]string{"warn": "8", "critical": "10"}, []any{9}, 1, "warning above 8"},
		"critical":                  {map[string]string{"warn": "8", "critical": "10"}, []any{10.5}, 2, "10.5 (last of 5min), critical above 10"},
		"below":                     {map[string]string{"warn": "8", "critical": "5", "direction": "below"}, []any{4}, 2, "critical below 5"},
		"below a negative":          {map[string]string{"critical": "-5", "direction": "below"}, []any{-6}, 2, "critical below -5"},
		"average":                   {map[string]string{"critical": "10", "function": "avg"}, []any{5, nil, 17}, 2, "11 (avg"},
		"maximum":                   {map[string]string{"critical": "10", "function": "max"}, []any{11, 1}, 2, "11 (max"},
		"minimum":                   {map[string]string{"critical": "10", "function": "min"}, []any{11, 1}, 0, "1 (min"},
		"3 of 5, two are":           {map[string]string{"critical": "10", "function": "3 of 5"}, []any{99, 99, 1, 1, 20, 1, 20}, 0, "1 (3 of 5"},
		"3 of 5, three are":         {map[string]string{"critical": "10", "function": "3 of 5"}, []any{1, 11, 1, 20, 1, 30}, 2, "11 (3 of 5"},
		"3 of 5, below":             {map[string]string{"critical": "10", "function": "3 of 5", "direction": "below"}, []any{20, 1, 2, 20, 3}, 2, "3 (3 of 5"},
		"3 of 5, of two points":     {map[string]string{"critical": "10", "function": "3 of 5"}, []any{99, 99}, 3, "no points in the last 5min that are enough"},
		"no data":                   {map[string]string{"critical": "10"}, []any{nil, nil}, 3, "no points in the last 5min"},
		"no series":                 {map[string]string{"critical": "10"}, nil, 3, "no points"},
		"no data, which is well":    {map[string]string{"critical": "10", "no_data": "ok"}, []any{nil}, 0, "no points"},
	} {
		test.rule["name"], test.rule["target"], test.rule["cycles"] = "load", "load", "1"
		p.config["rules"] = []alertRule{newAlertRule(test.rule)}
		p.says("[]")
		if test.has != nil {
			p.has(test.has...)
		}
		os.Remove(p.folder + "/state/rule-load.json")
		if said, exit := p.runs("check", "load"); exit != test.exit || !strings.Contains(said, test.says) {
			t.Errorf("%s: exit status %d, want %d: %q, want %q in it", name, exit, test.exit, said, test.says)
		}
	}
}

// carbon takes inf from whoever sends it: that is beyond a limit, is told, and keeps nothing else from being told.
func TestAlertsReckonWithInfinity(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	p.says(`[{"target": "load", "datapoints": [[1, 1], [-1e9999, 2], [NaN, 3], [1e9999, 4]]}]`)
	said, exit := p.runs("check", "load")
	if exit != 2 || !strings.Contains(said, "1e+300 (last of 5min), critical above 10") {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	if told := p.told(); !strings.Contains(told, "told: critical load") {
		t.Errorf("it tells %q", told)
	}
	if said, exit := p.runs("test", "load"); exit != 0 || !strings.Contains(said, "says critical") {
		t.Errorf("test: %d %s", exit, said)
	}
}

// Of several series the worst counts, and is named.
func TestAlertsNameTheWorstSeries(t *testing.T) {
	p := newAlertsTrial(t, map[string]string{"name": "disk", "target": "servers.*.disk", "critical": "90", "cycles": "1"})
	p.says(`[{"target": "a", "datapoints": [[50, 1]]}, {"target": "b", "datapoints": [[95, 1]]}, {"target": "c", "datapoints": [[91, 1]]}]`)
	if said, exit := p.runs("check", "disk"); exit != 2 || !strings.Contains(said, "critical: b: 95") {
		t.Errorf("%d %s", exit, said)
	}
}

// The seed's complaint: a flood of alerts. A state is told once, however long it lasts; one odd point tells nothing,
// nor does what goes up and down at its limit.
func TestAlertsDoNotFlood(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "2"})
	var told []string
	for i, value := range []any{1, 99, 1, 99, 1, 99, 99, 99, 99, 1, 99, 99, 1, 99, 1, 1, 1, 1} {
		p.has(value)
		_, now := p.cycle("load")
		for _, state := range now {
			told = append(told, fmt.Sprintf("%d %s", i, state))
		}
	}
	if got, want := strings.Join(told, ", "), "6 critical, 15 ok"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

// What goes up and down all the time is told six times, and then what it is when an hour is over.
func TestAlertsOfWhatFlapsAreBounded(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	count := 0
	for i := range 20 {
		p.has([]any{99, 1}[i%2])
		_, told := p.cycle("load")
		count += len(told)
	}
	if count != 6 {
		t.Errorf("told %d times", count)
	}
	p.has(99)
	p.runs("check", "load")
	p.ages("told-load", "told-rule-load.json", 2*time.Hour)
	if _, told := p.cycle("load"); len(told) != 1 || told[0] != "critical" {
		t.Errorf("after two hours it is told %q", told)
	}
}

// ages makes the times of what was told older.
func (p *alertsTrial) ages(what, file string, by time.Duration) {
	p.t.Helper()
	path := filepath.Join(p.folder, "state", file)
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	told := map[string]map[string]any{}
	if err := json.Unmarshal(text, &told); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	for _, way := range told {
		way["at"] = way["at"].(float64) - by.Seconds()
		for i, at := range way["sent"].([]any) {
			way["sent"].([]any)[i] = at.(float64) - by.Seconds()
		}
	}
	if text, err = json.Marshal(told); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// The seed's complaint: silence where no data comes.
func TestAlertsTellWhenNoDataComes(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "2"})
	p.has(1)
	p.cycle("load")
	p.has(nil, nil)
	p.cycle("load")
	exit, told := p.cycle("load")
	if exit != 3 || len(told) != 1 || told[0] != "no data" {
		t.Errorf("exit status %d, told %q", exit, told)
	}
}

// The seed's complaint: an alert that never recovers. What was told is taken back, also where the first try to
// tell failed, and where it got better by way of a warning.
func TestAlertsRecover(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "warn": "5", "critical": "10", "cycles": "1"})
	working := p.config["command"]
	for i, step := range []struct {
		value any
		fails bool
		told  string
	}{{99, true, ""}, {99, false, "critical"}, {7, false, "warning"}, {1, true, ""}, {1, false, "ok"}, {1, false, ""}} {
		p.has(step.value)
		p.config["command"] = working
		if step.fails {
			p.config["command"] = "echo no way >&2; exit 1"
			p.runs("check", "load")
			if said, exit := p.runs("tell"); exit != 1 || !strings.Contains(said, "command: exit status 1: no way") {
				t.Errorf("%d: what cannot be told is not said: %d %s", i, exit, said)
			}
			continue
		}
		if _, told := p.cycle("load"); strings.Join(told, " ") != step.told {
			t.Errorf("%d: told %q, want %q", i, told, step.told)
		}
	}
}

// A Graphite that does not answer is told once, by its own check, and the rules keep what they were in.
func TestAlertsWithoutGraphite(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	p.has(99)
	p.cycle("load")
	p.says("down")
	if exit, told := p.cycle("load"); exit != 2 || len(told) != 0 {
		t.Errorf("exit status %d, told %q", exit, told)
	}
	p.runs("graphite")
	if said, exit := p.runs("graphite"); exit != 2 || !strings.Contains(said, "does not answer") || !strings.Contains(said, "HTTP 502") {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	if told := p.told(); !strings.HasPrefix(told, "told: critical graphite\n") || !strings.Contains(told, "Until it answers no rule is looked at") {
		t.Errorf("told %q", told)
	}
}

func TestAlertsRemind(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	p.config["remind_hours"] = 4
	p.has(99)
	for _, step := range []struct {
		ages time.Duration
		told int
	}{{0, 1}, {3 * time.Hour, 0}, {2 * time.Hour, 1}, {0, 0}} {
		if step.ages > 0 {
			p.ages("told-load", "told-rule-load.json", step.ages)
		}
		if _, told := p.cycle("load"); len(told) != step.told {
			t.Errorf("after %s it is told %q", step.ages, told)
		}
	}
}

// What is told at 3 a.m.: what, since when, value, limit, graph, and what to do.
func TestAlertsMessage(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "servers.db1.load", "warn": "5", "critical": "10", "cycles": "1", "help": "See who computes."})
	p.has(1, 2, 12)
	p.runs("check", "load")
	p.runs("tell")
	told := p.told()
	for _, want := range []string{
		"told: critical load\n", ": critical\n", "what    12 (last of 5min), critical above 10\n", "series  load\n", " s ago\n",
		"rule    last of servers.db1.load in 5min; warning above 5, critical above 10\n",
		"graph   http://graphite.example.org/render?target=servers.db1.load&target=threshold%2810%2C%22warning", "points  ▂▂█  load\n", "What to do: See who computes.\n",
	} {
		want = strings.Replace(want, "threshold%2810%2C%22warning", "threshold%285%2C%22warning", 1)
		if !strings.Contains(told, want) {
			t.Errorf("it does not tell %q:\n%s", want, told)
		}
	}
}

// Alerts that come together are one mail.
func TestAlertsMailIsOne(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "a", "target": "a", "critical": "10", "cycles": "1"}, map[string]string{"name": "b", "target": "b", "warn": "10", "cycles": "1"})
	p.config["mail"] = map[string]any{"to": []string{"ops@example.org", "me@example.org"}, "from": "alerts@example.org", "msmtprc": "/etc/msmtprc"}
	msmtp := "#!/bin/sh\necho \"$@\" >>" + p.folder + "/args\ncat >>" + p.folder + "/mails\n"
	if err := os.WriteFile(filepath.Join(p.folder, "msmtp"), []byte(msmtp), 0o755); err != nil {
		t.Fatal(err)
	}
	p.has(99)
	p.runs("check", "a")
	p.runs("check", "b")
	p.runs("tell")
	p.runs("tell")
	mails, err := os.ReadFile(filepath.Join(p.folder, "mails"))
	if err != nil {
		t.Fatal(err)
	}
	args, _ := os.ReadFile(filepath.Join(p.folder, "args"))
	if got, want := string(args), "--file=/etc/msmtprc --from=alerts@example.org -- ops@example.org me@example.org\n"; got != want {
		t.Errorf("msmtp %q, want %q", got, want)
	}
	if text := string(mails); strings.Count(text, "\nSubject: 2 alerts on ") != 1 || !strings.Contains(text, "critical a, warning b") || !strings.Contains(text, "Auto-Submitted: auto-generated") {
		t.Errorf("the mail is %s", text)
	}
}

func TestAlertsTestDraws(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "warn": "5", "critical": "10"})
	p.has(1, 4, 8, 16, nil)
	said, exit := p.runs("test", "load")
	if exit != 0 {
		t.Fatal(said)
	}
	for _, want := range []string{
		"load: critical now", "  load: 16, critical", "        16 ┤   █", "╌╌", "critical 10", "warning 5", "22:13:20", "22:13:50       16!!", "22:13:40        8!", "22:14:00        -", "says critical: 16 (last of 5min), critical above 10",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it has no %q:\n%s", want, said)
		}
	}
	p.has(99) // what is far beyond a limit hides the line, but for its end
	if said, _ := p.runs("test", "load"); !strings.Contains(said, "0 ┤█╌ critical 10, warning 5") {
		t.Errorf("the limits are not drawn:\n%s", said)
	}
	if said, exit := p.runs("test", "laod"); exit != 1 || !strings.Contains(said, "no rule 'laod': load") {
		t.Errorf("%d %s", exit, said)
	}
	t.Log(said)
}

// fakeSystemctl answers for one unit as the file says, and notes what it is told to do.
const fakeSystemctl = `#!/bin/sh
case $1 in
show) cat "${0%/*}/unit" ;;
*) echo "$@" >>"${0%/*}/done" ;;
esac
`

func (p *alertsTrial) watches(listens string) {
	p.t.Helper()
	p.config["services"] = []any{map[string]any{"unit": "shop.service", "listens": []string{listens}, "url": "", "query": ""}}
	if err := os.WriteFile(filepath.Join(p.folder, "systemctl"), []byte(fakeSystemctl), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *alertsTrial) unit(active, sub string) {
	p.t.Helper()
	text := fmt.Sprintf("LoadState=loaded\nActiveState=%s\nSubState=%s\nResult=success\n", active, sub)
	if err := os.WriteFile(filepath.Join(p.folder, "unit"), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *alertsTrial) restarted() int {
	text, _ := os.ReadFile(filepath.Join(p.folder, "done"))
	return strings.Count(string(text), "restart -- shop.service\n")
}

// The seed's complaint: monit restarts what an admin has stopped. It is told, and left.
func TestAlertsLeaveWhatAnAdminStopped(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	p.watches("127.0.0.1:1")
	p.unit("inactive", "dead")
	for range 3 {
		if said, exit := p.runs("watch", "shop.service"); exit == 2 {
			t.Errorf("monit would restart it: %s", said)
		}
		if said, exit := p.runs("restart", "shop.service"); exit != 1 || !strings.Contains(said, "is stopped") {
			t.Errorf("restart: %d %s", exit, said)
		}
	}
	p.runs("tell")
	if told := p.told(); p.restarted() != 0 || !strings.HasPrefix(told, "told: stopped shop.service\n") {
		t.Errorf("restarted %d times; told %q", p.restarted(), told)
	}
}

// What does not answer is restarted three times, then given up; and what starts by itself is not disturbed.
func TestAlertsRestartIsBounded(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	p.watches("127.0.0.1:1")
	p.unit("activating", "start")
	for range 3 {
		if said, exit := p.runs("watch", "shop.service"); exit != 0 {
			t.Errorf("while it starts: %d %s", exit, said)
		}
	}
	p.unit("active", "running")
	exits := ""
	for range 6 {
		said, exit := p.runs("watch", "shop.service")
		exits += fmt.Sprint(exit)
		if exit == 2 {
			p.runs("restart", "shop.service")
		} else if exit == 4 && !strings.Contains(said, "runs, and does not answer at 127.0.0.1:1: Connection refused") {
			t.Error(said)
		}
	}
	if exits != "022244" || p.restarted() != 3 {
		t.Errorf("exit statuses %s, restarted %d times", exits, p.restarted())
	}
	// Root notes it, and the account reads it.
	if info, err := os.Stat(p.folder + "/restarts/shop.service"); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the note of its restarts: %v, %v", info, err)
	}
	if said, exit := p.runs("restart", "shop.service"); exit != 1 || p.restarted() != 3 || !strings.Contains(said, "not again") {
		t.Errorf("restarted once more: %d %s", exit, said)
	}
}

// A service that answers again recovers by itself, also one that was given up.
func TestAlertsServiceRecovers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := newAlertsTrial(t)
	p.watches(listener.Addr().String())
	p.unit("activating", "auto-restart")
	p.runs("watch", "shop.service")
	if said, exit := p.runs("watch", "shop.service"); exit != 2 || !strings.Contains(said, "dies again and again") {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	p.told()
	p.unit("active", "running")
	p.runs("watch", "shop.service")
	if said, exit := p.runs("restart", "shop.service"); exit != 1 || p.restarted() != 0 {
		t.Errorf("what answers again is restarted: %d %s", exit, said)
	}
	if said, exit := p.runs("watch", "shop.service"); exit != 0 {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	if told := p.told(); !strings.HasPrefix(told, "told: ok shop.service\n") {
		t.Errorf("told %q", told)
	}
}

// A carbon that hangs is found by a question: a connection alone the kernel makes for it.
func TestAlertsFindACarbonThatHangs(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := newAlertsTrial(t)
	p.config["cycles"] = "1"
	p.watches(listener.Addr().String())
	p.config["services"].([]any)[0].(map[string]any)["query"] = listener.Addr().String()
	p.unit("active", "running")
	// Nobody accepts.
	if said, _ := p.runs("watch", "shop.service"); !strings.Contains(said, "critical: runs, and does not answer at "+listener.Addr().String()+": timed out") {
		t.Error(said)
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			size := make([]byte, 4)
			io.ReadFull(connection, size)
			io.CopyN(connection, connection, int64(binary.BigEndian.Uint32(size))) // as long as the question
			connection.Close()
		}
	}()
	if said, exit := p.runs("watch", "shop.service"); exit != 0 {
		t.Errorf("%d %s", exit, said)
	}
}

// A web server that fails, or does not answer in time, is told of what is behind it; one that is not there is not.
func TestAlertsAskBehindTheWebServer(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	p.config["cycles"] = "1"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p.watches(listener.Addr().String())
	p.unit("active", "running")
	for _, test := range []struct{ url, says string }{
		{p.config["url"].(string) + "/healthz", "runs, and is answered for with HTTP 502"},
		{"http://" + listener.Addr().String() + "/healthz", "runs, and does not answer within 5 s"},
		{"http://127.0.0.1:1/healthz", "ok: answers"},
	} {
		p.says("down")
		p.config["services"].([]any)[0].(map[string]any)["url"] = test.url
		if said, _ := p.runs("watch", "shop.service"); !strings.Contains(said, test.says) {
			t.Errorf("%s: %s, want %s", test.url, said, test.says)
		}
	}
}
