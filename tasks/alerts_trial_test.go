package tasks

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
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

	crashes bool      // a traceback is what a test wants
	since   time.Time // when the configuration was written; now, if it is none

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
		"interval": 0, "cycles": "2", "remind_hours": 0, "restarts_at_most": 3, "watches_itself": true, "journal": false, "mail": nil,
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
	if !p.since.IsZero() {
		if err := os.Chtimes(config, p.since, p.since); err != nil {
			p.t.Fatal(err)
		}
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
	if strings.Contains(output, "Traceback") && !p.crashes {
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
