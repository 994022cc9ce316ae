package resource

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Sysctl is a parameter of the kernel: as it is now, and as it will be after the next boot, by a
// file of its own in /etc/sysctl.d.
//
//	Sysctl{Name: "net.core.somaxconn", Value: "4096"}
//
// See sysctl.d(5): of two separators the other one stands for itself, as in
// net.ipv4.conf.eth0/100.forwarding.
type Sysctl struct {
	Name   string
	Value  string
	Absent bool // the file goes; the kernel keeps its value until the next boot
}

// ID implements recipe.Resource.
func (s Sysctl) ID() string { return "sysctl:" + s.Name }

// Place implements recipe.Placed.
func (s Sysctl) Place() string { return s.file().Path }

// file is applied behind those of packages, which begin with lower numbers.
func (s Sysctl) file() File {
	return File{
		Path:    "/etc/sysctl.d/90-" + strings.ReplaceAll(s.Name, "/", "-") + ".conf",
		Content: s.Name + " = " + s.Value + "\n", Absent: s.Absent,
	}
}

// live is where the kernel has it (proc(5)).
func (s Sysctl) live() string {
	return "/proc/sys/" + strings.NewReplacer(".", "/", "/", ".").Replace(s.Name)
}

// Probes implements recipe.Resource.
func (s Sysctl) Probes() []recipe.Probe {
	if s.Absent {
		return s.file().Probes()
	}
	return append(s.file().Probes(), recipe.Probe{Key: recipe.PathKey(s.live())}, recipe.Probe{Key: recipe.ContentKey(s.live())})
}

var sysctlName = regexp.MustCompile(`^[a-z0-9_]+(\.[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)+$`)

// Validate refuses what cannot be meant.
func (s Sysctl) Validate() error {
	if !s.Absent && (strings.TrimSpace(s.Value) == "" || strings.ContainsAny(s.Value, "\n\r\x00")) {
		return fmt.Errorf("sysctl %s: value %q is not one line", s.Name, s.Value)
	}
	return checkName("sysctl", s.Name, sysctlName)
}

// Diff implements recipe.Resource. The kernel goes first: what it refuses is not written.
func (s Sysctl) Diff(facts recipe.Facts) (recipe.Change, error) {
	file, err := s.file().Diff(facts)
	if err != nil {
		return recipe.Change{}, err
	}
	if s.Absent {
		if !file.Empty() {
			file.Summary += "; the kernel keeps its value until the next boot"
		}
		return file, nil
	}
	if facts.Path(s.live()).Type != recipe.PathFile {
		return recipe.Change{}, fmt.Errorf("there is no %s: the kernel has no such parameter, or not until its module is loaded", s.live())
	}
	before, wanted := strings.Fields(string(facts.Content(s.live()).Bytes)), strings.Fields(s.Value)
	if slices.Equal(before, wanted) {
		return file, nil
	}
	return join(recipe.Change{
		Kind: recipe.Update, Summary: file.Summary,
		Deltas: []recipe.Delta{{Name: "now", Before: strings.Join(before, " "), After: strings.Join(wanted, " ")}},
		Steps: []recipe.Step{recipe.Exec{
			Name: "set " + s.Name, Script: "printf '%s\\n' " + script.Quote(s.Value) + " >" + script.Quote(s.live()),
			Outcome: []recipe.Effect{recipe.Known(recipe.ContentKey(s.live()), recipe.Content{Bytes: []byte(shownByKernel(wanted))})},
		}},
	}, file), nil
}

// shownByKernel is how the kernel shows a value: several numbers with tabs between them.
func shownByKernel(words []string) string {
	for _, word := range words {
		if strings.Trim(word, "-0123456789") != "" {
			return strings.Join(words, " ") + "\n"
		}
	}
	return strings.Join(words, "\t") + "\n"
}

// Trace implements recipe.Remembered: what leaves is the file, and the kernel keeps its value until
// the next boot.
func (s Sysctl) Trace() recipe.Trace { return s.file().Trace() }

// Stood implements recipe.Remembered.
func (s Sysctl) Stood(facts recipe.Facts) recipe.Before { return s.file().Stood(facts) }
