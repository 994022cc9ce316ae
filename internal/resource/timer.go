package resource

import (
	"fmt"
	"regexp"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Timer is a command that is run at certain times: a timer of systemd and its service, which runs to
// its end. What it prints is in the journal: journalctl -u NAME.
//
//	Timer{Name: "backup", Command: "pg_dump shop | gzip >/srv/backup/shop.gz", OnCalendar: "*-*-* 03:00", User: "postgres"}
//
// A name whose service or timer is there already, as a package's, is refused: a unit in /etc goes before
// it (systemd.unit(5), UNIT FILE LOAD PATH).
//
// See systemd.timer(5), and systemd.time(7), CALENDAR EVENTS.
type Timer struct {
	Name       string // of both units
	Command    string // in sh
	OnCalendar string // "daily", "Mon..Fri 22:30", "*:0/15"
	User       string // who runs it, who is there before; default root
	Persistent bool   // what it missed while the host was off is made up for
	Delay      string // up to so long after, as the host chooses: "15min", so that not all hosts begin at once
	Absent     bool
}

var _ recipe.Composite = Timer{}

// Items implements recipe.Composite.
func (t Timer) Items() []recipe.Item {
	unit := unitDirectory + t.Name
	timer := Service{Unit: t.Name + ".timer", Absent: t.Absent}
	if !t.Absent {
		timer.Check = "# that OnCalendar is a time\nsystemd-analyze calendar -- " + script.Quote(t.OnCalendar) + " >/dev/null"
	}
	return unitItems(timer,
		File{Path: unit + ".service", Content: t.service(), Absent: t.Absent, Hides: t.hides(".service")},
		File{Path: unit + ".timer", Content: t.timer(), Absent: t.Absent, Hides: t.hides(".timer")})
}

func (t Timer) hides(suffix string) []string {
	if t.Absent {
		return nil
	}
	return HiddenBy(t.Name + suffix)
}

// HiddenBy are where a unit of that name would be another's, before which one of ours would go. Of a
// script of init systemd makes a service (systemd-sysv-generator(8)).
func HiddenBy(unit string) []string {
	var all []string
	for _, directory := range unitDirectories {
		if directory != unitDirectory {
			all = append(all, directory+unit)
		}
	}
	if name, is := strings.CutSuffix(unit, ".service"); is {
		all = append(all, "/etc/init.d/"+name)
	}
	return all
}

func (t Timer) service() string {
	user := ""
	if t.User != "" {
		user = "User=" + t.User + "\n"
	}
	return "[Unit]\nDescription=What " + t.Name + ".timer runs\n\n[Service]\nType=oneshot\n" + user + "ExecStart=" + unitShell(t.Command) + "\n"
}

func (t Timer) timer() string {
	settings := "OnCalendar=" + t.OnCalendar + "\n"
	if t.Persistent {
		settings += "Persistent=true\n"
	}
	if t.Delay != "" {
		settings += "RandomizedDelaySec=" + t.Delay + "\n"
	}
	return "[Unit]\nDescription=Runs " + t.Name + ".service\n\n[Timer]\n" + settings + "\n[Install]\nWantedBy=timers.target\n"
}

var (
	timerName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9:_.-]*$`)
	// What a time may be made of; whether it is one, systemd-analyze says on the host.
	calendar = regexp.MustCompile(`^[A-Za-z0-9*][A-Za-z0-9 *:/,.~_+-]*$`)
	timeSpan = regexp.MustCompile(`^[0-9][A-Za-z0-9 .]*$`)
)

// Validate refuses what cannot be meant.
func (t Timer) Validate() error {
	if err := checkName("timer", t.Name, timerName); err != nil || t.Absent {
		return err
	}
	switch {
	case strings.TrimSpace(t.Command) == "" || strings.ContainsAny(t.Command, "\r\x00"):
		return fmt.Errorf("timer %s: %q is no command", t.Name, t.Command)
	case !calendar.MatchString(t.OnCalendar):
		return fmt.Errorf("timer %s: %q is no time as of systemd.time(7), CALENDAR EVENTS", t.Name, t.OnCalendar)
	case t.Delay != "" && !timeSpan.MatchString(t.Delay):
		return fmt.Errorf("timer %s: delay %q is no time span as of systemd.time(7)", t.Name, t.Delay)
	case t.User != "":
		return checkName("user", t.User, accountName)
	}
	return nil
}
