package report

import (
	"fmt"
	"slices"
	"time"

	"provision/internal/engine"
)

// host is what the terminal knows of one host of the run.
type host struct {
	name     string
	place    int // in the order of the run
	address  string
	began    bool
	decided  bool               // there was a plan of it, or its end
	started  time.Time          // when it began, or its changes did
	idle     bool               // it is planned, and waits for its turn
	phase    string             // what is under way
	since    time.Time          // when that began
	changes  int                // that the plan announced
	left     []string           // the resources whose change was announced and is not done
	applying bool               // the changes have begun
	done     int                // that are done
	checks   int                // that were made
	wanted   int                // checks that are to be made
	restored bool               // a service got its old files back
	steps    map[int]string     // by number, the resource that the step is for
	seconds  map[string]float64 // by resource, the time of its steps
	transfer *transfer
	block    []string // lines that wait until the host is finished
	end      *finished
}

// transfer is a progress that goes on.
type transfer struct {
	record *progress
	since  time.Time
}

func (h *host) active() bool { return h.began && h.end == nil }

// status is how the host ended, or did not.
func (h *host) status() engine.Status {
	switch {
	case h.end != nil:
		return h.end.Status
	case h.began:
		return unfinished
	}
	return notTried
}

// follow takes a record into what is known of the host.
func (h *host) follow(r record, now time.Time) {
	if !h.began {
		h.began, h.started = true, now
	}
	enter := func(phase string) { h.phase, h.since, h.transfer, h.idle = phase, now, nil, false }
	switch r := r.(type) {
	case *connecting:
		h.address = r.Address
		enter("connecting to " + r.Address)
	case *asking:
		enter("asking the host what it has")
	case *planned:
		h.changes, h.left = r.Counts.changes(), nil
		for _, announced := range r.Resources {
			if announced.Kind != same {
				h.left = append(h.left, announced.Resource)
			}
		}
		enter("planned")
		h.idle = true
	case *applying:
		h.applying, h.started = true, now
		enter("beginning")
	case *stepBegan:
		h.steps[r.Number] = r.Resource
		enter(r.Title)
	case *stepEnded:
		h.seconds[h.steps[r.Number]] += r.Seconds
	case *progress:
		if h.transfer == nil || h.transfer.record.Title != r.Title {
			enter(r.Title)
			h.transfer = &transfer{since: now}
		}
		h.transfer.record = r
	case *changed:
		h.done++
		h.left = slices.DeleteFunc(h.left, func(id string) bool { return id == r.Resource })
	case *verifying:
		h.wanted = r.Checks
		enter(fmt.Sprintf("verifying: check 1 of %d", h.wanted))
	case *checked:
		h.checks++
		enter(fmt.Sprintf("verifying: check %d of %d", min(h.checks+1, h.wanted), h.wanted))
	case *restored:
		h.restored = true
		enter("put back the files of " + r.Unit)
	case *finished:
		h.end = r
	}
}
