package resource

import (
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// HeldError says that a service cannot listen where it should, for another does.
type HeldError struct {
	Unit    string // the service
	Ports   []int
	Process string // who holds them
	Holder  string // its unit
	Instead string // how the service listens elsewhere
}

// Error implements error.
func (e *HeldError) Error() string {
	what := "port"
	for i, port := range e.Ports {
		if i > 0 {
			what += " and"
		}
		what += " " + strconv.Itoa(port)
	}
	if len(e.Ports) > 1 {
		what = "ports" + strings.TrimPrefix(what, "port") + " are"
	} else {
		what += " is"
	}
	holder := e.Process
	if holder == "" {
		holder = "the kernel, or a process that is not to be seen"
	}
	if e.Holder != "" {
		holder += " (" + e.Holder + ")"
	}
	return what + " held by " + holder + ", and " + e.Unit + " wants to listen there"
}

// Hint names the ways out.
func (e *HeldError) Hint() string {
	var ways []string
	if e.Instead != "" {
		ways = append(ways, e.Instead)
	}
	if strings.HasSuffix(e.Holder, ".service") || strings.HasSuffix(e.Holder, ".socket") {
		ways = append(ways, "on the host, where it is not needed: systemctl disable --now "+e.Holder)
	}
	return strings.Join(ways, "; or ")
}

// Refuse implements recipe.Refuser: where the service is to listen another may already.
func (s Service) Refuse(facts recipe.Facts) error {
	var held *HeldError
	for _, e := range recipe.Endpoints(s.Listens) {
		for _, l := range facts.Listeners(e.Port) {
			if !e.TakenBy(l) || s.owns(l, facts) {
				continue
			}
			if held == nil {
				held = &HeldError{Unit: s.Unit, Process: l.Process, Holder: l.Unit, Instead: s.Instead}
			}
			if l.Process == held.Process && l.Unit == held.Holder && !slices.Contains(held.Ports, e.Port) {
				held.Ports = append(held.Ports, e.Port)
			}
		}
	}
	if held == nil || s.Absent {
		return nil
	}
	return held
}

// ListensAt implements recipe.Listening.
func (s Service) ListensAt() []recipe.Endpoint {
	if s.Absent {
		return nil
	}
	return recipe.Endpoints(s.Listens)
}

// Shares implements recipe.Listening.
func (s Service) Shares(other recipe.Resource) bool {
	o, ok := other.(Service)
	return ok && (stem(s.Unit) == stem(o.Unit) || s.Follows == o.Unit || o.Follows == s.Unit)
}

// Elsewhere implements recipe.Listening.
func (s Service) Elsewhere() string { return s.Instead }

// owns reports whether a listener is the service's own: of its unit, of an instance of it, or
// of the socket unit that hands it over; or is of a unit that will not run, or not listen there, by then.
func (s Service) owns(l recipe.Listener, facts recipe.Facts) bool {
	if stem(l.Unit) == stem(s.Unit) || s.Follows != "" && l.Unit == s.Follows {
		return true
	}
	holder := facts.Unit(l.Unit)
	return holder.Load != "" && !holder.Running()
}

// stem is a unit's name without its instance and its suffix: postgresql@15-main.service is
// one of postgresql.service.
func stem(unit string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(unit, ".service"), ".socket")
	name, _, _ = strings.Cut(name, "@")
	return name
}
