package resource

import (
	"fmt"
	"regexp"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Alternative is which program a name leads to, of those that packages offer for it: the choice stays,
// whatever else is installed.
//
//	Alternative{Name: "editor", Path: "/usr/bin/vim.basic"}
//
// See update-alternatives(1). The package that offers it names /var/lib/dpkg/alternatives/NAME in Brings.
type Alternative struct {
	Name   string
	Path   string
	Absent bool // nobody has chosen: the name leads to what has the highest priority
}

// ID implements recipe.Resource.
func (a Alternative) ID() string { return "alternative:" + a.Name }

// guard asks what there is to choose from, as the section QUERY FORMAT of update-alternatives(1) has it. It
// ends with 1 where nobody offers the name.
func (a Alternative) guard() recipe.Probe {
	fields := "Status: .*|Best: .*|Value: .*"
	if a.Path != "" {
		fields += "|Alternative: " + regexp.QuoteMeta(a.Path)
	}
	return recipe.Probe{
		Key:    recipe.CommandKey("choose " + a.Name),
		Script: "update-alternatives --query " + script.Quote(a.Name) + " | grep -Ex -e " + script.Quote(fields),
		Reads:  []recipe.Key{recipe.PathKey("/var/lib/dpkg/alternatives/" + a.Name)},
	}
}

// Probes implements recipe.Resource.
func (a Alternative) Probes() []recipe.Probe { return []recipe.Probe{a.guard()} }

// alternativeName leaves out what update-alternatives refuses, a slash and blanks, and what it would take
// for an option.
var alternativeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]*$`)

// Validate refuses what cannot be meant.
func (a Alternative) Validate() error {
	if err := checkName("alternative", a.Name, alternativeName); err != nil || a.Absent {
		return err
	}
	return checkPath("alternative "+a.Name, a.Path)
}

// choice is what update-alternatives says of a name.
type choice struct {
	status  string // "manual" where somebody has chosen, else "auto"
	best    string // what has the highest priority
	value   string // where the name leads
	offered bool   // the path that is wanted is one of those that there are
}

func (a Alternative) found(facts recipe.Facts) choice {
	var found choice
	for line := range strings.Lines(facts.Command(a.guard().Key.Name).Output) {
		field, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "Status":
			found.status = text
		case "Best":
			found.best = text
		case "Value":
			found.value = text
		case "Alternative":
			found.offered = true
		}
	}
	return found
}

// Diff implements recipe.Resource.
func (a Alternative) Diff(facts recipe.Facts) (recipe.Change, error) {
	found, exit := a.found(facts), facts.Command(a.guard().Key.Name).Exit
	if a.Absent {
		if found.status != "manual" {
			return recipe.Change{}, nil
		}
		change := a.choose(found, choice{"auto", found.best, found.best, found.offered})
		change.Kind, change.Summary = recipe.Delete, "no longer wanted"
		return change, nil
	}
	switch { // a modelled host knows of none, and takes any
	case exit == 1:
		return recipe.Change{}, fmt.Errorf("nothing is offered for %s: the package that does comes first", a.Name)
	case exit == 0 && !found.offered:
		return recipe.Change{}, fmt.Errorf("%s is not offered for %s: update-alternatives --list %s, there, shows what is", a.Path, a.Name, a.Name)
	case found.status == "manual" && found.value == a.Path:
		return recipe.Change{}, nil
	}
	return a.choose(found, choice{"manual", found.best, a.Path, true}), nil
}

// choose is the change from one choice to another.
func (a Alternative) choose(before, after choice) recipe.Change {
	verb := " --auto " + script.Quote(a.Name)
	if after.status == "manual" {
		verb = " --set " + script.QuoteAll(a.Name, a.Path)
	}
	said := "Status: " + after.status + "\nBest: " + after.best + "\nValue: " + after.value
	if after.offered {
		said += "\nAlternative: " + a.Path
	}
	change := recipe.Change{Kind: recipe.Update, Deltas: []recipe.Delta{{Name: "value", Before: before.value, After: after.value}}}
	if before.value == after.value {
		change.Deltas = []recipe.Delta{{Name: "status", Before: before.status, After: after.status}}
	}
	outcome := recipe.MakeLink{Path: "/etc/alternatives/" + a.Name, Target: after.value}.Effects()
	change.Steps = []recipe.Step{recipe.Exec{
		Name: a.guard().Key.Name, Script: "update-alternatives --quiet" + verb,
		Outcome: append(outcome, recipe.Known(a.guard().Key, recipe.Command{Output: said})),
	}}
	return change
}

// Trace implements recipe.Remembered.
func (a Alternative) Trace() recipe.Trace {
	return recipe.Trace{Kind: "alternative", Name: a.Name, Gone: a.Absent}
}

// Stood implements recipe.Remembered: what somebody had chosen.
func (a Alternative) Stood(facts recipe.Facts) recipe.Before {
	if found := a.found(facts); found.status == "manual" {
		return recipe.Before{Line: found.value}
	}
	return recipe.Before{Nothing: true}
}

// leave implements leaver.
func (Alternative) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	if t.Gone {
		return nil, ""
	}
	return FormerAlternative{Alternative{Name: t.Name, Path: t.Before.Line, Absent: t.Before.Nothing}}, ""
}

// FormerAlternative is a choice that no task wants any more: what was chosen before comes back, or, where
// that is not offered any more, nobody has chosen.
type FormerAlternative struct{ Alternative }

// Diff implements recipe.Resource.
func (f FormerAlternative) Diff(facts recipe.Facts) (recipe.Change, error) {
	if !f.found(facts).offered {
		f.Absent = true
	}
	return f.Alternative.Diff(facts)
}
