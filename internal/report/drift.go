package report

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/address"
	"provision/internal/engine"
	"provision/internal/recipe"
)

// Drift tells people which hosts differ in what: a table at the end, in which what is the same on several
// hosts stands once. What goes wrong meanwhile, and what is under way, its Terminal tells.
type Drift struct {
	*Terminal
	made map[string]*planned // by host
}

// NewDrift returns a Drift over a terminal that has told nothing yet.
func NewDrift(terminal *Terminal) *Drift {
	return &Drift{terminal, map[string]*planned{}}
}

// Event tells of an event, and keeps what differs.
func (d *Drift) Event(e engine.HostEvent) {
	event, made := e.Event.(engine.PlanMade)
	if !made {
		d.Terminal.Event(e)
		return
	}
	record := newPlanned(head{Host: e.Host}, event.Plan)
	gate(record, d.clean)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made[record.Host] = record
}

// Summary writes the table. It is the answer.
func (d *Drift) Summary(again string, _ int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var rows []outcome
	for _, h := range d.hosts {
		rows = append(rows, outcome{h.name, h.address, h.status(), h.end})
	}
	var lines []string
	if d.options.Verbosity >= 0 {
		lines = d.answers.drift(differences(rows, d.made))
	}
	allSame := !slices.ContainsFunc(rows, func(row outcome) bool { return row.status != engine.StatusSame })
	if d.options.Verbosity >= 0 || !allSame { // from cron, what is well is nobody's mail
		d.answer(append(lines, d.answers.driftTotals(rows)))
	}
	if again != "" {
		d.print(d.page.command("again: ", d.clean(again)))
	}
}

// difference is what differs in the same way on some hosts.
type difference struct {
	hosts []string
	what  string
	how   string
	bad   bool // the hosts could not be compared: what is how they ended, and how why
}

// differences are those of all hosts, each once. Those of the same hosts follow each other.
func differences(rows []outcome, made map[string]*planned) []difference {
	var all []difference
	type key struct{ what, how string }
	at := map[key]int{}
	add := func(host string, d difference) {
		i, there := at[key{d.what, d.how}]
		if !there {
			i = len(all)
			at[key{d.what, d.how}] = i
			all = append(all, d)
		}
		all[i].hosts = append(all[i].hosts, host)
	}
	for _, row := range rows {
		if failed(row.status) {
			reason := ""
			if row.end != nil {
				reason = oneLine(row.end.Error)
			}
			add(row.host, difference{what: string(row.status), how: reason, bad: true})
			continue
		}
		if plan := made[row.host]; plan != nil {
			for _, r := range plan.Resources {
				if r.Kind != same {
					kind, name := shortName(r.Resource)
					add(row.host, difference{what: kind + " " + name, how: howItDiffers(r)})
				}
			}
		}
	}
	first := map[string]int{} // by hosts, where they stand first
	for i, d := range all {
		if _, there := first[strings.Join(d.hosts, ",")]; !there {
			first[strings.Join(d.hosts, ",")] = i
		}
	}
	slices.SortStableFunc(all, func(a, b difference) int {
		return first[strings.Join(a.hosts, ",")] - first[strings.Join(b.hosts, ",")]
	})
	return all
}

// howItDiffers says what is otherwise on the host than it is wanted: what stands there, and not what
// would be done.
func howItDiffers(r resource) string {
	installed := strings.HasPrefix(r.Resource, "package:") || strings.HasPrefix(r.Resource, "deb:")
	switch {
	case r.Kind == recipe.Create && installed:
		return "is not installed"
	case r.Kind == recipe.Create:
		return "is not there"
	case r.Kind == recipe.Delete && installed:
		return "is installed, and no longer wanted"
	case r.Kind == recipe.Delete && len(r.Deltas) == 0:
		return "is there, and no longer wanted"
	}
	var words []string
	if r.Summary != said[recipe.Act] {
		words = append(words, oneLine(r.Summary))
	} else {
		words = append(words, "has not been done")
	}
	for _, d := range r.Deltas {
		text := strings.TrimSpace(d.Name + " is " + d.Before)
		if d.After != "" {
			text += ", want " + d.After
		}
		words = append(words, oneLine(text))
	}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), "; ")
}

// mostNames is the width of a list of hosts beside which there is room for what differs.
const mostNames = 28

// drift is the table: hosts, what differs there, and how.
func (p page) drift(all []difference) []string {
	if len(all) == 0 {
		return nil
	}
	hosts, what := len("host"), len("what")
	for _, d := range all {
		if names := width(strings.Join(address.Fold(d.hosts), ",")); names <= mostNames {
			hosts = max(hosts, names)
		}
		what = max(what, min(width(d.what), 48))
	}
	lines := []string{p.paint.faint.Render(pad("host", hosts) + "  " + pad("what", what) + "  how")}
	before := ""
	for _, d := range all {
		names := strings.Join(address.Fold(d.hosts), ",")
		first := pad("", hosts)
		switch {
		case names == before:
		case width(names) > mostNames:
			lines = append(lines, p.prose("", strings.ReplaceAll(names, ",", ", "), p.paint.strong)...)
		default:
			first = p.paint.strong.Render(pad(names, hosts))
		}
		before = names
		lines = append(lines, p.driftRow(first, what, d)...)
	}
	return append(lines, "")
}

// driftRow is what differs and how. What does not fit stands below.
func (p page) driftRow(first string, columns int, d difference) []string {
	paint := p.paint.plain
	if d.bad {
		paint = p.paint.bad
	}
	line := first + "  " + paint.Render(pad(d.what, columns))
	switch {
	case d.how == "":
		return []string{strings.TrimRight(line, " ")}
	case p.width > 0 && width(line)+2+width(d.how) >= p.width:
		indent := pad("", width(first)+4)
		return append([]string{strings.TrimRight(line, " ")}, p.prose(indent, d.how, p.paint.faint)...)
	}
	return []string{line + "  " + d.how}
}

// driftTotals counts the hosts.
func (p page) driftTotals(rows []outcome) string {
	number := map[engine.Status]int{}
	for _, row := range rows {
		number[row.status]++
	}
	words := []string{fmt.Sprintf("%d hosts", len(rows))}
	if len(rows) == 1 {
		words[0] = "1 host"
	}
	for _, some := range []struct {
		number int
		words  string
	}{{number[engine.StatusSame], "as wanted"}, {number[engine.StatusPending], "different"}} {
		if some.number > 0 {
			words = append(words, fmt.Sprintf("%d %s", some.number, some.words))
		}
	}
	for _, row := range rows {
		if n := number[row.status]; failed(row.status) && n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, row.status))
			number[row.status] = 0
		}
	}
	return p.join(words...)
}
