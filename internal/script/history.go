package script

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// Past is a run that a host remembers.
type Past struct {
	Run     string // its name: 000042
	Began   string // by the host's clock, RFC 3339
	Head    Record
	Steps   []Record // those that were done, and not undone by the host itself
	Failed  []Record // those that were not, nor undone: with their status, or cut off with none
	Kept    map[int]Kept
	Outcome string // "" when it died before its end
}

// Kept is what stood at a path before a step.
type Kept struct {
	Kind string // absent, file, link, directory, tree, other; planted where nothing was and a whole tree came
	Path string
}

// Copy returns where the host has the copy of what a step replaced.
func (p Past) Copy(step int) string {
	return State + "/runs/" + p.Run + "/kept/" + strconv.Itoa(step)
}

// History is the script that prints all runs that a host remembers, oldest first. A file system
// may leave NULs at the end of a file that the host's loss of power cut short.
const History = `for run in ` + State + `/runs/*; do
[ -f "$run/journal" ] || continue
printf '%s\000' "${run##*/}"
tr -d '\000' <"$run/journal"; printf '\000'
[ ! -f "$run/kept/index" ] || tr -d '\000' <"$run/kept/index"
printf '\000'
done
printf 'end\000'`

// ParseHistory reads what History printed: ErrTruncated when that is not all. A line that was
// cut short, as when the host lost power or its disk was full, is left out.
func ParseHistory(output []byte) ([]Past, error) {
	fields := strings.Split(string(output), "\x00")
	var runs []Past
	for ; len(fields) >= 3 && fields[0] != "end"; fields = fields[3:] {
		runs = append(runs, parsePast(fields[0], fields[1], fields[2]))
	}
	if len(fields) == 0 || fields[0] != "end" {
		return nil, ErrTruncated
	}
	return runs, nil
}

func parsePast(name, journal, index string) Past {
	past := Past{Run: name, Kept: map[int]Kept{}}
	begun := map[int]Record{}
	for _, line := range strings.Split(strings.TrimSpace(journal), "\n") {
		at, text, ok := strings.Cut(line, " ")
		var record Record
		if !ok || json.Unmarshal([]byte(text), &record) != nil {
			continue
		}
		switch record.Event {
		case "run":
			past.Head, past.Began = record, at
		case "plan":
			past.Head.Plan = record.Plan
		case "begin":
			begun[record.Step] = record
		case "end":
			step, ok := begun[record.Step]
			switch delete(begun, record.Step); {
			case ok && record.Status == 0:
				past.Steps = append(past.Steps, step)
			case ok:
				step.Status = record.Status
				past.Failed = append(past.Failed, step)
			}
		case "undo": // the host has taken the step back, as nobody confirmed it
			delete(begun, record.Step)
			past.forget(func(step Record) bool { return step.Step == record.Step })
		case "undone":
			past.forget(func(step Record) bool { return step.Unit == record.Unit })
		case "finish":
			past.Outcome = record.Outcome
		}
	}
	for _, number := range slices.Sorted(maps.Keys(begun)) { // the run died in it, or its end could not be written down
		past.Failed = append(past.Failed, begun[number])
	}
	for _, line := range strings.Split(strings.TrimSpace(index), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		number, bad := strconv.Atoi(fields[0])
		path, cut := decode(fields[2])
		if bad == nil && cut == nil {
			past.Kept[number] = Kept{Kind: fields[1], Path: path}
		}
	}
	return past
}

// decode returns the path that a word of a host's list stands for (see code in sh/place.sh).
func decode(word string) (string, error) {
	if strings.HasPrefix(word, "/") {
		return word, nil
	}
	path, err := base64.StdEncoding.DecodeString(word)
	return string(path), err
}

// forget leaves out steps that the host itself has undone.
func (p *Past) forget(undone func(Record) bool) {
	p.Steps, p.Failed = slices.DeleteFunc(p.Steps, undone), slices.DeleteFunc(p.Failed, undone)
}

// Begun returns the steps that were done, and those that may be, also in part: that failed, or
// that the run died in. What was there before a step on a file is kept before anything else:
// where nothing is kept, nothing was done.
func (p Past) Begun() []Record {
	begun := slices.Concat(p.Steps, p.Failed)
	slices.SortFunc(begun, func(a, b Record) int { return a.Step - b.Step })
	return slices.DeleteFunc(begun, func(step Record) bool {
		_, kept := p.Kept[step.Step]
		return step.Path != "" && !kept
	})
}

// Replacement is a step of a run that replaced a file, and kept what was there.
type Replacement struct {
	Run string
	Record
}

// Unloaded returns the replacements of files since a unit last loaded its files and stayed up,
// newest first: taken back one after the other, they leave what the unit loaded then. loaded is
// false when no run that is remembered started, restarted or reloaded it; the replacements
// are then all that there are.
func Unloaded(runs []Past, unit string) (replacements []Replacement, loaded bool) {
	for _, past := range slices.Backward(runs) {
		stayed := false
		add := func(step Record) {
			if _, kept := past.Kept[step.Step]; kept && step.Path != "" {
				replacements = append(replacements, Replacement{past.Run, step})
			}
		}
		for _, step := range slices.Backward(past.Failed) {
			if step.Status == 0 { // the run died in it: it may be done
				add(step)
			}
		}
		for _, step := range slices.Backward(past.Steps) {
			stayed = stayed || step.Kind == KindWatch && step.Resource == "service:"+unit
			if step.Unit == unit && step.Verb.Loads() && (stayed || !step.Watched) {
				return replacements, true
			}
			add(step)
		}
	}
	return replacements, false
}

// Changing reports whether the run did anything that a rollback can take back, or may have.
func (p Past) Changing() bool {
	for _, step := range p.Begun() {
		if step.Path != "" || step.Unit != "" && step.Verb != recipe.VerbReload {
			return true
		}
	}
	return false
}
