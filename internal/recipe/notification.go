package recipe

import (
	"fmt"
	"net/url"
	"strings"
)

// Action is what is done to take in a change.
type Action string

// The actions of services, in rising order: a restart answers a reload too.
const (
	Reload  Action = "reload"
	Restart Action = "restart"
)

// Run is the action of a command.
const Run Action = "run"

// Notification tells a unit, or a command, to take in a change. It is written down on the host before
// that, and cleared when it was taken in: a run that dies in between is made up for by the next.
type Notification struct {
	Unit   string // or of a command the name that Handler gives it
	Action Action
}

// handler begins the name by which a command is noted. No unit's name is one: it has no suffix.
const handler = "command:"

// longestNote is how long the name of a note may be: that of a file (limits.h(0P), NAME_MAX).
const longestNote = 255

// Handler is the name by which a command is notified: of a file, so that it is without slashes.
func Handler(command string) string { return handler + url.PathEscape(command) }

// RunOf notifies a command.
func RunOf(command string) Notification { return Notification{Unit: Handler(command), Action: Run} }

// Notified names for a person who is notified: a unit, or a command by its own name.
func Notified(name string) string {
	escaped, is := strings.CutPrefix(name, handler)
	if command, err := url.PathUnescape(escaped); is && err == nil {
		return command
	}
	return name
}

// IsHandler reports whether the name of who is notified is a command's.
func IsHandler(name string) bool { return strings.HasPrefix(name, handler) }

// Waiting is implemented by a resource that does something only when it is notified.
type Waiting interface {
	// WaitsAs is the name by which it is notified, "" where it does something without.
	WaitsAs() string
}

// validateNotified refuses who is notified and not there, and who waits and is not notified.
func (r Recipe) validateNotified() error {
	answered, notified := map[string]bool{}, map[string]bool{}
	for _, item := range r.Items {
		for _, probe := range item.Probes() {
			answered[probe.Key.Name] = answered[probe.Key.Name] || probe.Key.Kind == KindPending
		}
	}
	for _, item := range r.Items {
		for _, n := range item.Notifies {
			notified[n.Unit] = true
			who := Notified(n.Unit)
			switch {
			case answered[n.Unit] && len(n.Unit) <= longestNote:
			case answered[n.Unit]:
				return item.refuse(fmt.Errorf("%s notifies the command %q, whose name is too long to be noted", item.Resource.ID(), who), "say what it does in a few words")
			case IsHandler(n.Unit):
				err := fmt.Errorf("%s notifies the command %q, which is not in the recipe", item.Resource.ID(), who)
				return item.refuse(err, fmt.Sprintf("add command(%q, …) behind it, or leave out the notification", who))
			default:
				err := fmt.Errorf("%s notifies %s, which is no service of the recipe", item.Resource.ID(), who)
				return item.refuse(err, fmt.Sprintf("add service(%q) behind it, or leave out the notification", who))
			}
		}
	}
	for _, item := range r.Items {
		if waiting, ok := item.Resource.(Waiting); ok && waiting.WaitsAs() != "" && !notified[waiting.WaitsAs()] {
			err := fmt.Errorf("%s has no guard, and nothing notifies it: it would never run", item.Resource.ID())
			return item.refuse(err, fmt.Sprintf(`unless = "…" says when nothing is to be done; or notify = run(%q), where it has to take in a change`, Notified(waiting.WaitsAs())))
		}
	}
	return nil
}
