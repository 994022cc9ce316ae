package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"provision/internal/engine"
)

// SavedPlan is the plan of a host as it was kept.
type SavedPlan struct {
	Host  string
	Plan  json.RawMessage // what PlanRecord returned; nil of a host that could not be planned yet
	After []string        // the hosts after which it is planned, or planned again
}

// PlanRecord returns a plan as --json tells it, without its host and time: those of hosts that are to be
// changed alike are the same.
func PlanRecord(plan engine.Plan, secrets []string) json.RawMessage {
	record := newPlanned(head{Event: "plan"}, plan)
	gate(record, NewMasker(secrets).Mask)
	text, err := json.Marshal(record)
	if err != nil {
		panic(fmt.Sprintf("plan: %v", err)) // it is plain data
	}
	return text
}

// record is the plan as it was told, at a time.
func (s SavedPlan) record(at time.Time) (*planned, error) {
	record := &planned{}
	if err := json.Unmarshal(s.Plan, record); err != nil {
		return nil, fmt.Errorf("%s: the plan cannot be read: %w", s.Host, err)
	}
	record.head = head{Time: newStamp(at), Host: s.Host, Event: "plan"}
	return record, nil
}

// late says when a host is planned of which not all is known yet.
func (s SavedPlan) late() string {
	return fmt.Sprintf("%s is planned after %s, and changed without a further question: what that changes is known then", s.Host, strings.Join(s.After, ", "))
}

// SavedPlans writes plans that were saved as they were shown, each once, with a line of how they were made.
func SavedPlans(w io.Writer, o Options, made string, plans []SavedPlan) error {
	o.Plan, o.Live = true, false
	for _, one := range plans {
		o.Hosts = append(o.Hosts, one.Host)
	}
	t := newTerminal(w, o)
	t.answer(append(t.page.prose("", t.clean(made), t.page.paint.faint), ""))
	for _, one := range plans {
		if one.Plan == nil {
			continue
		}
		record, err := one.record(o.now())
		if err != nil {
			return err
		}
		gate(record, t.clean) // the file may be anybody's
		t.keepPlan(record)
	}
	t.tellPlans()
	for _, one := range plans {
		if len(one.After) > 0 {
			t.answer(t.page.notice(t.clean(one.late())))
		}
	}
	return t.Close()
}

// SavedPlans writes plans that were saved, a line each: its time is when it was made.
func (j *JSON) SavedPlans(plans []SavedPlan, made time.Time) error {
	for _, one := range plans {
		if one.Plan == nil {
			continue
		}
		record, err := one.record(made)
		if err != nil {
			return err
		}
		j.write(record)
	}
	return j.Close()
}

// SameChanges reports whether two plans, as PlanRecord returns them, show the same changes. Where a task says
// so may be another line by now, and of what is the same nothing is shown.
func SameChanges(one, other json.RawMessage) bool {
	first, err := shownChanges(one)
	second, errOther := shownChanges(other)
	return err == nil && errOther == nil && bytes.Equal(first, second)
}

// shownChanges is what show shows of a plan.
func shownChanges(text json.RawMessage) ([]byte, error) {
	var record planned
	if err := json.Unmarshal(text, &record); err != nil {
		return nil, err
	}
	var changes []resource
	for _, r := range record.Resources {
		if r.Kind != same {
			r.At = ""
			changes = append(changes, r)
		}
	}
	return json.Marshal(changes)
}
