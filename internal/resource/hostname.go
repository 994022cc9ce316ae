package resource

import (
	"fmt"
	"regexp"
	"strings"

	"provision/internal/recipe"
)

// Hostname is what the host calls itself, now and after the next boot.
//
//	Hostname{Name: "web1"}
//
// That it finds itself by that name is /etc/hosts' business, as Debian has it:
//
//	Line{Path: "/etc/hosts", Key: "127.0.1.1", Line: "127.0.1.1 web1"}
//
// See hostname(5) and hostname(7). There is one of a host; which task wants it, wants it alone.
type Hostname struct {
	Name   string
	Absent bool // the file goes; the name stays until the next boot
}

const kernelHostname = "/proc/sys/kernel/hostname"

// ID implements recipe.Resource.
func (h Hostname) ID() string { return "hostname" }

// Place implements recipe.Placed.
func (h Hostname) Place() string { return h.file().Path }

func (h Hostname) file() File {
	return File{Path: "/etc/hostname", Content: h.Name + "\n", Absent: h.Absent}
}

// Probes implements recipe.Resource.
func (h Hostname) Probes() []recipe.Probe {
	return append(h.file().Probes(), recipe.Probe{Key: recipe.ContentKey(kernelHostname)})
}

// Labels as in RFC 1123, 2.1.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

// Validate refuses what cannot be meant.
func (h Hostname) Validate() error {
	if h.Absent {
		return nil
	}
	if len(h.Name) > 64 { // HOST_NAME_MAX of Linux
		return fmt.Errorf("hostname %q: is longer than 64 characters", h.Name)
	}
	return checkName("hostname", h.Name, hostName)
}

// Diff implements recipe.Resource.
func (h Hostname) Diff(facts recipe.Facts) (recipe.Change, error) {
	file, err := h.file().Diff(facts)
	if err != nil {
		return recipe.Change{}, err
	}
	if h.Absent {
		if !file.Empty() {
			file.Summary += "; the host keeps its name until the next boot"
		}
		return file, nil
	}
	now := strings.TrimSpace(string(facts.Content(kernelHostname).Bytes))
	if now == h.Name {
		return file, nil
	}
	return join(file, recipe.Change{
		Kind: recipe.Update, Deltas: []recipe.Delta{{Name: "now", Before: now, After: h.Name}},
		Steps: []recipe.Step{recipe.Exec{
			Name: "set the hostname", Script: "hostname " + h.Name,
			Outcome: []recipe.Effect{recipe.Known(recipe.ContentKey(kernelHostname), recipe.Content{Bytes: []byte(h.Name + "\n")})},
		}},
	}), nil
}

// Trace implements recipe.Remembered: what leaves is the file, and the host keeps its name until the
// next boot.
func (h Hostname) Trace() recipe.Trace { return h.file().Trace() }

// Stood implements recipe.Remembered.
func (h Hostname) Stood(facts recipe.Facts) recipe.Before { return h.file().Stood(facts) }
