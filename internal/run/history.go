package run

import (
	"context"
	"fmt"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/script"
)

// History is the work of telling what every host remembers of its runs, host after host. It
// changes nothing.
func History(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
	settings.InOrder = true
	return reading(ctx, work, settings, func(ctx context.Context, j *job) {
		if !j.connect(ctx) {
			return
		}
		runs, err := j.host.history(ctx)
		for _, past := range runs {
			for _, line := range tell(past) {
				j.observe(engine.Printed{Line: line})
			}
		}
		if err == nil && len(runs) == 0 {
			j.observe(engine.Printed{Line: "no run has changed this host"})
		}
		j.finish(engine.StatusDone, err)
	})
}

// history asks the host what it remembers of its runs, oldest first.
func (h host) history(ctx context.Context) ([]script.Past, error) {
	output, err := h.connection.Run(ctx, remote.Command{Script: script.History, Root: true, Silence: h.target.silence}, nil)
	if err != nil {
		return nil, err
	}
	return script.ParseHistory(output)
}

// Unloaded implements engine.Host.
func (h host) Unloaded(ctx context.Context, unit string) ([]engine.Replacement, bool, error) {
	runs, err := h.history(ctx)
	if err != nil {
		return nil, false, err
	}
	found, loaded := script.Unloaded(runs, unit)
	var earlier []engine.Replacement
	for _, r := range found {
		if r.Run != h.run {
			earlier = append(earlier, engine.Replacement{Resource: r.Resource, Back: recipe.Restore{Run: r.Run, Number: r.Step, Path: r.Path, Secret: r.Secret}})
		}
	}
	return earlier, loaded, nil
}

// tell is a run in a few lines: who did what and when, how it ended, and each step.
func tell(past script.Past) []string {
	outcome := past.Outcome
	if outcome == "" {
		outcome = "died before its end"
	}
	what := strings.TrimSpace(past.Head.Does + " " + strings.Join(past.Head.Tasks, " "))
	if past.Head.Of != "" {
		what += ", takes back run " + past.Head.Of
	}
	if past.Head.GoesOn != "" {
		what += ", goes on with run " + past.Head.GoesOn
	}
	if past.Head.Plan != "" {
		what += ", plan " + past.Head.Plan
	}
	lines := []string{fmt.Sprintf("run %s  %s  %s  by %s: %s", past.Run, past.Began, what, past.Head.By, outcome)}
	for _, step := range past.Steps {
		lines = append(lines, "  "+step.Title)
	}
	for _, step := range past.Failed {
		ending := fmt.Sprintf("failed with status %d", step.Status)
		if step.Status == 0 {
			ending = "outcome unknown: the run died in it"
		}
		lines = append(lines, "  "+step.Title+": "+ending)
	}
	return lines
}
