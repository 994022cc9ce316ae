// Package model is a host without a machine: the same model of effects by which the planner looks
// ahead, made the truth. Tests of recipes run on it in microseconds, ours and those of own tasks; on
// lab hosts the model itself is held against real ones.
package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// Host is a modelled host. It implements engine.Host and engine.Session.
type Host struct {
	Platform recipe.Platform
	Facts    recipe.Facts // what is there; what is not named is absent
	// Brings is what installing a package leaves behind, or running a command, by its name.
	Brings map[string][]recipe.Effect
	// Guards are the answers of commands' guards that go by what the host is, by name.
	Guards map[string]func(*Host) int
	// Fail names the steps, by title, that fail. A step that fails has no effect.
	Fail map[string]bool
	// Status is the exit status of steps that fail; 0 is 1.
	Status int
	// Replaced is what earlier runs replaced since a unit loaded it, newest first, by unit.
	Replaced map[string][]engine.Replacement
	// Cut says that no new connection can be made.
	Cut bool
	// Debian says that what every Debian has is there too.
	Debian bool
	// Noted is what the host remembers that tasks wanted.
	Noted recipe.Memories

	Done   []string // the titles of the steps that were done, in order
	Probed int      // how often the host was asked
}

// NewHost returns a bare host.
func NewHost(platform recipe.Platform) *Host {
	return &Host{Platform: platform, Facts: recipe.Facts{}, Brings: map[string][]recipe.Effect{}, Guards: map[string]func(*Host) int{}, Fail: map[string]bool{}, Noted: recipe.Memories{}}
}

// Clone returns a host that is as this one, and goes its own way from here.
func (h *Host) Clone() *Host {
	clone := *h
	clone.Facts, clone.Noted, clone.Done = h.Facts.Clone(), maps.Clone(h.Noted), slices.Clone(h.Done)
	return &clone
}

// Probe implements engine.Host.
func (h *Host) Probe(_ context.Context, probes []recipe.Probe) (recipe.Answer, error) {
	h.Probed++
	answer := recipe.Answer{Platform: h.Platform, Distro: "debian", Facts: recipe.Facts{}}
	for _, probe := range probes {
		fact, there := h.Facts[probe.Key]
		guard := h.Guards[probe.Key.Name]
		has, everywhere := h.everywhere(probe.Key)
		switch {
		case probe.Key.Kind == recipe.KindCommand && guard != nil:
			fact.Value = recipe.Command{Exit: guard(h)}
		case there:
		case everywhere:
			fact.Value = has
		case probe.Key.Kind == recipe.KindCommand:
			fact.Value = recipe.Command{Exit: 127} // nobody has said: a kind makes a change of it, and refuses nothing
		case probe.Key.Kind == recipe.KindUnit:
			fact.Value = recipe.Unit{Load: "not-found", Active: "inactive"}
		}
		if path, ok := fact.Value.(recipe.Path); ok && !probe.Digest && len(probe.Unfill) == 0 {
			path.SHA256 = ""
			fact.Value = path
		}
		answer.Facts[probe.Key] = fact
	}
	return answer, nil
}

// Verdict implements engine.Host. Who is to fail to confirm comes too late.
func (h *Host) Verdict(_ context.Context, unit string, _ int) (engine.Verdict, error) {
	switch {
	case h.Cut:
		return engine.VerdictOpen, errors.New("connection refused")
	case h.Fail[recipe.Confirm{Unit: unit}.Title()]:
		return engine.VerdictUndone, nil
	}
	return engine.VerdictConfirmed, nil
}

// Unloaded implements engine.Host: of the units that Replaced names.
func (h *Host) Unloaded(_ context.Context, unit string) ([]engine.Replacement, bool, error) {
	replaced, loaded := h.Replaced[unit]
	return replaced, loaded, nil
}

// Do implements engine.Session.
func (h *Host) Do(ctx context.Context, steps []recipe.Numbered, then []recipe.Probe, observe engine.Observer) (recipe.Facts, error) {
	for _, step := range steps {
		title := step.Step.Title()
		observe(engine.StepBegan{Number: step.Number, Title: title, Resource: step.Resource})
		failed := h.Fail[title]
		observe(engine.StepEnded{Number: step.Number, Title: title, Failed: failed})
		if failed {
			return nil, &engine.StepError{Step: step, Status: max(h.Status, 1), Output: title + " was told to fail\n"}
		}
		h.Done = append(h.Done, title)
		h.do(step.Step)
	}
	if then == nil {
		return nil, nil
	}
	answer, err := h.Probe(ctx, then)
	return answer.Facts, err
}

func (h *Host) do(step recipe.Step) {
	for _, effect := range step.Effects() {
		if effect.Fact.Until == "" {
			h.Facts[effect.Key] = effect.Fact
		}
	}
	switch step := step.(type) {
	case recipe.InstallPackages:
		h.install(step)
	case recipe.Exec:
		h.Facts.Apply(h.Brings[step.Name])
	case recipe.InstallDeb:
		h.install(recipe.InstallPackages{Names: []string{step.Name + "=" + step.Version}})
	case recipe.RemovePackages:
		for _, name := range slices.Concat(step.Names, step.With.Along) {
			h.Facts[recipe.PackageKey(name)] = recipe.Fact{Value: recipe.Package{}}
		}
	case recipe.Remember:
		h.Noted[step.Task] = step.Text
		for _, path := range step.Originals {
			h.Facts[recipe.PathKey(recipe.OriginalPath(path))] = recipe.Fact{Value: h.Facts.Path(path)}
		}
	}
}

func (h *Host) install(step recipe.InstallPackages) {
	for _, name := range step.Names {
		name, version, _ := strings.Cut(name, "=")
		if !h.Facts.Package(name).Installed() {
			h.Facts.Apply(h.Brings[name])
		}
		if version == "" {
			version = "1"
		}
		h.Facts[recipe.PackageKey(name)] = recipe.Fact{Value: recipe.Package{Status: "ii", Version: version}}
	}
}

// Finish implements engine.Session.
func (h *Host) Finish(context.Context, string) error { return nil }

// Converge plans and applies a recipe, and returns the plan. It fails when the second plan
// is not empty.
func (h *Host) Converge(wanted recipe.Recipe) (engine.Plan, error) {
	h.answer(wanted)
	plan, _, err := Apply(context.Background(), h, h, wanted, func(engine.Event) {}, nil)
	return plan, err
}

// Apply plans a recipe for a host, and applies it over a session.
func Apply(ctx context.Context, host engine.Host, session engine.Session, wanted recipe.Recipe, observe engine.Observer, stop <-chan struct{}) (engine.Plan, engine.Result, error) {
	answer, err := host.Probe(ctx, wanted.Probes())
	if err != nil {
		return engine.Plan{}, engine.Result{}, err
	}
	plan, err := engine.NewPlan(wanted, answer.Facts)
	if err != nil {
		return plan, engine.Result{}, err
	}
	if answer, err = host.Probe(ctx, wanted.Probes()); err != nil {
		return plan, engine.Result{}, err
	}
	result, err := engine.Run{Host: host, Session: session, Wanted: wanted, Plan: plan, Observe: observe, Stop: stop}.Apply(ctx, answer.Facts)
	return plan, result, err
}

// Text writes a plan down for a golden file: a line for each change, with its steps.
func Text(plan engine.Plan) string {
	var s strings.Builder
	for _, planned := range plan.Items {
		change := planned.Change
		if change.Empty() {
			continue
		}
		fmt.Fprintf(&s, "%-6s %s", change.Kind, planned.Item.Resource.ID())
		switch {
		case change.Kind == recipe.Becomes && change.Summary != "":
			s.WriteString(" — " + change.Summary + ", after " + change.Until)
		case change.Kind == recipe.Becomes:
			s.WriteString(", after " + change.Until)
		case change.Until != "":
			s.WriteString(" — known after " + change.Until)
		case change.Summary != "":
			s.WriteString(" — " + change.Summary)
		}
		for _, delta := range change.Deltas {
			fmt.Fprintf(&s, " [%s: %s → %s]", delta.Name, delta.Before, delta.After)
		}
		s.WriteString("\n")
		for _, step := range change.Steps {
			s.WriteString("         " + step.Title() + "\n")
		}
	}
	return s.String()
}
