package journal

import "strings"

// remarks finds, in what steps print, what a person has to know at once and not only in the
// output of a step: that apt waits, and for whom, and that dpkg is mended first.
type remarks struct{ last string }

// remarkable are the beginnings of such lines: apt's own (apt-pkg/deb/debsystem.cc, which
// says it every second), and those of sh/packages.sh in internal/script.
var remarkable = []string{
	"Waiting for cache lock: ",
	"waiting: E: Could not get lock",
	"dpkg was interrupted before: ",
}

// in returns the remark that a line is, the first time that it is said in a row.
func (r *remarks) in(line string) (text string, ok bool) {
	for _, beginning := range remarkable {
		if strings.HasPrefix(line, beginning) {
			text = strings.TrimSuffix(line, "...")
			ok = text != r.last
			r.last = text
			return text, ok
		}
	}
	return "", false
}
