package project

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// thing is what a word of build or verify makes: a resource with its place, or a check.
type thing struct {
	word     *Word
	name     string // what it is called in an error: "file(\"/etc/motd\")"
	at       recipe.Position
	items    []recipe.Item
	gives    map[string]string // of a part: what a task may know of it
	check    recipe.Check
	returned bool
}

// String implements starlark.Value.
func (t *thing) String() string { return t.name }

// Type implements starlark.Value.
func (t *thing) Type() string { return t.word.Name }

// Freeze implements starlark.Value: a task cannot change it.
func (t *thing) Freeze() {}

// Truth implements starlark.Value.
func (t *thing) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (t *thing) Hash() (uint32, error) { return 0, errors.New("unhashable: " + t.word.Name) }

// make notes a thing, which has to be in the list that is returned.
func (c *call) make(t *thing) *thing {
	t.word, t.at = c.word, c.at
	t.name = c.word.Name + "(…)"
	if first, ok := c.values[c.word.Parameters[0].Name].(string); ok {
		t.name = fmt.Sprintf("%s(%q)", c.word.Name, first)
	}
	c.building.made = append(c.building.made, t)
	return t
}

// kind makes a word of a kind of resources.
func kind(w Word, resource func(*call) (recipe.Resource, error)) *Word {
	return resources(w, func(c *call, r *recipe.Recipe, notifies []recipe.Notification) error {
		made, err := resource(c)
		if err != nil {
			return err
		}
		r.Add(made, notifies...)
		if validator, ok := made.(recipe.Validator); ok {
			return validator.Validate()
		}
		return nil
	})
}

// composite makes a word of a kind that is several resources.
func composite(w Word, made func(*call) (recipe.Composite, error)) *Word {
	return resources(w, func(c *call, r *recipe.Recipe, notifies []recipe.Notification) error {
		composite, err := made(c)
		if err != nil {
			return err
		}
		if err := composite.Validate(); err != nil {
			return err
		}
		r.AddAll(composite, notifies...)
		return nil
	})
}

// resources makes a word of what adds resources to a recipe.
func resources(w Word, add func(*call, *recipe.Recipe, []recipe.Notification) error) *Word {
	w.Group = Resources
	w.Parameters = append(w.Parameters, byName(notify()))
	w.returns = func(c *call) (starlark.Value, error) {
		var r recipe.Recipe
		if err := add(c, &r, given[[]recipe.Notification](c, "notify")); err != nil {
			return nil, c.refused(err)
		}
		for i := range r.Items {
			r.Items[i].At = c.at
		}
		return c.make(&thing{items: r.Items}), nil
	}
	return &w
}

// refused is an error of a resource's own, which says what it is about.
func (c *call) refused(err error) error {
	if a, ok := err.(*advised); ok {
		return plain(c.word.Name+": "+a.problem, a.advice)
	}
	return plain(err.Error(), c.word.Example)
}

// notification is what notify takes: that a unit restarts, or reloads, or that a command runs.
type notification struct {
	recipe.Notification
	at    recipe.Position
	taken bool // by what it is of
}

// String implements starlark.Value.
func (n *notification) String() string {
	return fmt.Sprintf("%s(%q)", n.Action, recipe.Notified(n.Unit))
}

// Type implements starlark.Value.
func (n *notification) Type() string { return "notification" }

// Freeze implements starlark.Value.
func (n *notification) Freeze() {}

// Truth implements starlark.Value.
func (n *notification) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (n *notification) Hash() (uint32, error) { return starlark.String(n.String()).Hash() }

// notifications are the words that notify takes.
func notifications() []*Word {
	word := func(action recipe.Action, about string) *Word {
		return &Word{
			Name: string(action), Group: Notifications, Manual: "systemctl(1)", About: about,
			Example:    fmt.Sprintf("file(\"/etc/shop.conf\", template(\"shop.conf.tmpl\"), notify = %s(\"shop.service\"))", action),
			Parameters: []Parameter{required(unit("unit", "The unit, with its suffix."))},
			returns: func(c *call) (starlark.Value, error) {
				return c.notifies(recipe.Notification{Unit: given[string](c, "unit"), Action: action}), nil
			},
		}
	}
	return []*Word{
		{
			Name: string(recipe.Run), Group: Notifications, Manual: "sh(1)",
			About:      "A command runs to take in a change. It is written down on the host before the change, and taken from there when the command has ended well: what a run that died or failed has left to do is done by the next. The command has to be in the recipe, behind what notifies it; without a guard it runs only when it is notified. A rollback runs none.",
			Example:    "[\n    line(\"/etc/aliases\", \"root: admin@example.org\", key = \"root:\", notify = run(\"newaliases\")),\n    command(\"newaliases\", \"newaliases\", changes = []),\n]",
			Parameters: []Parameter{required(text("command", "The name of the command."))},
			returns: func(c *call) (starlark.Value, error) {
				return c.notifies(recipe.RunOf(given[string](c, "command"))), nil
			},
		},
		word(recipe.Restart, "A unit restarts to take in a change. It is written down on the host before the change, so that a run that dies in between still restarts it; the service of the unit has to be in the recipe."),
		word(recipe.Reload, "A unit reloads to take in a change; where a restart of it is due too, that is enough."),
	}
}

// notifies makes a notification, which something has to take.
func (c *call) notifies(what recipe.Notification) *notification {
	n := &notification{Notification: what, at: c.at}
	c.building.notifications = append(c.building.notifications, n)
	return n
}

// untaken refuses a command that is to run, and not for anything: who knows other tools means that it
// runs here and now. Of a unit a list may have none for this host.
func (b *building) untaken() error {
	for _, n := range b.notifications {
		if n.Action == recipe.Run && !n.taken {
			return &recipe.SourceError{At: n.at, Problem: n.String() + ": nothing is notified by it, and a task does nothing step by step: it returns what has to be", Advice: runsHow}
		}
	}
	return nil
}

// runsHow says how a script is run.
const runsHow = "file(…), package(…), service(…); command(\"name\", \"script\", unless = \"guard\") runs a script when its guard says so, and notify = run(\"name\") when something has changed"

// notify is the parameter that every kind has.
func notify() Parameter {
	return Parameter{
		Name: "notify", Type: "restart(unit), reload(unit), run(command), or a list of them", Help: "What takes the change in.",
		read: func(c *call, v starlark.Value) (any, error) {
			if one, ok := v.(*notification); ok {
				one.taken = true
				return []recipe.Notification{one.Notification}, nil
			}
			list, ok := v.(starlark.Iterable)
			if !ok {
				return nil, plain(fmt.Sprintf("want restart(…), reload(…) or run(…), found %s", c.found(v)), "restart(\"shop.service\")")
			}
			var all []recipe.Notification
			for one := range starlark.Elements(list) {
				n, ok := one.(*notification)
				if !ok {
					return nil, plain(fmt.Sprintf("want restart(…), reload(…) or run(…), found %s", c.found(one)), "restart(\"shop.service\")")
				}
				n.taken = true
				all = append(all, n.Notification)
			}
			return all, nil
		},
	}
}
