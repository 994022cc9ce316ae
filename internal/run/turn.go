package run

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// Hosts that want what another one exports are planned in a later turn where that is not there yet:
// first the others are planned and changed, as in a run of these alone. So what is shown before the
// question is what is done after it, and nothing is made up.
//
// A build may also go without what is not there yet. Then the host is changed in its turn, as the others,
// and planned once more after them; only then is it proved, and they with it, for what they are to each
// other takes both. So hosts can want something of each other, and one of itself.

// turns are what a host has to do with others of its run, and which turns it has for that.
type turns struct {
	run    map[string]bool // the hosts of the run that may still bring something, by name
	waits  []string        // those that do not have yet what this one wants of them
	unmet  error           // why it could not be planned for that
	lacks  []string        // those without whose exports it was planned
	again  bool            // its turn comes again, for that or because another lacks what it exports, and then it is proved
	late   bool            // it had to wait
	held   bool            // what was planned is done in a later turn, after the proof of others
	sooner int             // changes of the turns before
}

// wait puts a host off whose plan failed for something that other hosts of the run do not have yet.
func (j *job) wait(err error) bool {
	waits, _ := j.missing()
	waits = slices.DeleteFunc(waits, func(host string) bool { return host == j.Target.Name })
	if len(waits) == 0 {
		return false
	}
	j.waits, j.unmet = waits, err
	j.observe(engine.Note{Text: fmt.Sprintf("is planned after %s: %s", strings.Join(waits, ", "), firstLine(err.Error()))})
	return true
}

// missing are the hosts, itself among them, that do not have yet what this one wants of them: those that
// this run may still bring it to, and those for which it will not.
func (j *job) missing() (coming, others []string) {
	for _, host := range j.Blueprint.asking.waitsFor() {
		switch {
		case j.run[host]:
			coming = append(coming, host)
		default:
			others = append(others, host)
		}
	}
	return coming, others
}

// goesWithout notes what a host that could be planned goes without.
func (j *job) goesWithout() {
	var others []string
	j.lacks, others = j.missing()
	if len(j.lacks) > 0 {
		j.observe(engine.Note{Text: fmt.Sprintf("goes without what %s, and is planned again after %s: it %s", j.exportedBy(j.lacks), j.after(j.lacks), recipe.NotYet)})
	}
	if len(others) > 0 {
		j.observe(engine.Note{Text: fmt.Sprintf("goes without what %s: it %s", j.exportedBy(others), recipe.NotYet)})
	}
}

// together gives another turn to hosts that go without something, and to those that bring it.
func together(jobs []*job) {
	for _, j := range jobs {
		j.again = len(j.lacks) > 0 || slices.ContainsFunc(jobs, func(other *job) bool {
			return !other.ended && slices.Contains(other.lacks, j.Target.Name)
		})
	}
}

func (j *job) exportedBy(hosts []string) string {
	if j.itself(hosts) {
		return "it exports itself"
	}
	return strings.Join(hosts, ", ") + " export"
}

func (j *job) after(hosts []string) string {
	if j.itself(hosts) {
		return "that"
	}
	return "them"
}

func (j *job) itself(hosts []string) bool { return len(hosts) == 1 && hosts[0] == j.Target.Name }

// deadlocked ends the work on hosts that can only wait for each other, or for one whose work has
// ended.
func deadlocked(jobs []*job) {
	coming := map[string]bool{} // those that wait for nobody, for one of these, and so on
	for found := true; found; {
		found = false
		for _, j := range jobs {
			name := j.Target.Name
			if !j.ended && !coming[name] && (len(j.waits) == 0 || slices.ContainsFunc(j.waits, func(host string) bool { return coming[host] })) {
				coming[name], found = true, true
			}
		}
	}
	for _, j := range jobs {
		if !j.ended && !coming[j.Target.Name] {
			j.finish("", j.unmet)
		}
	}
}

// waiting are those that are left for the next turn.
func waiting(jobs []*job) []*job {
	var left []*job
	var had []string // the hosts that had their turn
	for _, j := range jobs {
		if len(j.waits) == 0 && !j.held {
			had = append(had, j.Target.Name)
		}
	}
	for _, j := range jobs {
		if j.ended || len(j.waits) == 0 && !j.again && !j.held {
			continue
		}
		left = append(left, j)
		j.disconnect() // the others may have taken long
		j.run = without(j.run, had)
		if j.held {
			continue
		}
		j.Blueprint.asking.again()
		j.waits, j.lacks, j.late = nil, nil, true
		j.sooner += j.result.Changed
		j.result.Changed = 0
	}
	return left
}

// without are the hosts that may still bring something: each has one turn.
func without(run map[string]bool, had []string) map[string]bool {
	left := map[string]bool{}
	for name := range run {
		left[name] = run[name] && !slices.Contains(had, name)
	}
	return left
}
