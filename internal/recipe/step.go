package recipe

import (
	"slices"
	"strings"
	"time"
)

// Step is one act on a host. The set is closed: each has a case in internal/script, which says
// how the host is told of it, and a function there in sh/. A step knows what it does to the
// facts.
type Step interface {
	// Effects returns what the step does to the facts, when it succeeds.
	Effects() []Effect
	// Title says the step in a few words, for a person who waits for it.
	Title() string
}

// Lengthy is a step that may take long: a run can be interrupted before and after it.
type Lengthy interface{ Lengthy() }

// Unfounded is a step that bears what was found before it: without that, two of them are the
// same act.
type Unfounded interface{ WithoutFound() Step }

// FetchLists fetches apt's package lists.
type FetchLists struct {
	Decides []Key // what is known only by the new lists
}

// Effects implements Step.
func (s FetchLists) Effects() []Effect {
	effects := []Effect{Known(ListsKey(), Lists{Known: true})}
	for _, key := range s.Decides {
		effects = append(effects, UnknownUntil(key, "the package lists are fetched"))
	}
	return effects
}

// Title implements Step.
func (s FetchLists) Title() string { return "fetch the package lists" }

// Lengthy implements Lengthy.
func (s FetchLists) Lengthy() {}

// InstallPackages installs Debian packages, without starting any service. Neighbouring
// ones become one apt-get.
type InstallPackages struct {
	Names    []string // "nginx-light", or with the version that it has to be: "nginx-light=1.22.1-9"
	Update   bool     // fetch the package lists first
	Brings   []Key    // what the packages' own scripts may change
	Restarts []string // units that go on with what they have of the packages, until they restart: noted as with Notify
}

// Effects implements Step.
func (s InstallPackages) Effects() []Effect {
	var effects []Effect
	for _, name := range s.Names {
		name, version, _ := strings.Cut(name, "=")
		until := strings.TrimSpace(name+" "+version) + " is installed"
		effects = append(effects, UnknownUntil(PackageKey(name), until))
		for _, key := range s.Brings {
			effects = append(effects, ChangedBy(until, key)...)
		}
	}
	if s.Update {
		effects = append(effects, Known(ListsKey(), Lists{Known: true}))
	}
	for _, unit := range s.Restarts {
		effects = append(effects, Known(PendingKey(unit), Pending{Restart}))
	}
	return effects
}

// With returns the step that also does another one; each unit is noted once.
func (s InstallPackages) With(other InstallPackages) InstallPackages {
	restarts := slices.Concat(s.Restarts, other.Restarts)
	slices.Sort(restarts)
	return InstallPackages{
		Names:    slices.Concat(s.Names, other.Names),
		Update:   s.Update || other.Update,
		Brings:   slices.Concat(s.Brings, other.Brings),
		Restarts: slices.Compact(restarts),
	}
}

// Title implements Step.
func (s InstallPackages) Title() string {
	title := "install"
	for _, name := range s.Names {
		title += " " + name
	}
	return title
}

// WithoutFound implements Unfounded.
func (s InstallPackages) WithoutFound() Step {
	s.Update = false
	return s
}

// Lengthy implements Lengthy.
func (s InstallPackages) Lengthy() {}

// InstallDeb installs a package from a file that is on the host, with what it depends on from apt's
// sources, and without starting any service.
type InstallDeb struct {
	Path     string
	Name     string
	Version  string   // that the file is known to have
	Brings   []Key    // what the package's own scripts may change
	Restarts []string // as of InstallPackages
}

// Effects implements Step.
func (s InstallDeb) Effects() []Effect {
	return InstallPackages{Names: []string{s.Name + "=" + s.Version}, Brings: s.Brings, Restarts: s.Restarts}.Effects()
}

// Title implements Step.
func (s InstallDeb) Title() string { return "install " + s.Name + "=" + s.Version }

// Lengthy implements Lengthy.
func (s InstallDeb) Lengthy() {}

// RemovePackages purges Debian packages, with what apt said goes and comes with them, and
// nothing else.
type RemovePackages struct {
	Names []string
	With  Removal
	Takes []Key // what the packages' own scripts may change
}

// Effects implements Step.
func (s RemovePackages) Effects() []Effect {
	var effects []Effect
	until := strings.Join(s.Names, " ") + " is purged"
	for _, name := range slices.Concat(s.Names, s.With.Along, s.With.Comes) {
		effects = append(effects, UnknownUntil(PackageKey(name), until))
	}
	for _, key := range s.Takes {
		effects = append(effects, ChangedBy(until, key)...)
	}
	return effects
}

// Title implements Step.
func (s RemovePackages) Title() string { return "purge " + strings.Join(s.Names, " ") }

// Lengthy implements Lengthy.
func (s RemovePackages) Lengthy() {}

// Exec runs POSIX sh on the host. Its outcome is what Outcome says.
type Exec struct {
	Name    string // in a few words
	Script  string
	Input   Secret        // given on standard input; never in argv, never journaled
	Timeout time.Duration // 0 is the engine's default
	Outcome []Effect
}

// Effects implements Step.
func (s Exec) Effects() []Effect { return s.Outcome }

// Title implements Step.
func (s Exec) Title() string { return s.Name }

// Lengthy implements Lengthy.
func (s Exec) Lengthy() {}

// Notify writes down on the host that a unit, or a command, has to take in a change. It goes before
// the change, so that a run that dies in between is made up for by the next.
type Notify struct{ Notification }

// Effects implements Step.
func (s Notify) Effects() []Effect {
	return []Effect{Known(PendingKey(s.Unit), Pending{s.Action})}
}

// Title implements Step.
func (s Notify) Title() string { return "note: " + string(s.Action) + " " + Notified(s.Unit) }

// Clear removes the notification of a unit, after it has taken in the change.
type Clear struct{ Unit string }

// Effects implements Step.
func (s Clear) Effects() []Effect { return []Effect{Known(PendingKey(s.Unit), Pending{})} }

// Title implements Step.
func (s Clear) Title() string { return "done: " + Notified(s.Unit) }

// Verb is what is done to a unit, in systemctl's words.
type Verb string

// The verbs of ControlUnit.
const (
	VerbStart   Verb = "start"
	VerbStop    Verb = "stop"
	VerbRestart Verb = "restart"
	VerbReload  Verb = "reload"
	VerbEnable  Verb = "enable"
	VerbDisable Verb = "disable"
)

// Loads reports whether a unit has loaded its files when the verb is done.
func (v Verb) Loads() bool { return v == VerbStart || v == VerbRestart || v == VerbReload }

// ControlUnit acts on a systemd unit, and for a start, restart or reload waits until
// it has settled: active, not restarting, and listening where it should.
type ControlUnit struct {
	Unit    string
	Verb    Verb
	Found   Unit     // as probed: what stays
	Check   string   // a validator, run before: "nginx -t"; nothing is done when it fails
	Listens []string // awaited after: "127.0.0.1:2003", ":80", "/run/x.sock"
	Ready   string   // a question to it once it has settled, in sh: it has to succeed
	Oneshot bool     // it runs to its end: not waited for as a daemon is
	Watched bool     // a Watch follows, which sees that it stays up
	Back    bool     // it takes back its old files: it listens where it did before the last step on it
	Guarded bool     // it may cut the connection: it is undone unless it is confirmed
}

// Effects implements Step.
func (s ControlUnit) Effects() []Effect {
	after := s.Found
	if after.Load == "" || after.Load == "not-found" {
		after.Load = "loaded"
	}
	after.NeedReload = false
	switch s.Verb {
	case VerbStart, VerbRestart, VerbReload:
		after.Active = "active"
		if s.Oneshot && s.Found.Active != "active" { // one that stays so is RemainAfterExit= (systemd.service(5))
			after.Active = "inactive"
		}
	case VerbStop:
		after.Active = "inactive"
	case VerbEnable:
		after.State = "enabled"
	case VerbDisable:
		after.State = "disabled"
	}
	effects := []Effect{Known(UnitKey(s.Unit), after)}
	for _, e := range Endpoints(s.Listens) {
		effects = append(effects, UnknownUntil(ListenerKey(e.Port), s.Unit+" runs"))
	}
	return effects
}

// Title implements Step.
func (s ControlUnit) Title() string { return string(s.Verb) + " " + s.Unit }

// WithoutFound implements Unfounded.
func (s ControlUnit) WithoutFound() Step {
	s.Found = Unit{}
	if s.Verb == VerbStart {
		s.Verb = VerbRestart // of one that was down when it was shown, it is the same
	}
	return s
}

// Lengthy implements Lengthy.
func (s ControlUnit) Lengthy() {}

// Watch sees that a unit which a ControlUnit has started, restarted or reloaded stays up: a start of
// Type=simple succeeds as soon as its process is forked (systemd.service(5)). It is a step of its
// own because it can wait: several units are watched at once, while other work goes on.
type Watch struct{ Unit string }

// Effects implements Step: what stays as it is has none.
func (s Watch) Effects() []Effect { return nil }

// Title implements Step.
func (s Watch) Title() string { return "see that " + s.Unit + " stays up" }

// Rehearse tries file steps on a copy of the directories that hold a service's
// configuration, mounted over the real ones in a mount namespace of its own, and runs the
// service's check there. What does not pass it never goes live.
type Rehearse struct {
	Unit    string
	Trees   []string
	Check   string
	Steps   []Step
	Dry     bool     // a plan makes it too: the check writes nowhere but into Trees and Scratch
	Scratch []string // directories that the check writes to; in a plan's they are empty ones in memory
	Mend    string   // what may help where the check fails, for people
}

// Effects implements Step: a rehearsal changes nothing.
func (s Rehearse) Effects() []Effect { return nil }

// Title implements Step.
func (s Rehearse) Title() string { return "check the new configuration of " + s.Unit }

// Numbered is a step with its number in the run, by which the host reports and journals
// it, and the resource that wants it.
type Numbered struct {
	Number   int
	Resource string
	Step     Step
	Guards   []string // the armed units whose undoing takes this step on a file back
	// Neighbours are the units that take in the file, and that with Guards the old one.
	Neighbours []string
}
