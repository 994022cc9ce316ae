package run

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"provision/internal/engine"
	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Remembering is how a run deals with what hosts remember that tasks wanted.
type Remembering struct {
	From     string // whose the run is: an inventory and the host's name there
	TakeOver bool   // what another has noted, and is no longer wanted, goes too
	Adopt    bool   // what stands there and nobody has noted is not ours
	Purge    bool   // with what a task brought go its packages, accounts and secrets
	Whole    bool   // the tasks are all that the host has in the inventory
}

// memoryProbes ask what the host has noted of the tasks.
func (b Blueprint) memoryProbes() []recipe.Probe {
	var probes []recipe.Probe
	for _, task := range slices.Concat(b.Tasks, b.Removes, b.Needing) {
		for _, name := range task.Names() {
			probes = append(probes, recipe.Probe{Key: recipe.MemoryKey(name)})
		}
	}
	return probes
}

// wants are what each task wants to be remembered. Releases are not: which one runs is a deploy's.
func (b Blueprint) wants(platform recipe.Platform, made *built) ([]memory.Wants, error) {
	var all []memory.Wants
	if b.Release == nil && made != nil {
		all = slices.Clone(made.wants())
	} else {
		b.Release = nil
		parts, err := b.recipes(platform)
		if err != nil {
			return nil, err
		}
		all = wantsOf(b.Tasks, parts)
	}
	for i, task := range b.Tasks {
		all[i].By = b.needing(task)
	}
	for _, task := range b.Removes {
		all = append(all, wants(task, recipe.Recipe{}))
	}
	return all, nil
}

// wantsOf are what tasks want to be remembered, by their recipes.
func wantsOf(tasks []recipe.Task, parts []recipe.Recipe) []memory.Wants {
	all := make([]memory.Wants, len(tasks))
	for i, task := range tasks {
		all[i] = wants(task, parts[i])
	}
	return all
}

func wants(task recipe.Task, its recipe.Recipe) memory.Wants {
	w := memory.Of(task.Name, its)
	w.Formerly = task.Formerly
	return w
}

// noted reports whether the host has noted just what the tasks want; differs, that it has noted
// something else of one.
func (r Remembering) noted(wants []memory.Wants, facts recipe.Facts) (same, differs bool, err error) {
	same = true
	for _, task := range wants {
		just, err := task.Noted(facts, r.From, r.TakeOver)
		if err != nil {
			return false, false, err
		}
		same, differs = same && just, differs || !just && task.Known(facts)
	}
	return same, differs, nil
}

// remember completes a plan by what the host remembers: what no task wants any more goes, and what
// the tasks want now is noted. A host that is as it should be is asked nothing more, and one that
// has noted nothing yet notes it when something changes. A plan that was refused is refused still when
// nothing goes.
func (h host) remember(ctx context.Context, blueprint Blueprint, made *built, answer recipe.Answer, plan engine.Plan, refused error) (recipe.Recipe, engine.Plan, error) {
	wanted := made.Recipe
	along, stay, err := blueprint.along(answer.Facts)
	if err != nil {
		return wanted, plan, err
	}
	blueprint = blueprint.taking(along)
	plan.Told = append(plan.Told, stay...)
	wants, err := blueprint.wants(answer.Platform, made)
	if err != nil {
		return wanted, plan, err
	}
	if blueprint.Whole {
		for _, task := range memory.Others(answer.Facts, blueprint.From, wants) {
			plan.Told = append(plan.Told, fmt.Sprintf("%s is on this host, and the inventory gives it the host no more: provision remove %s -l %s takes it away", task, task, blueprint.Host.Name))
		}
	}
	if err := blueprint.removable(answer.Facts); err != nil {
		return wanted, plan, err
	}
	same, differs, err := blueprint.noted(wants, answer.Facts)
	if same {
		for _, task := range blueprint.Removes {
			plan.Told = append(plan.Told, task.Name+": nothing of it is noted here any more, so nothing goes")
		}
	}
	if err != nil {
		return wanted, plan, err
	}
	if same || !differs && plan.Empty() {
		return wanted, plan, refused
	}
	memories, earlier, err := h.memories(ctx, answer.Facts)
	if err != nil {
		return wanted, plan, err
	}
	r := blueprint.Remembering
	found := memory.Host{From: r.From, TakeOver: r.TakeOver, Adopt: r.Adopt, Purge: r.Purge, Memories: memories, Facts: answer.Facts}
	found.Others, found.Unknown = h.others(ctx, blueprint, answer.Platform, memories, earlier)
	if err := blueprint.separable(found); err != nil {
		return wanted, plan, err
	}
	joined, told, err := found.Plan(wanted, wants)
	if err != nil {
		return wanted, plan, err
	}
	if missing := unasked(answered(wanted, answer), joined.Probes()); len(missing) > 0 {
		more, err := h.Probe(ctx, missing)
		if err != nil {
			return wanted, plan, err
		}
		maps.Copy(answer.Facts, more.Facts)
	}
	whole, err := engine.NewPlan(joined, answer.Facts)
	whole.Platform, whole.Died = plan.Platform, plan.Died
	whole.Serves, whole.Drained, whole.DrainedSince = plan.Serves, plan.Drained, plan.DrainedSince
	whole.Told = slices.Concat(plan.Told, told, staying(joined, answer.Facts), blueprint.unproved(memories))
	return joined, whole, err
}

// memories are all that the host has noted, of all tasks, and the tasks on which a version worked
// that noted nothing.
func (h host) memories(ctx context.Context, facts recipe.Facts) (map[string]memory.Memory, recipe.Earlier, error) {
	if len(facts.Heads()) == 0 {
		return nil, nil, nil
	}
	answer, err := h.Probe(ctx, []recipe.Probe{{Key: recipe.MemoriesKey()}, {Key: recipe.EarlierKey()}})
	if err != nil {
		return nil, nil, err
	}
	all, err := memory.ReadMemories(answer.Facts.Memories())
	if err != nil {
		return nil, nil, err
	}
	return all, answer.Facts.Earlier(), h.doubt(ctx, all)
}

// doubt leaves in memories what is certain of them: of a run that did not come to its end the host
// is asked what it made.
func (h host) doubt(ctx context.Context, all map[string]memory.Memory) error {
	var doubts []recipe.Probe
	for _, m := range all {
		doubts = append(doubts, unasked(doubts, m.Doubts())...)
	}
	if len(doubts) == 0 {
		return nil
	}
	answer, err := h.Probe(ctx, doubts)
	if err != nil {
		return err
	}
	for task, m := range all {
		all[task] = m.Certain(answer.Facts)
	}
	return nil
}

// answered are the probes of a recipe, and those of the tasks' memories.
func answered(wanted recipe.Recipe, answer recipe.Answer) []recipe.Probe {
	probes := wanted.Probes()
	for key := range answer.Facts {
		if key.Kind == recipe.KindMemory {
			probes = append(probes, recipe.Probe{Key: key})
		}
	}
	return probes
}

// staying says of what leaves what stays all the same, and why.
func staying(wanted recipe.Recipe, facts recipe.Facts) []string {
	var told []string
	for _, item := range wanted.Items {
		if leaving, ok := item.Resource.(interface{ Stays(recipe.Facts) string }); ok {
			if why := leaving.Stays(facts); why != "" {
				told = append(told, item.Resource.ID()+" stays: "+why)
			}
		}
	}
	return told
}

// originals are the paths that a plan changes and of which the host keeps what stood there before.
func originals(wanted recipe.Recipe, plan engine.Plan) []string {
	changed := map[string]bool{}
	for _, planned := range plan.Changes() {
		for _, thing := range append(memory.Besides(planned.Item.Resource), planned.Item.Resource) {
			if placed, ok := thing.(recipe.Placed); ok {
				changed[placed.Place()] = true
			}
		}
	}
	var paths []string
	for _, item := range wanted.Items {
		if note, ok := item.Resource.(memory.Note); ok {
			paths = append(paths, note.Originals...)
		}
	}
	return slices.DeleteFunc(paths, func(path string) bool { return !changed[path] })
}

// onlyNotes reports whether a plan changes nothing but what the host remembers: then there is nothing
// to prove.
func onlyNotes(plan engine.Plan) bool {
	return !plan.Empty() && !slices.ContainsFunc(plan.Changes(), func(p engine.Planned) bool { return !isMemory(p.Item.Resource) })
}

// isMemory reports whether a resource is what the host remembers of a task, noted or taken back.
func isMemory(r recipe.Resource) bool {
	_, note := r.(memory.Note)
	_, back := r.(resource.KeptMemory)
	return note || back
}
