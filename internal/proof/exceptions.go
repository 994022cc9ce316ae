package proof

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// exceptions is the one list of what two looks at a host may differ in: for our own tests, and for
// who proves a task of his own.
//
//go:embed exceptions.txt
var exceptions string

// Exception is why things of a kind may differ.
type Exception struct {
	Section string
	Kind    string
	Name    *regexp.Regexp
	Reason  string
}

// Exceptions are those of some sections.
type Exceptions []Exception

// anew is the section of what is compared by kind, owner and mode alone.
const anew = "anew"

// Except returns the exceptions of sections of the list.
func Except(sections ...string) Exceptions {
	var some Exceptions
	for _, section := range sections {
		before := len(some)
		for _, exception := range allExceptions() {
			if exception.Section == section {
				some = append(some, exception)
			}
		}
		if len(some) == before {
			panic("exceptions.txt: no section " + section)
		}
	}
	return some
}

// With adds exceptions that hold for one task.
func (e Exceptions) With(more ...Exception) Exceptions { return slices.Concat(e, more) }

// allExceptions reads the list, which is part of the program.
func allExceptions() Exceptions {
	var all Exceptions
	section := ""
	for line := range strings.Lines(exceptions) {
		line = strings.TrimSuffix(line, "\n")
		switch fields := strings.Split(line, "\t"); {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section, _, _ = strings.Cut(line[1:], "]")
		case len(fields) != 3 || fields[2] == "":
			panic(fmt.Sprintf("exceptions.txt: %q: wants a kind, an expression and a reason", line))
		default:
			all = append(all, Exception{section, fields[0], regexp.MustCompile(fields[1]), fields[2]})
		}
	}
	return all
}

// allow reports whether a difference is one of the exceptions.
func (e Exceptions) allow(d Difference) bool {
	return slices.ContainsFunc(e, func(x Exception) bool {
		return x.Kind == d.Kind && x.Name.MatchString(d.Name) && (x.Section != anew || d.Before != "" && d.After != "" && outline(d.Before) == outline(d.After))
	})
}

// outline is kind, mode and owner of a file.
func outline(description string) string {
	fields := strings.Fields(description)
	return strings.Join(fields[:min(2, len(fields))], " ")
}

// in reports whether a difference is allowed.
func (d Difference) in(e Exceptions) bool { return e.allow(d) }
