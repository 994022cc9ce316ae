package recipe

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// Acting is implemented by a resource for which it matters what stands before and behind it: a
// service starts when all that it reads is there, and what follows may use it; a command is
// run when its time has come.
type Acting interface{ Acts() bool }

// Notifier is implemented by a resource that notifies units by its own steps.
type Notifier interface{ Restarted() []string }

// before is that one item has to stand before another, and which task wants it so.
type before struct {
	first, then int
	task        string
	notifies    bool // for the first notifies the other
}

// ordered returns the items in an order that serves every task. What acts stands behind all
// that it stands behind in any task, and before all that follows it there; and behind all that
// notifies it; and what a task has in a directory behind that. Beside that each task's order is kept where tasks do not contradict each other,
// and else the order in which the items came.
func (j *joining) ordered(recipes []Recipe) (Recipe, error) {
	must := slices.Concat(j.actingOrder(recipes), j.notifiedOrder(recipes), j.insideOrder(recipes))
	behind := make([][]before, len(j.items)) // what an item has to stand behind
	for _, b := range must {
		behind[b.then] = append(behind[b.then], b)
	}
	prefers := make([][]int, len(j.items))
	for _, sequence := range j.sequences {
		for at := 1; at < len(sequence); at++ {
			prefers[sequence[at]] = append(prefers[sequence[at]], sequence[at-1])
		}
	}
	placed := make([]bool, len(j.items))
	free := func(i int) bool {
		return !placed[i] && !slices.ContainsFunc(behind[i], func(b before) bool { return !placed[b.first] })
	}
	preferred := func(i int) bool {
		return free(i) && !slices.ContainsFunc(prefers[i], func(p int) bool { return !placed[p] })
	}
	var ordered Recipe
	for start := 0; len(ordered.Items) < len(j.items); {
		for placed[start] {
			start++
		}
		next := first(start, len(j.items), preferred)
		if next < 0 {
			next = first(start, len(j.items), free)
		}
		if next < 0 {
			return Recipe{}, j.contradiction(start, placed, behind)
		}
		placed[next] = true
		ordered.Items = append(ordered.Items, j.items[next])
	}
	return ordered, nil
}

func first(from, to int, is func(int) bool) int {
	for i := from; i < to; i++ {
		if is(i) {
			return i
		}
	}
	return -1
}

func (j *joining) acts(i int) bool {
	acting, ok := j.items[i].Resource.(Acting)
	return ok && acting.Acts()
}

// actingOrder is what stands before and behind what acts, in each task.
func (j *joining) actingOrder(recipes []Recipe) []before {
	var all []before
	for n, sequence := range j.sequences {
		task := recipes[n].task()
		last, since := -1, []int(nil) // what acted last, and what came since
		for _, i := range sequence {
			if last >= 0 {
				all = append(all, before{first: last, then: i, task: task})
			}
			if !j.acts(i) {
				since = append(since, i)
				continue
			}
			for _, earlier := range since {
				all = append(all, before{first: earlier, then: i, task: task})
			}
			last, since = i, nil
		}
	}
	return all
}

// notifiedOrder is what stands before the services that it notifies.
func (j *joining) notifiedOrder(recipes []Recipe) []before {
	answers := map[string]int{}
	for i, item := range j.items {
		for _, key := range item.Keys() {
			if key.Kind == KindPending {
				answers[key.Name] = i
			}
		}
	}
	var all []before
	for _, recipe := range recipes {
		for _, item := range recipe.Items {
			for _, unit := range item.notified() {
				if service, ok := answers[unit]; ok {
					all = append(all, before{j.at[item.Resource.ID()], service, item.Task, true})
				}
			}
		}
	}
	return all
}

// insideOrder is what stands before what is in it, in each task: the first cannot be made without
// the other.
func (j *joining) insideOrder(recipes []Recipe) []before {
	var all []before
	for n, sequence := range j.sequences {
		at := map[string]int{}
		for _, i := range sequence {
			for _, place := range j.items[i].places() {
				for above := path.Dir(place); above != path.Dir(above); above = path.Dir(above) {
					if first, there := at[above]; there {
						all = append(all, before{first: first, then: i, task: recipes[n].task()})
						break // what is above that stands before it for the same reason
					}
				}
				at[place] = i
			}
		}
	}
	return all
}

// notified are the units that an item's change notifies.
func (i Item) notified() []string {
	var units []string
	for _, n := range i.Notifies {
		units = append(units, n.Unit)
	}
	if notifier, ok := i.Resource.(Notifier); ok {
		units = append(units, notifier.Restarted()...)
	}
	return units
}

// task is the name of the task that a recipe is of.
func (r Recipe) task() string {
	if len(r.Items) == 0 {
		return ""
	}
	return r.Items[0].Task
}

// contradiction says why no item is free, by one circle of what has to stand before what.
func (j *joining) contradiction(stuck int, placed []bool, behind [][]before) error {
	var way []before // each step's then is the first of the one before it
	at := map[int]int{}
	for here := stuck; ; {
		if start, seen := at[here]; seen {
			way = way[start:]
			break
		}
		at[here] = len(way)
		reason := behind[here][slices.IndexFunc(behind[here], func(b before) bool { return !placed[b.first] })]
		way = append(way, reason)
		here = reason.first
	}
	slices.Reverse(way)
	var reasons []before // a task's own order in one
	for _, b := range way {
		if n := len(reasons) - 1; n >= 0 && reasons[n].task == b.task && !reasons[n].notifies && !b.notifies {
			reasons[n].then = b.then
			continue
		}
		reasons = append(reasons, b)
	}
	var words []string
	for _, b := range reasons {
		first, then := j.items[b.first].Resource.ID(), j.items[b.then].Resource.ID()
		if b.notifies {
			words = append(words, b.task+"'s "+first+" notifies "+then)
		} else {
			words = append(words, b.task+" has "+first+" before "+then)
		}
	}
	refused := errors.New("no order serves all tasks: " + strings.Join(words, ", "))
	for _, b := range slices.Concat(notifying(reasons), reasons) {
		if first, then := j.items[b.first], j.items[b.then]; then.At.File != "" {
			return then.refuse(refused, "put it behind "+first.Where()+", or leave out one of the two")
		}
	}
	return refused
}

// notifying are those of some reasons that are a notification: what it notifies stands too early.
func notifying(reasons []before) []before {
	return slices.DeleteFunc(slices.Clone(reasons), func(b before) bool { return !b.notifies })
}
