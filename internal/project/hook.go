package project

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// declaredHook is a hook that hook made.
type declaredHook struct{ recipe.Hook }

// String implements starlark.Value.
func (d *declaredHook) String() string { return "hook(…)" }

// Type implements starlark.Value.
func (d *declaredHook) Type() string { return "hook" }

// Freeze implements starlark.Value.
func (d *declaredHook) Freeze() {}

// Truth implements starlark.Value.
func (d *declaredHook) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (d *declaredHook) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: hook") }

// hookExample is how hooks are written at least.
const hookExample = `drain = hook("lb out \"$host\"", on = "lb"), and undrain = hook("lb in \"$host\"", on = "lb")`

// hookTimeout is how long a hook may take that does not say so.
const hookTimeout = time.Minute

func hookWords() []*Word {
	return []*Word{{
		Name: "hook", Group: Hooks, Manual: "sh(1)",
		About: "A script around a change of a host that has the task: drain takes the host out of service, as out of a load balancer, undrain brings it back when it has passed its checks, or is as before. One that is left broken stays drained, and is brought back by the run that mends it. " +
			"They are run as root, on the host itself or on all hosts with the task on, whichever of the host's tasks an install, deploy, rollback or remove changes; not where nothing changes, nor on a host that has nothing of a task yet. " +
			"The task's variables, $host and $address, the host's in hosts.yaml, are variables of the shell. A run that died may have run a hook: it does nothing where it has been. Where it fails, nothing is changed.",
		Example: "drain = hook(\"lb out \\\"$host\\\"\", on = \"lb\")\nundrain = hook(\"lb in \\\"$host\\\"\", on = \"lb\")",
		Parameters: []Parameter{
			text("script", "POSIX sh."),
			byName(text("source", "The file that has the script, in files/ beside the task.")),
			byName(text("on", "The task on whose hosts it is run, on all that have it in hosts.yaml; without it on the host itself.")),
			byName(or(duration("timeout", "How long it may take."), `"1m"`)),
		},
		returns: declareHook,
	}}
}

// declareHook checks a hook where it stands.
func declareHook(c *call) (starlark.Value, error) {
	h := recipe.Hook{On: given[string](c, "on")}
	h.At, h.Timeout, h.Arguments = c.at, cmp.Or(given[time.Duration](c, "timeout"), hookTimeout), recipe.HookArguments()
	if _, instance := recipe.SplitInstance(h.On); c.has("on") && (!taskName.MatchString(h.On) || instance != "") {
		return nil, plain(fmt.Sprintf("hook: on: %q is no name of a task", h.On), `on = "lb", a task of the project or one that ships`)
	}
	var err error
	h.Text, err = c.shell("hook", hookExample)
	return &declaredHook{h}, err
}

// readHooks reads the hooks of a task.
func (s *script) readHooks() error {
	for at, into := range []**recipe.Hook{&s.drain, &s.undrain} {
		name := []string{drainName, undrainName}[at]
		value, there := s.file.globals[name]
		if !there {
			continue
		}
		h, ok := value.(*declaredHook)
		if !ok {
			return s.refuse(name, fmt.Sprintf("%s: want hook(…), found %s", name, value), hookExample)
		}
		for _, v := range s.variables {
			if slices.ContainsFunc(h.Arguments, func(w recipe.Variable) bool { return w.Name == v.Name }) {
				return &recipe.SourceError{At: h.At, Problem: fmt.Sprintf("%s: %s is a variable of the task, and of the hook's script the host's", name, v.Name), Advice: "rename the task's"}
			}
		}
		*into = &h.Hook
	}
	for _, name := range slices.Sorted(maps.Keys(s.file.globals)) { // domain is no misspelled drain
		if h, ok := s.file.globals[name].(*declaredHook); ok && &h.Hook != s.drain && &h.Hook != s.undrain {
			return s.refuse(name, name+": is a hook, and neither drain nor undrain", hookExample)
		}
	}
	switch {
	case s.drain != nil && s.undrain == nil:
		return s.refuse(drainName, "drain: there is no undrain, so the host would never come back", hookExample)
	case s.drain == nil && s.undrain != nil:
		return s.refuse(undrainName, "undrain: there is no drain", hookExample)
	}
	return nil
}
