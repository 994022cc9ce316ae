// Package resource holds the kinds of things that recipes are made of: File, Directory,
// Link, Line, Block, Package, Service, User, Group, Membership, AuthorizedKey, Sysctl, Command,
// Secret and others. Each says what to ask a host, and computes from the answers what differs. Some
// are made of others (recipe.Composite): Timer, Mount, Swap. All of it is pure.
package resource

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Paths that a resource may name are absolute and clean, so that a typing error cannot
// reach outside of what was meant.
func checkPath(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s: no path", what)
	case !strings.HasPrefix(name, "/"):
		return fmt.Errorf("%s %s: must be absolute", what, recipe.Quoted(name))
	case strings.ContainsAny(name, "\x00\n"):
		return fmt.Errorf("%s %s: has a NUL or a newline", what, recipe.Quoted(name))
	case path.Clean(name) != name || name == "/":
		return fmt.Errorf("%s %s: must be a clean path below /, with neither . nor .. in it", what, recipe.Quoted(name))
	case len(name) > longestPath || slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return len(part) > longestName }):
		return fmt.Errorf("%s: no host has a path of more than %d bytes, or a name in one of more than %d", what, longestPath, longestName)
	}
	return nil
}

// Bounds of a path, and of each name in it (PATH_MAX without its NUL, and NAME_MAX: limits.h(0P)).
const (
	longestPath = 4095
	longestName = 255
)

// Debian Policy 5.6.1: at least two characters, lower case letters, digits, + - and .
// A trailing + or - would be an instruction to apt-get (apt-get(8)), so it is refused. Of two
// + apt takes one away where it knows no package of that name, and then none without it: g++
// and its like are safe.
var packageName = regexp.MustCompile(`^[a-z0-9]([a-z0-9+.-]*[a-z0-9.]|[a-z0-9+.-]*\+\+)$`)

// The characters of a unit name are those of systemd.unit(5); a backslash is of one that is escaped,
// as a path's.
var unitName = regexp.MustCompile(`^([A-Za-z0-9:_.@-]|\\x[0-9a-f]{2})+\.(service|socket|timer|target|path|mount|swap)$`)

// As useradd(8) accepts on Debian, and not all digits.
var accountName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

func checkName(what, name string, form *regexp.Regexp) error {
	if !form.MatchString(name) || strings.HasPrefix(name, "-") {
		return fmt.Errorf("%s %s: not a valid name", what, recipe.Quoted(name))
	}
	return nil
}

// attributes fills in what a recipe left open: root owns it, with the kind's usual mode.
func attributes(wanted recipe.Attributes, mode uint32) recipe.Attributes {
	if wanted.Mode == 0 {
		wanted.Mode = mode
	}
	if wanted.Owner == "" {
		wanted.Owner = "root"
	}
	if wanted.Group == "" {
		wanted.Group = "root"
	}
	return wanted
}

// ownerName is what packages name accounts, too, as Debian-exim and _apt.
var ownerName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)

// checkOwners refuses an owner or a group that is no account's name.
func checkOwners(what, owner, group string) error {
	for _, one := range []struct{ kind, name string }{{"owner", owner}, {"group", group}} {
		if one.name != "" && !ownerName.MatchString(one.name) {
			return fmt.Errorf("%s: %s %s: not a valid name", what, one.kind, recipe.Quoted(one.name))
		}
	}
	return nil
}

func checkAttributes(what string, a recipe.Attributes) error {
	if err := checkMode(what, a.Mode); err != nil {
		return err
	}
	return checkOwners(what, a.Owner, a.Group)
}

func checkMode(what string, mode uint32) error {
	if mode > 0o7777 {
		return fmt.Errorf("%s: mode %o is not one", what, mode)
	}
	// 644 for 0o644 is 01204: a mode that gives others what its owner has not is a slip.
	owner, rest := mode>>6&7, mode>>3&7|mode&7
	if rest&^owner != 0 {
		return fmt.Errorf("%s: mode %s gives others what it denies its owner: is it meant in octal?", what, octal(mode))
	}
	return nil
}

// attributeDeltas returns which of mode, owner and group differ from what was found.
func attributeDeltas(wanted recipe.Attributes, found recipe.Path) []recipe.Delta {
	var deltas []recipe.Delta
	if found.Mode != wanted.Mode {
		deltas = append(deltas, recipe.Delta{Name: "mode", Before: octal(found.Mode), After: octal(wanted.Mode)})
	}
	if found.Owner != wanted.Owner || found.Group != wanted.Group {
		deltas = append(deltas, recipe.Delta{
			Name:   "owner",
			Before: found.Owner + ":" + found.Group,
			After:  wanted.Owner + ":" + wanted.Group,
		})
	}
	return deltas
}

func octal(mode uint32) string { return fmt.Sprintf("%04o", mode) }

func describeAttributes(a recipe.Attributes) string {
	return fmt.Sprintf("%s %s:%s", octal(a.Mode), a.Owner, a.Group)
}
