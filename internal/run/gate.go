package run

import (
	"cmp"
	"slices"
)

// A host that goes without something is changed in one turn and proved in a later one, and so are those that bring
// it (turn.go). Where hosts are changed some after others it is a gate all the same: who would be begun after it is
// held until it is proved, but for those that it takes to prove it. One that is held keeps its plan, which was shown
// and agreed to.

// unproved reports whether a host is changed by the end of this turn, and not proved.
func (j *job) unproved() bool {
	return !j.ended && (j.begun || j.changes()) && (j.again || len(j.waits) > 0)
}

// hold holds those of the hosts that are to be changed whose turn it is not yet, and returns the others.
func (p *pacer) hold(changing, jobs []*job) (now []*job) {
	first := slices.IndexFunc(changing, (*job).unproved)
	var party map[*job]bool
	if first >= 0 {
		party = changing[first].party(jobs)
	}
	for i, j := range changing {
		if j.held = p.steps() && first >= 0 && i > first && !party[j]; !j.held {
			now = append(now, j)
		}
	}
	return now
}

// unplanned are hosts without those of which the plan was made in an earlier turn.
func unplanned(jobs []*job) []*job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.held })
}

// party are the hosts that it takes to prove one, and itself: those that it waits for or wants something of, those
// that want something of it, and what it takes to prove these.
func (j *job) party(jobs []*job) map[*job]bool {
	named := map[string]*job{}
	for _, other := range jobs {
		if !other.ended {
			named[other.Target.Name] = other
		}
	}
	takes := map[*job][]*job{}
	for _, one := range named {
		for _, name := range one.waits {
			takes[one] = append(takes[one], named[name])
		}
		for _, name := range one.lacks {
			takes[one] = append(takes[one], named[name])
			takes[named[name]] = append(takes[named[name]], one)
		}
	}
	all := map[*job]bool{}
	for left := []*job{j}; len(left) > 0; {
		one := left[0]
		if left = left[1:]; one == nil || all[one] { // nil has ended
			continue
		}
		all[one] = true
		left = append(left, takes[one]...)
	}
	return all
}

// inOrder has what is changed already proved before more is changed: canaries first, then those with nothing left
// to change, then those that were begun.
func inOrder(changing []*job) {
	rank := func(j *job) int {
		switch {
		case j.canary:
			return 0
		case j.begun && !j.changes():
			return 1
		case j.begun:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(changing, func(a, b *job) int { return cmp.Compare(rank(a), rank(b)) })
}
