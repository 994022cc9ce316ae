package resource

import (
	"fmt"
	"strings"

	"provision/internal/recipe"
)

// unitDirectory is where units of the host's own are (systemd.unit(5)).
const unitDirectory = "/etc/systemd/system/"

// unitText is a text in a unit file, in which % begins a specifier.
func unitText(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// unitShell is a setting that runs sh text: in quotes systemd takes escapes as C does, and $ begins a
// variable of its own (systemd.service(5), COMMAND LINES).
func unitShell(text string) string {
	return `/bin/sh -c "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "%", "%%", "$", "$$").Replace(text) + `"`
}

// checkUnitText refuses what would end a line of a unit file, or go on with the next.
func checkUnitText(what, text string) error {
	if strings.ContainsAny(text, "\n\r\x00") || strings.HasSuffix(text, `\`) || strings.TrimSpace(text) != text {
		return fmt.Errorf("%s: %q is not one line of text", what, text)
	}
	return nil
}

// unitOfPath is the name of a unit for a path, as systemd-escape(1) --path makes it.
func unitOfPath(path, suffix string) string {
	var s strings.Builder
	for i, c := range []byte(strings.Trim(path, "/")) {
		switch {
		case c == '/':
			s.WriteByte('-')
		case c == '.' && i > 0, c == ':' || c == '_', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			s.WriteByte(c)
		default:
			fmt.Fprintf(&s, `\x%02x`, c)
		}
	}
	return s.String() + suffix
}

// unitItems are a unit that runs, with its files: the last of these is its own. What is absent goes
// the other way.
func unitItems(service Service, files ...File) []recipe.Item {
	var items []recipe.Item
	if service.Absent {
		items = append(items, recipe.Item{Resource: service})
		for i := range files {
			items = append(items, recipe.Item{Resource: files[len(files)-1-i]})
		}
		return items
	}
	for _, file := range files {
		items = append(items, recipe.Item{Resource: file})
	}
	items[len(items)-1].Notifies = []recipe.Notification{{Unit: service.Unit, Action: recipe.Restart}}
	return append(items, recipe.Item{Resource: service})
}
