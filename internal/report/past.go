package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"provision/internal/engine"
)

// PastRun is a run of a person on hosts, as it is remembered.
type PastRun struct {
	ID       string     `json:"id"`
	Command  string     `json:"command"` // the verb and what it named: "install graphite"
	Began    time.Time  `json:"began"`
	Seconds  float64    `json:"seconds"`
	ExitCode int        `json:"exit_code"`
	Hosts    []PastHost `json:"hosts"`
	AdHoc    bool       `json:"ad_hoc,omitempty"` // the hosts were those of -H, or this machine, and need not be in the inventory
}

// PastHost is how the work on a host ended.
type PastHost struct {
	Host     string        `json:"host"`
	Status   engine.Status `json:"status"`
	ExitCode int           `json:"exit_code"`
	Changed  int           `json:"changed"`
	Same     int           `json:"same"`
	Seconds  float64       `json:"seconds"`
	Error    string        `json:"error,omitempty"`
	Drained  bool          `json:"drained,omitempty"`
	Address  string        `json:"-"` // where it was reached, of a run that has just ended
}

// pastRun is a line of runs --json: its time is when the run began.
type pastRun struct {
	head
	ID       string     `json:"id"`
	Command  string     `json:"command"`
	Seconds  float64    `json:"seconds"`
	ExitCode int        `json:"exit_code"`
	Hosts    []PastHost `json:"hosts"`
}

// PastRuns writes a line for each run. They do not pass the gate: what is remembered did.
func (j *JSON) PastRuns(runs []PastRun) error {
	for _, run := range runs {
		j.write(&pastRun{head{Time: newStamp(run.Began), Event: "run"}, run.ID, run.Command, run.Seconds, run.ExitCode, run.Hosts})
	}
	return j.Close()
}

// PastRuns writes runs, a line each.
func PastRuns(w io.Writer, o Options, runs []PastRun) error {
	p := newPage(o)
	names, lines := 0, []string(nil)
	for _, run := range runs {
		names = max(names, min(width(Sanitize(run.Command)), 30))
	}
	for _, run := range runs {
		run.Command = Sanitize(run.Command)
		rows := run.rows()
		sign := p.paint.good.Render(p.sign.good)
		for _, row := range rows {
			if failed(row.status) {
				sign = p.paint.bad.Render(p.sign.bad)
			}
		}
		totals := p.join(p.totals(rows)...)
		if p.width > 0 {
			totals = p.cut(totals, max(p.width-width(run.ID)-names-6, 1))
		}
		lines = append(lines, sign+" "+p.paint.strong.Render(run.ID)+"  "+pad(p.cut(run.Command, names), names)+"  "+totals)
	}
	return writeLines(w, lines)
}

// OnePastRun writes how a run ended on each of its hosts.
func OnePastRun(w io.Writer, o Options, run PastRun) error {
	p := newPage(o)
	lines := []string{
		p.paint.strong.Render(Sanitize(run.Command)),
		"  began " + run.Began.Local().Format(time.DateTime) + ", took " + strings.TrimSpace(secondsText(run.Seconds)) + fmt.Sprintf(", exit code %d", run.ExitCode),
	}
	rows := run.rows()
	lines = append(append(append(lines, ""), p.table(rows)...), "")
	return writeLines(w, append(lines, p.wrapped("", p.totals(rows)...)...))
}

// rows are how it ended on each host, harmless on a terminal: what is remembered is as the host has said it.
func (r PastRun) rows() []outcome {
	var rows []outcome
	for _, host := range r.Hosts {
		host.Host, host.Address, host.Error = Sanitize(host.Host), Sanitize(host.Address), Sanitize(host.Error)
		rows = append(rows, outcome{host.Host, host.Address, host.Status, &finished{Status: host.Status, Changed: host.Changed, Same: host.Same, Seconds: host.Seconds, Error: host.Error, Drained: host.Drained}})
	}
	return rows
}
