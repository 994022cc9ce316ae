package resource

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// This file says which directories a Tree, an Archive or a Git may take the place of as a whole: one
// that such a kind has made, by its mark, and an empty one. In any other is what nobody said may go:
// who knows tar's -C writes /usr/local where a directory of its own is meant.

// marks are the files by which a directory is known as made by one of these kinds.
func marks(at string) []string {
	return []string{at + "/" + recipe.TreeMark, at + "/" + recipe.ArchiveDigest, at + "/" + recipe.GitMark}
}

// ofTheSystem are directories that hold what Debian and others put there (hier(7)): nothing has one of them
// for its own.
var ofTheSystem = strings.Fields(`/bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr
	/usr/bin /usr/include /usr/lib /usr/local /usr/local/bin /usr/local/lib /usr/local/sbin /usr/local/share /usr/sbin /usr/share /usr/src
	/var /var/backups /var/cache /var/lib /var/log /var/mail /var/opt /var/spool /var/tmp
	/etc/apt /etc/cron.d /etc/default /etc/init.d /etc/profile.d /etc/ssh /etc/ssl /etc/sudoers.d /etc/systemd /etc/systemd/system`)

// checkOwn refuses a directory that cannot be a thing's own.
func checkOwn(what, at string) error {
	if slices.Contains(ofTheSystem, at) {
		return fmt.Errorf("%s: %s is the system's: name a directory of its own in it", what, at)
	}
	return nil
}

// wholeProbes ask whose a directory is.
func wholeProbes(at string) []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(at)}, {Key: recipe.TreeKey(at)}, {Key: recipe.EntriesKey(at)}}
	for _, mark := range marks(at) {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(mark)})
	}
	return probes
}

// othersIn refuses a directory with what is in it, unless one of these kinds has made it.
func othersIn(at string, facts recipe.Facts) error {
	if slices.ContainsFunc(marks(at), func(mark string) bool { return facts.Path(mark).Type == recipe.PathFile }) {
		return nil
	}
	return notOurs(at, facts.Entries(at))
}

func notOurs(at string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	names = slices.Sorted(slices.Values(names))
	return fmt.Errorf("%s: is there with what provision did not put into it, and all of that would go: %s: name a directory of its own, or move what is in this one away", at, listed(names))
}

// goes names what is in a directory that another takes the place of.
func goes(at string, facts recipe.Facts) []recipe.Delta {
	var names []string
	for _, name := range facts.Entries(at) {
		if name != recipe.ArchiveDigest && name != recipe.TreeMark && name != ".git" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []recipe.Delta{{Name: "goes", Before: listed(names)}}
}

// wholeGone takes a directory of one of these kinds away.
func wholeGone(at string, facts recipe.Facts) (recipe.Change, error) {
	change, err := Directory{Path: at, Absent: true, Tree: true}.Diff(facts)
	if err != nil || change.Empty() {
		return change, err
	}
	change.Deltas = append(change.Deltas, goes(at, facts)...)
	return change, othersIn(at, facts)
}
