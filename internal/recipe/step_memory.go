package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
)

// State is the directory of a host's own memory. Only root may look into it.
const State = "/var/lib/provision"

// MemoryPath is where a host notes what a task wants.
func MemoryPath(task string) string { return State + "/wanted/" + task }

// IsMemory reports whether that is what a path is for.
func IsMemory(file string) bool { return path.Dir(file) == path.Dir(MemoryPath("task")) }

// NoteAt is what the memory is called that is at a path.
func NoteAt(file string) string { return "memory:" + path.Base(file) }

// NoteOf returns the resource that a step is of which notes what a task wants, "" of another step.
func NoteOf(step Step) string {
	switch step := step.(type) {
	case Remember:
		return "memory:" + step.Task
	case Restore:
		if IsMemory(step.Path) {
			return NoteAt(step.Path)
		}
	}
	return ""
}

// OriginalPath is where a host keeps what stood at a path before any task wanted it.
func OriginalPath(file string) string {
	sum := sha256.Sum256([]byte(file))
	return State + "/originals/kept/" + hex.EncodeToString(sum[:16])
}

// ShippedPath is where a host notes of what it keeps for a path the digest that its package had of it.
func ShippedPath(file string) string { return OriginalPath(file) + ".shipped" }

// MostKept is how large a file may be that is kept until no task wants its place, in bytes.
const MostKept = 16 << 20

// Remember notes on the host what a task wants, so that it can go when the task wants it no more.
type Remember struct {
	Task string
	Text string // its first line is what a probe brings
	// Originals are the paths that become the task's by this: what stands there is kept before.
	Originals []string
}

// Effects implements Step.
func (s Remember) Effects() []Effect {
	head, _, _ := strings.Cut(s.Text, "\n")
	return []Effect{Known(MemoryKey(s.Task), Memory{Head: head})}
}

// Title implements Step.
func (s Remember) Title() string { return "note what " + s.Task + " wants" }

// Replaces implements Replacing.
func (s Remember) Replaces() (string, bool) { return MemoryPath(s.Task), false }

// RestoreShipped makes a conffile what it is in its package, at the version that is installed.
type RestoreShipped struct {
	Path, Package string
	Secret        bool // what stands there by now
}

// Effects implements Step.
func (s RestoreShipped) Effects() []Effect {
	until := s.Path + " is as " + s.Package + " has it"
	return append(ChangedBy(until, PathKey(s.Path)), Known(OwnerKey(s.Path), Owner{Package: s.Package, Conffile: true, Shipped: true}))
}

// Title implements Step.
func (s RestoreShipped) Title() string { return "restore " + s.Path + " of " + s.Package }

// Lengthy implements Lengthy: apt may have to fetch the package.
func (s RestoreShipped) Lengthy() {}

// Replaces implements Replacing.
func (s RestoreShipped) Replaces() (string, bool) { return s.Path, s.Secret }
