package run

import "provision/internal/engine"

// orderly tells what hosts answer host after host, in the order of the run, though they are
// asked at once: what one prints, and its end, wait for the ends of those before it. All
// else, as a note or a connection, is told as it comes.
type orderly struct {
	hosts []string // those whose end was not told, in the order of the run
	held  map[string][]engine.HostEvent
	tell  func(engine.HostEvent)
}

func newOrderly(work []Work, tell func(engine.HostEvent)) *orderly {
	o := &orderly{held: map[string][]engine.HostEvent{}, tell: tell}
	for _, w := range work {
		o.hosts = append(o.hosts, w.Target.Name)
	}
	return o
}

// event tells an event, or keeps it. It is called from one goroutine at a time.
func (o *orderly) event(e engine.HostEvent) {
	switch e.Event.(type) {
	case engine.Printed, engine.Graphed, engine.Finished:
		o.held[e.Host] = append(o.held[e.Host], e)
	default:
		o.tell(e)
		return
	}
	for len(o.hosts) > 0 {
		first := o.hosts[0]
		ended := false
		for _, kept := range o.held[first] {
			o.tell(kept)
			_, ended = kept.Event.(engine.Finished)
		}
		delete(o.held, first)
		if !ended {
			return
		}
		o.hosts = o.hosts[1:]
	}
}
