package resource

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"provision/internal/recipe"
)

// Timezone is the time zone of the host. What runs already goes on with the one before until it is
// started again.
//
//	Timezone{Name: "Europe/Berlin"}
//
// It is where the link /etc/localtime leads (localtime(5)); /etc/timezone, which Debian 12 has and
// Debian 13 has not, is kept in step where it is there. The zone has to be there: it is the package
// tzdata's, or tzdata-legacy's, which names it in Brings.
type Timezone struct {
	Name   string
	Absent bool // the host is in UTC then
}

const localtime, timezone = "/etc/localtime", "/etc/timezone"

// ID implements recipe.Resource.
func (z Timezone) ID() string { return "timezone" }

// Place implements recipe.Placed.
func (z Timezone) Place() string { return localtime }

func (z Timezone) zone() string { return "/usr/share/zoneinfo/" + z.Name }

// Probes implements recipe.Resource.
func (z Timezone) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(localtime)}, {Key: recipe.PathKey(timezone), Digest: true}}
	if !z.Absent {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(z.zone())})
	}
	return probes
}

var zoneName = regexp.MustCompile(`^[A-Za-z0-9_+][A-Za-z0-9_+-]*(/[A-Za-z0-9_+][A-Za-z0-9_+-]*)*$`)

// Validate refuses what cannot be meant.
func (z Timezone) Validate() error {
	if z.Absent {
		return nil
	}
	return checkName("timezone", z.Name, zoneName)
}

// Diff implements recipe.Resource.
func (z Timezone) Diff(facts recipe.Facts) (recipe.Change, error) {
	if zone := facts.Path(z.zone()).Type; !z.Absent && zone != recipe.PathFile && zone != recipe.PathLink {
		return recipe.Change{}, fmt.Errorf("there is no zone %s on the host: it is in the package tzdata, or tzdata-legacy", z.Name)
	}
	found := facts.Path(localtime)
	link := Link{Path: localtime, Target: z.zone(), Absent: z.Absent}
	if found.Type == recipe.PathLink && !z.Absent && path.Join("/etc", found.Target) == z.zone() {
		link.Target = found.Target // systemd writes a relative one
	}
	change, err := link.Diff(facts)
	if err != nil || facts.Path(timezone).Type == recipe.PathAbsent {
		return change, err
	}
	name, err := File{Path: timezone, Content: z.Name + "\n", Absent: z.Absent}.Diff(facts)
	return join(change, name), err
}

// Trace implements recipe.Remembered.
func (z Timezone) Trace() recipe.Trace {
	return recipe.Trace{Kind: "timezone", Name: localtime, Gone: z.Absent}
}

// Stood implements recipe.Remembered. What is there and no link to a zone is not ours to take away.
func (z Timezone) Stood(facts recipe.Facts) recipe.Before {
	found := facts.Path(localtime)
	target := found.Target
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(localtime), target)
	}
	if name, is := strings.CutPrefix(target, "/usr/share/zoneinfo/"); is {
		return recipe.Before{Line: name}
	}
	return recipe.Before{Nothing: found.Type == recipe.PathAbsent}
}

// leave implements leaver.
func (Timezone) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	if t.Gone || !t.Before.Nothing && t.Before.Line == "" {
		return nil, ""
	}
	return Timezone{Name: t.Before.Line, Absent: t.Before.Nothing}, ""
}
