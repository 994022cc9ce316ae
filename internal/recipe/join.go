package recipe

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Join merges recipes of several tasks for one host: the same ID with the same want is one
// resource, with different wants an error that names both tasks, and so are two kinds of
// things at one path. Each task finds its order kept, as far as order says.
func Join(recipes ...Recipe) (Recipe, error) {
	j := joining{at: map[string]int{}, places: map[string]int{}}
	for _, recipe := range recipes {
		if err := j.add(recipe); err != nil {
			return Recipe{}, err
		}
	}
	return j.ordered(recipes)
}

// joining is a recipe that is made of several.
type joining struct {
	items     []Item
	at        map[string]int // by ID, its place in items
	places    map[string]int // by path, the first item that is there
	sequences [][]int        // of each recipe, its items in its order
}

// add adds a recipe's items to those that are there.
func (j *joining) add(recipe Recipe) error {
	var sequence []int
	for _, item := range recipe.Items {
		id := item.Resource.ID()
		i, seen := j.at[id]
		if !seen {
			i = len(j.items)
			j.at[id] = i
			j.items = append(j.items, item)
			if err := j.settle(i); err != nil {
				return err
			}
		} else {
			other := j.items[i]
			both, same := merge(other.Resource, item.Resource)
			if !same {
				return conflict(other, item, fmt.Errorf("%s: %s different", id, want(other, item)))
			}
			j.items[i].Resource = both
			j.items[i].Notifies = union(other.Notifies, item.Notifies)
		}
		sequence = append(sequence, i)
	}
	j.sequences = append(j.sequences, j.once(sequence))
	return nil
}

// Placed is implemented by a resource that decides what stands at a path.
type Placed interface{ Place() string }

// settle gives an item its paths, unless a thing of another kind is there. Of one kind two are
// there only when each has its part: the lines of a file.
func (j *joining) settle(i int) error {
	for _, place := range append(j.items[i].places(), j.items[i].makes()...) {
		first, taken := j.places[place]
		if !taken {
			j.places[place] = i
			continue
		}
		one, other := j.items[first], j.items[i]
		shared := reflect.TypeOf(one.Resource) == reflect.TypeOf(other.Resource) && !one.brings(place) && !other.brings(place)
		if !shared && !(one.edits() && j.acts(i)) && !(j.acts(first) && other.edits()) {
			return conflict(one, other, fmt.Errorf("%s: %s as %s and as %s", place, want(one, other), one.Resource.ID(), other.Resource.ID()))
		}
	}
	return nil
}

// makes are the paths of what an item brings besides: the files that a command makes.
func (i Item) makes() []string {
	several, ok := i.Resource.(interface{ Besides() []Resource })
	if !ok {
		return nil
	}
	var places []string
	for _, beside := range several.Besides() {
		if placed, ok := beside.(Placed); ok {
			places = append(places, placed.Place())
		}
	}
	return places
}

// brings reports whether an item brings what stands at a path besides its own: a command what it makes, a
// certificate its key. Nothing else does.
func (i Item) brings(place string) bool {
	_, several := i.Resource.(interface{ Places() []string })
	return several || slices.Contains(i.makes(), place)
}

// edits reports whether an item decides a part of the file at its path: such a one may be in a file
// that a command makes.
func (i Item) edits() bool {
	remembered, ok := i.Resource.(Remembered)
	return ok && remembered.Trace().Part()
}

// conflict is an error at the place of the later of two items, or of the one that has a place.
func conflict(one, other Item, problem error) error {
	if other.At.File == "" {
		one, other = other, one
	}
	advice := "keep one of the two"
	if base, instance := SplitInstance(one.Task); instance != "" && strings.HasPrefix(other.Task, base+"@") && one.Task != other.Task {
		return other.refuse(problem, "instances of one task each have their own: put v.instance into its name")
	}
	if at := one.At.Short(); at != "" {
		advice += ": the other is at " + at
	}
	if other.At.File == "" {
		return problem
	}
	return other.refuse(problem, advice)
}

// want says who wants something of one thing.
func want(one, other Item) string {
	if one.Task == other.Task {
		return one.Task + " wants it twice,"
	}
	return one.Task + " and " + other.Task + " want it"
}

// once returns a sequence without repetition. What is there twice has its place where it is
// first; what what stands before it matters to, where it is last.
func (j *joining) once(sequence []int) []int {
	last := map[int]int{}
	for at, i := range sequence {
		if _, seen := last[i]; !seen || j.acts(i) {
			last[i] = at
		}
	}
	var kept []int
	for at, i := range sequence {
		if last[i] == at {
			kept = append(kept, i)
		}
	}
	return kept
}

// Merged is implemented by a resource that two tasks may want the same, though each says
// something of its own of it.
type Merged interface {
	// Merge returns what both want; false when they want it different.
	Merge(other Resource) (Resource, bool)
}

func merge(a, b Resource) (Resource, bool) {
	if reflect.DeepEqual(a, b) {
		return a, true
	}
	if merged, ok := a.(Merged); ok {
		return merged.Merge(b)
	}
	return nil, false
}

// union of notifications keeps the stronger action for each unit.
func union(a, b []Notification) []Notification {
	merged := append([]Notification(nil), a...)
	for _, n := range b {
		found := false
		for i := range merged {
			if merged[i].Unit == n.Unit {
				found = true
				if n.Action == Restart {
					merged[i].Action = Restart
				}
			}
		}
		if !found {
			merged = append(merged, n)
		}
	}
	return merged
}
