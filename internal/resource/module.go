package resource

import (
	"regexp"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Module is a module of the kernel that is loaded, now and at every boot, by a file of its own in
// /etc/modules-load.d. It needs the package kmod.
//
//	Module{Name: "br_netfilter"}
//
// See modules-load.d(5) and modprobe(8). No lab host can load one, so the loading itself is not
// proved there.
type Module struct {
	Name   string
	Absent bool // the file goes; the module stays loaded until the next boot
}

// ID implements recipe.Resource.
func (m Module) ID() string { return "module:" + m.Name }

// Place implements recipe.Placed.
func (m Module) Place() string { return m.file().Path }

func (m Module) file() File {
	return File{Path: "/etc/modules-load.d/" + m.Name + ".conf", Content: m.Name + "\n", Absent: m.Absent}
}

// guard asks whether the module is loaded, or built in: then it may be in no list of those that
// are loaded. Between - and _ the kernel makes no difference (modprobe(8)).
func (m Module) guard() recipe.Probe {
	pattern := strings.NewReplacer("-", "[-_]", "_", "[-_]").Replace(m.Name)
	return recipe.Probe{
		Key: recipe.CommandKey("load module " + m.Name),
		Script: "[ -d /sys/module/" + strings.ReplaceAll(m.Name, "-", "_") + " ] || " +
			`grep -qs ` + script.Quote("/"+pattern+`\.ko`) + ` "/lib/modules/$(uname -r)/modules.builtin"`,
	}
}

// Probes implements recipe.Resource.
func (m Module) Probes() []recipe.Probe {
	if m.Absent {
		return m.file().Probes()
	}
	return append(m.file().Probes(), m.guard())
}

var moduleName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// Validate refuses what cannot be meant.
func (m Module) Validate() error { return checkName("module", m.Name, moduleName) }

// Diff implements recipe.Resource. A module that cannot be loaded is not written down.
func (m Module) Diff(facts recipe.Facts) (recipe.Change, error) {
	file, err := m.file().Diff(facts)
	if err != nil {
		return recipe.Change{}, err
	}
	if m.Absent {
		if !file.Empty() {
			file.Summary += "; the module stays loaded until the next boot"
		}
		return file, nil
	}
	key := m.guard().Key
	if facts.Command(key.Name).Exit == 0 {
		return file, nil
	}
	return join(recipe.Change{
		Kind: recipe.Update, Summary: "load",
		Steps: []recipe.Step{recipe.Exec{
			Name: key.Name, Script: "modprobe -- " + m.Name, Outcome: []recipe.Effect{recipe.Known(key, recipe.Command{})},
		}},
	}, file), nil
}

// Trace implements recipe.Remembered: what leaves is the file, and the module stays loaded until the
// next boot.
func (m Module) Trace() recipe.Trace { return m.file().Trace() }

// Stood implements recipe.Remembered.
func (m Module) Stood(facts recipe.Facts) recipe.Before { return m.file().Stood(facts) }
