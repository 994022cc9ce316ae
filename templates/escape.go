package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrUnfit is what the escaping functions wrap when a value cannot stand in the format
// that it is meant for. Variables are checked where they are declared; this is the
// second line of defence.
var ErrUnfit = errors.New("cannot stand there")

func unfit(format, value string) (string, error) {
	return "", fmt.Errorf("%q %w: not a value for %s", value, ErrUnfit, format)
}

// What needs no quoting in nginx.conf: no white space, and none of ; { } " ' \ # $,
// which end a word, open a block or bring in a variable; ~ and ^ would make a regular
// expression of a server name.
var nginxWord = regexp.MustCompile(`^[A-Za-z0-9*._/:@+=,%\[\]-]+$`)

// nginxValue returns value as one word of nginx.conf.
func nginxValue(value string) (string, error) {
	if !nginxWord.MatchString(value) {
		return unfit("nginx", value)
	}
	return value, nil
}

var iniSection = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)

// iniName returns name as the name of a section. Python's configparser gives DEFAULT a
// meaning of its own.
func iniName(name string) (string, error) {
	if !iniSection.MatchString(name) || name == "DEFAULT" {
		return unfit("a section's name", name)
	}
	return name, nil
}

// iniValue returns value as it stands behind "key = " in a file that Python's
// configparser reads with its usual interpolation, as carbon does: a per cent sign is
// doubled, and what would be lost (white space at the ends, more lines) is refused.
func iniValue(value string) (string, error) {
	if value == "" || value != strings.TrimSpace(value) || !printable(value) {
		return unfit("an ini file", value)
	}
	return strings.ReplaceAll(value, "%", "%%"), nil
}

// pythonString returns value as a literal of Python. Go's escapes of ASCII literals
// (\n, \x1b, \u00e9, \U0001f600) mean the same there (Python reference, 2.4.1).
func pythonString(value string) (string, error) {
	if !utf8.ValidString(value) {
		return unfit("Python", value)
	}
	return strconv.QuoteToASCII(value), nil
}

// javascriptString returns value as a literal of JavaScript, of which JSON's are a part (ECMA-262, as
// of 2019). encoding/json writes <, > and & so that they may also stand in a page.
func javascriptString(value string) (string, error) {
	if !utf8.ValidString(value) {
		return unfit("JavaScript", value)
	}
	literal, err := json.Marshal(value)
	return string(literal), err
}

var unitText = regexp.MustCompile(`^[A-Za-z0-9 ._/:@+=,%()\[\]-]+$`)

// unitValue returns value as it stands in a unit file: a per cent sign would begin a
// specifier (systemd.unit(5)) and is doubled; quotes, backslashes, $ and ; are refused.
func unitValue(value string) (string, error) {
	if !unitText.MatchString(value) || value != strings.TrimSpace(value) {
		return unfit("a unit file", value)
	}
	return strings.ReplaceAll(value, "%", "%%"), nil
}

// unitWord returns value as one word of a unit file's list, as a path or another unit: what
// unitValue takes, without blanks.
func unitWord(value string) (string, error) {
	if strings.Contains(value, " ") {
		return unfit("one word of a unit file", value)
	}
	return unitValue(value)
}

var (
	assignment      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	plainAssignment = regexp.MustCompile(`^[A-Za-z0-9._/:@+=,%()\[\]-]+$`)
	inUnitQuotes    = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%")
)

// unitAssignment returns NAME=value as it stands behind Environment=, where a blank would begin
// another assignment: quoted where that is needed (systemd.syntax(7)). A $ has no meaning there
// (systemd.exec(5)).
func unitAssignment(value string) (string, error) {
	switch {
	case !assignment.MatchString(value) || !printable(value) || strings.Contains(value, "\t"):
		return unfit("Environment= of a unit file", value)
	case plainAssignment.MatchString(value):
		return unitValue(value)
	}
	return `"` + inUnitQuotes.Replace(value) + `"`, nil
}

// uwsgiValue returns value as it stands in uWSGI's own ini files, where %, $( and @( have
// a meaning: a path, a name or a user, nothing else.
func uwsgiValue(value string) (string, error) {
	if !uwsgiWord.MatchString(value) {
		return unfit("uWSGI", value)
	}
	return value, nil
}

var uwsgiWord = regexp.MustCompile(`^[A-Za-z0-9._/:+-]+$`)

// prefix returns a network in its canonical form: 10.0.0.0/8, 2001:db8::/32.
func prefix(value string) (string, error) {
	network, err := netip.ParsePrefix(value)
	if err != nil || network != network.Masked() {
		return unfit("a network", value)
	}
	return network.String(), nil
}

// address returns an address in its canonical form, without a zone.
func address(value string) (string, error) {
	is, err := netip.ParseAddr(value)
	if err != nil || is.Zone() != "" || is.String() != value {
		return unfit("an address", value)
	}
	return value, nil
}

var redisWord = regexp.MustCompile(`^[A-Za-z0-9._/:@+-]+$`)

// redisValue returns value as one word of redis.conf, which splits at white space and has
// quotes.
func redisValue(value string) (string, error) {
	if !redisWord.MatchString(value) {
		return unfit("redis.conf", value)
	}
	return value, nil
}

// lineValue returns value as it stands behind "key = " in a file where the rest of the line
// is the value, as it is: gimel's.
func lineValue(value string) (string, error) {
	if value == "" || value != strings.TrimSpace(value) || !printable(value) {
		return unfit("one line", value)
	}
	return value, nil
}

func printable(value string) bool {
	if !utf8.ValidString(value) {
		return false
	}
	for _, r := range value {
		if !unicode.IsPrint(r) && r != '\t' {
			return false
		}
	}
	return true
}
