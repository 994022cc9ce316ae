package recipe

import (
	"errors"
	"fmt"
)

// Resource is one thing of a host that should be in a certain state. It holds no
// connection: it says what to ask, and computes from the answers what differs.
//
// A Resource is comparable with reflect.DeepEqual: plain data, no functions.
type Resource interface {
	// ID names the resource, once in a recipe: "file:/etc/nginx/nginx.conf".
	ID() string
	// Probes are the questions whose answers Diff needs.
	Probes() []Probe
	// Diff compares what is wanted with what was found. It is pure, and it is
	// called only when the answers to all of Probes are known.
	Diff(Facts) (Change, error)
}

// ErrStale says that the host changed since a plan was made for it.
var ErrStale = errors.New("the host changed since the plan was made")

// Item is a resource in its place in a recipe, with the units that its change notifies.
type Item struct {
	Resource Resource
	Notifies []Notification
	Task     string    // the task that brought it
	At       Position  // where its task says so
	Of       Composite // on the first item of one
}

// Recipe is what a host should be: resources in the order in which they are made so.
type Recipe struct{ Items []Item }

// Add appends a resource, and the units that its change notifies.
func (r *Recipe) Add(resource Resource, notifies ...Notification) {
	r.Items = append(r.Items, Item{Resource: resource, Notifies: notifies})
}

// Composite is a kind that is several resources, one after the other: a timer is two files and a unit.
type Composite interface {
	Validator
	// Items are its resources, with how one notifies another.
	Items() []Item
}

// AddAll appends the resources of a composite. What of them is a file notifies units besides.
func (r *Recipe) AddAll(composite Composite, notifies ...Notification) {
	items := composite.Items()
	items[0].Of = composite
	for i, item := range items {
		if _, placed := item.Resource.(Placed); placed {
			items[i].Notifies = append(items[i].Notifies, notifies...)
		}
	}
	r.Items = append(r.Items, items...)
}

// Include appends all of another recipe's items.
func (r *Recipe) Include(other Recipe) { r.Items = append(r.Items, other.Items...) }

// Label marks the items that bear no task's name yet.
func (r *Recipe) Label(task string) {
	for i := range r.Items {
		if r.Items[i].Task == "" {
			r.Items[i].Task = task
		}
	}
}

// Probes returns all questions of the recipe, without repetition.
func (r Recipe) Probes() []Probe {
	probes := make([]Probe, 0, 2*len(r.Items))
	for _, item := range r.Items {
		probes = append(probes, item.Probes()...)
	}
	return Merge(probes)
}

// Probes returns the questions of the item: its resource's.
func (i Item) Probes() []Probe { return i.Resource.Probes() }

// Keys returns the keys of the item's probes.
func (i Item) Keys() []Key {
	probes := i.Probes()
	keys := make([]Key, len(probes))
	for n, probe := range probes {
		keys[n] = probe.Key
	}
	return keys
}

// Changer is implemented by a resource whose change may change more than what it asks about.
type Changer interface{ MayChange() []Key }

// Unconfined is implemented by a resource whose change may change any path, unit or account: nobody
// has said which.
type Unconfined interface {
	// Unconfined is what has happened then: "nginx-light is installed"; "" where it was said.
	Unconfined() string
}

// Refuser is implemented by a resource whose change may be impossible on a host as it will be:
// a service, where another program listens at its port. It is asked before any change.
type Refuser interface{ Refuse(Facts) error }

// Rehearsed is implemented by a service whose new configuration can be tried before it
// goes live: a Rehearse without its steps.
type Rehearsed interface{ Rehearsal() Rehearse }

// Validator is implemented by a resource that can refuse its own fields: a path that is
// not absolute, a package name that is an option.
type Validator interface{ Validate() error }

// validateRead refuses that a guard reads a command that is not there.
func (r Recipe) validateRead() error {
	there := map[string]bool{}
	for _, item := range r.Items {
		there[item.Resource.ID()] = true
	}
	for _, item := range r.Items {
		for _, probe := range item.Probes() {
			for _, key := range probe.Reads {
				if key.Kind == KindCommand && !there[key.String()] {
					return item.refuse(fmt.Errorf("%s reads %s, which is not in the recipe", item.Resource.ID(), key), "it has to be the name of a command of the recipe")
				}
			}
		}
	}
	return nil
}

// Validate returns the first refusal of the recipe's resources, with the task's name. Who
// is notified has to be one that the recipe asks about: else nobody answers.
func (r Recipe) Validate() error {
	if err := r.validateNotified(); err != nil {
		return err
	}
	if err := r.validateRead(); err != nil {
		return err
	}
	for _, item := range r.Items {
		if item.Of != nil {
			if err := item.Of.Validate(); err != nil {
				return item.refuse(err, "")
			}
		}
		if validator, ok := item.Resource.(Validator); ok {
			if err := validator.Validate(); err != nil {
				return item.refuse(err, "")
			}
		}
	}
	if err := r.validateListeners(); err != nil {
		return err
	}
	return r.validateInside()
}
