package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"provision/internal/address"
	"provision/internal/engine"
	"provision/internal/recipe"
)

//go:embed page/run.html
var runPage string

// mostLanes is how many hosts the chart of a page has at the most.
const mostLanes = 60

// mostSlow is how many steps a page names that took longest.
const mostSlow = 12

// The parts of a page, as its template wants them.
type (
	htmlRun struct {
		ID, Command, Began, Took, By, Version, Cut, Stopped string
		ExitCode, Number                                    int
		Totals                                              []htmlTotal
		Bad                                                 []htmlBad
		Ticks                                               []htmlTick
		Lanes                                               []htmlLane
		Unlaned                                             string
		Slow                                                []htmlSlow
		Plans                                               []htmlPlan
		Hosts                                               []htmlHost
	}
	htmlTotal struct {
		Number        int
		Status, Class string
	}
	htmlBad  struct{ Host, Status, Error, Back, Hint, Output string }
	htmlTick struct {
		At   float64 // percent
		Text string
	}
	htmlLane struct {
		Host, Took string
		Bad        bool
		Spans      []htmlSpan
	}
	htmlSpan struct {
		Kind, Title, Took string
		Failed            bool
		Left, Width       float64 // percent
	}
	htmlSlow struct {
		Title, Longest, At, Sum string
		Hosts                   int
	}
	htmlPlan struct {
		Hosts, About string
		Resources    []htmlResource
	}
	htmlResource struct {
		Kind, Sign, Name, Details string
		Rows                      []htmlRow
	}
	htmlRow  struct{ Class, Text string }
	htmlHost struct {
		Host, Status, Class, Changed, Same, Took string
		Told                                     []string
	}
)

// RunPage writes a page of a run, which asks for nothing elsewhere. Of a run of which nothing was recorded
// it tells how each host ended.
func RunPage(w io.Writer, run PastRun, recorded Recording) error {
	page, err := template.New("run").Parse(runPage)
	if err != nil {
		return err
	}
	return page.Execute(w, newHTMLRun(run, recorded))
}

func newHTMLRun(run PastRun, recorded Recording) htmlRun {
	p := newPage(Options{})
	view := htmlRun{
		ID: run.ID, Command: run.Command, Began: run.Began.Format("2 January 2006, 15:04:05 MST"), Took: secondsText(run.Seconds),
		By: recorded.By, Version: recorded.Version, Cut: recorded.Cut, ExitCode: run.ExitCode, Number: len(run.Hosts),
	}
	known := map[string]recordedHost{}
	for _, h := range recorded.Hosts {
		known[h.Host] = h
	}
	number := map[engine.Status]int{}
	for _, h := range run.Hosts {
		h.Error = Sanitize(h.Error) // of what was not recorded, it is as the host has said it
		number[h.Status]++
		view.Hosts = append(view.Hosts, newHTMLHost(h, known[h.Host]))
		switch {
		case h.Status == engine.StatusNotBegun:
			view.Stopped = h.Error
		case failed(h.Status):
			view.Bad = append(view.Bad, newHTMLBad(p, h, known[h.Host].End))
		}
	}
	for status, n := range number {
		view.Totals = append(view.Totals, htmlTotal{n, string(status), classOf(status)})
	}
	slices.SortFunc(view.Totals, func(a, b htmlTotal) int { return cmp.Or(b.Number-a.Number, strings.Compare(a.Status, b.Status)) })
	view.chart(run, known)
	view.Slow = slowSteps(recorded)
	for i, plan := range recorded.Plans {
		if len(plan.Resources) > 0 {
			view.Plans = append(view.Plans, newHTMLPlan(p, plan, hostsOf(recorded, i+1)))
		}
	}
	return view
}

func classOf(status engine.Status) string {
	switch {
	case status == engine.StatusNotBegun:
		return "faint"
	case failed(status):
		return "bad"
	case status == engine.StatusChanged || status == engine.StatusPending:
		return "change"
	}
	return "good"
}

func newHTMLHost(h PastHost, known recordedHost) htmlHost {
	row := htmlHost{Host: h.Host, Status: string(h.Status), Class: classOf(h.Status), Took: secondsText(h.Seconds), Told: known.Told}
	if h.Changed+h.Same > 0 {
		row.Changed, row.Same = fmt.Sprint(h.Changed), fmt.Sprint(h.Same)
	}
	return row
}

func newHTMLBad(p page, h PastHost, end *finished) htmlBad {
	bad := htmlBad{Host: h.Host, Status: string(h.Status), Error: h.Error}
	var back string
	if end != nil {
		bad.Error, bad.Hint, bad.Output = cmp.Or(end.Error, h.Error), end.Hint, strings.TrimRight(end.Output, "\n")
		if end.Restored != nil {
			back = strings.TrimSpace(strings.Join(p.recovery(end.Restored), " "))
		}
	}
	bad.Back = back
	if h.Drained {
		bad.Back = p.join(back, staysDrained)
	}
	return bad
}

// hostsOf are the hosts that have a plan.
func hostsOf(recorded Recording, plan int) []string {
	var names []string
	for _, h := range recorded.Hosts {
		if h.Plan == plan {
			names = append(names, h.Host)
		}
	}
	return names
}

func newHTMLPlan(p page, plan recordedPlan, hosts []string) htmlPlan {
	view := htmlPlan{Hosts: strings.Join(address.Fold(hosts), ", ")}
	var number, release string
	if len(hosts) > 1 {
		number = counted(len(hosts), "host")
	}
	if plan.Platform.Release > 0 {
		release = fmt.Sprintf("Debian %d %s", plan.Platform.Release, plan.Platform.Codename)
	}
	view.About = p.join(number, release, plan.Platform.Arch, p.planCounts(plan.Counts))
	for _, r := range plan.Resources {
		kind, name := shortName(r.Resource)
		details := p.details(r)
		if r.Kind == recipe.MayBe {
			details = p.join(details, "may change, known after "+r.Until)
		}
		view.Resources = append(view.Resources, htmlResource{
			Kind: string(r.Kind), Sign: p.symbol(r.Kind), Name: kind + " " + name, Details: p.join(r.Task, details), Rows: rowsOf(p, r.Content),
		})
	}
	return view
}

// rowsOf are the lines of a diff, or what is said in its place.
func rowsOf(p page, c *content) []htmlRow {
	if c == nil {
		return nil
	}
	if c.Diff == "" {
		var rows []htmlRow
		for _, line := range p.content("", c, false) {
			rows = append(rows, htmlRow{"place", strings.TrimPrefix(line, p.sign.bar+" ")})
		}
		return rows
	}
	var rows []htmlRow
	for i, line := range strings.Split(strings.TrimSuffix(c.Diff, "\n"), "\n") {
		if i < 2 {
			continue // the two names
		}
		class := ""
		switch {
		case strings.HasPrefix(line, "+"):
			class = "added"
		case strings.HasPrefix(line, "-"):
			class = "taken"
		case strings.HasPrefix(line, "@"), strings.HasPrefix(line, `\`):
			class = "place"
		}
		rows = append(rows, htmlRow{class, cmp.Or(line, " ")})
	}
	return rows
}

// chart draws what took time on which host, on one axis.
func (v *htmlRun) chart(run PastRun, known map[string]recordedHost) {
	shown, whole := charted(run.Hosts, known), math.Max(run.Seconds, 0.001)
	for _, h := range shown {
		for _, s := range known[h.Host].Spans {
			whole = math.Max(whole, s.From+s.Seconds)
		}
	}
	percent := func(seconds float64) float64 { return math.Round(math.Min(seconds/whole, 1)*1e5) / 1e3 }
	for _, h := range shown {
		lane := htmlLane{Host: h.Host, Took: secondsText(h.Seconds), Bad: classOf(h.Status) == "bad"}
		for _, s := range known[h.Host].Spans {
			lane.Spans = append(lane.Spans, htmlSpan{string(s.Kind), oneLine(s.Title), secondsText(s.Seconds), s.Failed, percent(s.From), percent(s.Seconds)})
		}
		v.Lanes = append(v.Lanes, lane)
	}
	if more := len(run.Hosts) - len(shown); len(shown) > 0 && more > 0 {
		v.Unlaned = fmt.Sprintf("Those that are not well, and those that took longest; %d more took less.", more)
	}
	for i := range 5 {
		v.Ticks = append(v.Ticks, htmlTick{float64(i) * 25, secondsText(whole * float64(i) / 4)})
	}
}

// charted are the hosts that the chart has, in the order of the run: of many those that are not well, and
// those that took longest.
func charted(hosts []PastHost, known map[string]recordedHost) []PastHost {
	var all []PastHost
	for _, h := range hosts {
		if len(known[h.Host].Spans) > 0 {
			all = append(all, h)
		}
	}
	if len(all) <= mostLanes {
		return all
	}
	byInterest := slices.SortedStableFunc(slices.Values(all), func(a, b PastHost) int {
		return cmp.Or(ordinal(classOf(b.Status) == "bad")-ordinal(classOf(a.Status) == "bad"), cmp.Compare(b.Seconds, a.Seconds))
	})
	chosen := map[string]bool{}
	for _, h := range byInterest[:mostLanes] {
		chosen[h.Host] = true
	}
	return slices.DeleteFunc(all, func(h PastHost) bool { return !chosen[h.Host] })
}

// slowSteps are the steps and checks that took longest in all, each once.
func slowSteps(recorded Recording) []htmlSlow {
	type total struct {
		title, at    string
		longest, sum float64
		hosts        int
	}
	by := map[string]*total{}
	for _, h := range recorded.Hosts {
		for _, s := range h.Spans {
			if s.Kind != "step" && s.Kind != "check" || noticeable(s.Seconds) == "" {
				continue
			}
			if by[s.Title] == nil {
				by[s.Title] = &total{title: s.Title}
			}
			its := by[s.Title]
			its.hosts, its.sum = its.hosts+1, its.sum+s.Seconds
			if s.Seconds >= its.longest {
				its.longest, its.at = s.Seconds, h.Host
			}
		}
	}
	var all []*total
	for _, its := range by {
		all = append(all, its)
	}
	slices.SortFunc(all, func(a, b *total) int { return cmp.Or(cmp.Compare(b.longest, a.longest), cmp.Compare(a.title, b.title)) })
	var slow []htmlSlow
	for _, its := range all[:min(len(all), mostSlow)] {
		slow = append(slow, htmlSlow{oneLine(its.title), secondsText(its.longest), its.at, secondsText(its.sum), its.hosts})
	}
	return slow
}
