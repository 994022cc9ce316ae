package report

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"provision/internal/address"
)

// plans are those that wait for those of other hosts: a plan that several hosts have is told once.
type plans struct {
	all []*sharedPlan
	by  map[[sha256.Size]byte]*sharedPlan
}

// sharedPlan is a plan, and the hosts that have it.
type sharedPlan struct {
	record *planned
	hosts  []string
}

// add takes in the plan of a host.
func (p *plans) add(record *planned) {
	its := *record
	its.head = head{}
	text, _ := json.Marshal(&its) // of plain data it cannot fail
	sum := sha256.Sum256(text)
	if known := p.by[sum]; known != nil {
		known.hosts = append(known.hosts, record.Host)
		return
	}
	if p.by == nil {
		p.by = map[[sha256.Size]byte]*sharedPlan{}
	}
	p.by[sum] = &sharedPlan{record, []string{record.Host}}
	p.all = append(p.all, p.by[sum])
}

// keepPlan keeps a plan until all are there.
func (t *Terminal) keepPlan(record *planned) {
	empty, all := record.Counts.changes() == 0, t.options.Verbosity >= 3
	if !t.options.Plan && (empty && !all || t.options.Verbosity < 0) {
		return // the end of the host says it
	}
	t.plans.add(record)
}

// decide tells the plans once there is one of each host, or its end.
func (t *Terminal) decide(h *host, r record) {
	switch r.(type) {
	case *planned, *finished:
		if !h.decided {
			h.decided = true
			t.undecided--
		}
		if t.undecided == 0 {
			t.tellPlans()
		}
	}
}

// begins reports whether a record is of a time at which hosts are changed: plans that are still missing
// then come later.
func begins(r record) bool {
	switch r.(type) {
	case *applying, *stepBegan, *changed, *verifying:
		return true
	}
	return false
}

// tellPlans tells the plans that are there, in the order of the run's hosts.
func (t *Terminal) tellPlans() {
	all := t.plans.all
	t.plans = plans{}
	first := func(one *sharedPlan) int {
		least := len(t.hosts)
		for _, name := range one.hosts {
			least = min(least, t.host(name).place)
		}
		return least
	}
	slices.SortStableFunc(all, func(a, b *sharedPlan) int { return first(a) - first(b) })
	if len(all) > 0 {
		t.space()
	}
	for _, one := range all {
		t.answer(append(t.onePlan(one), ""))
	}
}

func (t *Terminal) onePlan(shared *sharedPlan) []string {
	p, record, whole := t.answers, shared.record, t.options.Verbosity >= 3
	lines := p.planHeader(record, shared.hosts)
	if t.options.Verbosity >= 0 {
		brief := !t.options.Plan && !t.options.Asked && t.options.Verbosity < 1
		if body := p.planBody(record, brief, whole); len(body) > 0 {
			lines = append(append(lines, body...), "")
		}
	}
	counts := p.planCounts(record.Counts)
	if len(shared.hosts) > 1 {
		counts = "each: " + counts
	}
	return append(lines, p.prose("  ", counts, p.paint.strong)...)
}

// planHeader says whose plan it is.
func (p page) planHeader(record *planned, hosts []string) []string {
	var release, number string
	if record.Platform.Release > 0 {
		release = fmt.Sprintf("Debian %d %s", record.Platform.Release, record.Platform.Codename)
	}
	if len(hosts) > 1 {
		number = counted(len(hosts), "host")
	}
	about := p.join(number, release, record.Platform.Arch)
	names := strings.Join(address.Fold(hosts), ", ")
	if room := p.width - width(about) - width(p.sign.dot); about == "" || p.width > 0 && width(names) > room {
		lines := p.prose("", names, p.paint.strong)
		if about != "" {
			lines = append(lines, "  "+p.paint.faint.Render(about))
		}
		return lines
	}
	return []string{p.paint.strong.Render(names) + p.paint.faint.Render(p.sign.dot+about)}
}
