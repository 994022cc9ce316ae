package model

import (
	"context"

	"provision/internal/engine"
	"provision/internal/memory"
	"provision/internal/recipe"
)

// Task is what a task wants of a host.
type Task struct {
	Name   string
	Recipe recipe.Recipe
}

// Whole returns what a run of tasks makes of the host, as any run does: what they want, and what they
// wanted once and nobody wants any more goes.
func (h *Host) Whole(tasks ...Task) (recipe.Recipe, error) {
	var wants []memory.Wants
	var all []recipe.Recipe
	var notes []recipe.Probe
	for _, task := range tasks {
		wants, all = append(wants, memory.Of(task.Name, task.Recipe)), append(all, task.Recipe)
		notes = append(notes, recipe.Probe{Key: recipe.MemoryKey(task.Name)})
	}
	joined, err := recipe.Join(all...)
	if err == nil {
		err = joined.Validate()
	}
	if err != nil {
		return joined, err
	}
	h.answer(joined)
	answer, err := h.Probe(context.Background(), append(joined.Probes(), notes...))
	if err != nil {
		return joined, err
	}
	noted, err := memory.ReadMemories(h.Noted)
	if err != nil {
		return joined, err
	}
	whole, _, err := memory.Host{From: memory.AdHoc, Memories: noted, Facts: answer.Facts}.Plan(joined, wants)
	return whole, err
}

// answering is implemented by a resource whose guard's answer can be told from what stands on a host.
type answering interface {
	Answers(recipe.Facts) []recipe.Effect
}

// answer notes the answers of a recipe's guards that can be told.
func (h *Host) answer(wanted recipe.Recipe) {
	for _, item := range wanted.Items {
		if known, ok := item.Resource.(answering); ok {
			h.Facts.Apply(known.Answers(h.Facts))
		}
	}
}

// Plan returns what a recipe would change, with what is in the files that do.
func (h *Host) Plan(wanted recipe.Recipe) (engine.Plan, error) {
	h.answer(wanted)
	answer, err := h.Probe(context.Background(), wanted.Probes())
	if err != nil {
		return engine.Plan{}, err
	}
	plan, err := engine.NewPlan(wanted, answer.Facts)
	for _, planned := range plan.Items {
		if diff := planned.Change.Diff; diff != nil && diff.Exists && diff.Before == nil {
			diff.Before = h.Facts.Content(diff.Path).Bytes
		}
	}
	return plan, err
}

// Install makes the host what tasks want, and returns the plan. It fails when the second plan is not
// empty.
func (h *Host) Install(tasks ...Task) (engine.Plan, error) {
	whole, err := h.Whole(tasks...)
	if err != nil {
		return engine.Plan{}, err
	}
	return h.Converge(whole)
}
