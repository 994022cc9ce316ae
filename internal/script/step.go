package script

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
)

// DefaultTimeout bounds a command that names no bound of its own.
const DefaultTimeout = 30 * time.Minute

// Steps returns the sh of steps that are done one after the other, for a runner: each
// announced, journaled before and after, and the last one when one fails. Neighbouring files
// of one directory are written as a set.
func Steps(steps []recipe.Numbered) string {
	var s strings.Builder
	for _, set := range sets(steps) {
		var numbers, records []string
		first := set[0]
		act := told(first.Step)
		before := ""
		for _, step := range set {
			numbers = append(numbers, fmt.Sprint(step.Number))
			records = append(records, begun(step, told(step.Step)).Line())
			before += covered(step)
		}
		if path := secretAt(first.Step); path != "" {
			before += "secret " + Quote(path) + "\n"
		}
		line := act.line(first.Number)
		if len(set) > 1 {
			line = writeFiles(set)
		}
		// A step does not get descriptor 3: only the runner speaks to the controller.
		fmt.Fprintf(&s, "say begin %s\nmark %s\nrecord %s || exit 71\n(\nset -e\n%s%s) 3>&-\nended $? %s || exit\n",
			numbers[0], numbers[0], QuoteAll(records...), before, line, strings.Join(numbers, " "))
	}
	return s.String()
}

// secretAt is where a secret is, or was, of a step that makes, replaces or removes one.
func secretAt(step recipe.Step) string {
	if made, ok := step.(recipe.MakeSecret); ok {
		return made.Path
	}
	if recipe.SecretOf(step) {
		return recipe.PathOf(step)
	}
	return ""
}

// Note returns the sh that adds a record to the run's journal, for a runner.
func Note(record Record) string { return "record " + Quote(record.Line()) + " || exit\n" }

// act is how a step is told to a host: by one call of a function of sh/, which gets the step's
// number and words, and what it reads. A new step is a new case of told, and a function.
type act struct {
	function string // and the step's kind in the journal
	words    []string
	input    []byte        // on standard input, for a secret is never in argv
	feeds    bool          // it reads its input, though that may be empty
	note     func(*Record) // what the journal has of it beside its path; nil is nothing
}

// line is the call. The input is a here-document, which dash hands over by a pipe: it is in
// no argv and in no file.
func (a act) line(number int) string {
	call := a.function + " " + fmt.Sprint(number) + " " + QuoteAll(a.words...)
	if !a.feeds {
		return strings.TrimSuffix(call, " ") + "\n"
	}
	return call + " <<'EOF'\n" + wrap(base64.StdEncoding.EncodeToString(a.input)) + "EOF\n"
}

// told says how each step is told; toldOfFile those on a path.
func told(step recipe.Step) act {
	switch step := step.(type) {
	case recipe.FetchLists:
		return act{function: "fetch_lists"}
	case recipe.InstallPackages:
		update := "no"
		if step.Update {
			update = "yes"
		}
		return act{function: "install_packages", words: append([]string{update, strings.Join(step.Restarts, " ")}, step.Names...)}
	case recipe.InstallDeb:
		return act{function: "install_packages", words: []string{"no", strings.Join(step.Restarts, " "), step.Path}}
	case recipe.RemovePackages:
		planned := slices.Clone(step.With.Along)
		for _, name := range step.With.Comes {
			planned = append(planned, "+"+name)
		}
		return act{function: "remove_packages", words: append([]string{strings.Join(planned, " ")}, step.Names...)}
	case recipe.ControlUnit:
		return controlUnit(step)
	case recipe.Exec:
		limit := step.Timeout
		if limit == 0 {
			limit = DefaultTimeout
		}
		return act{function: "execute", words: []string{fmt.Sprint(seconds(limit)), step.Script}, input: []byte(step.Input.Reveal()), feeds: true}
	case recipe.Rehearse:
		return act{function: "rehearse", words: []string{step.Unit, named(step.Check)}, input: []byte(rehearsal(step)), feeds: true}
	case recipe.Arm:
		return act{function: "arm", words: []string{step.Unit, orDash(step.Found.Active), orDash(step.Found.State)}}
	case recipe.Confirm:
		return act{function: "confirm", words: []string{step.Unit}}
	case recipe.Undo:
		return act{function: "undo_now", words: []string{step.Unit}}
	case recipe.Watch:
		return act{function: KindWatch, words: []string{step.Unit}}
	case recipe.Notify:
		return act{function: "notify", words: []string{step.Unit, string(step.Action)}}
	case recipe.Clear:
		return act{function: "clear", words: []string{step.Unit}}
	}
	return toldOfFile(step)
}

func controlUnit(step recipe.ControlUnit) act {
	flag := func(name string, on bool) string {
		if on {
			return name
		}
		return ""
	}
	kind := flag("oneshot", step.Oneshot) + flag("watched", step.Watched)
	guard := ""
	if step.Guarded {
		guard = fmt.Sprint(seconds(recipe.UndoAfter))
	}
	words := []string{
		step.Unit, string(step.Verb), flag("reload", step.Found.NeedReload), step.Check, named(step.Check), step.Ready, named(step.Ready),
		guard, flag("back", step.Back), kind,
	}
	for _, listener := range step.Listens {
		words = append(words, procAddress(listener))
	}
	return act{function: "control_unit", words: words, note: func(r *Record) {
		r.Unit, r.Verb, r.Found = step.Unit, step.Verb, &step.Found
		r.Check, r.Listens, r.Guarded, r.Watched = step.Check, step.Listens, step.Guarded, step.Watched
	}}
}

// named is how a validator is called to people: by its text, or when it is long by the
// comment that it begins with.
func named(check string) string {
	line, _, _ := strings.Cut(check, "\n")
	if comment, ok := strings.CutPrefix(line, "# "); ok {
		return comment
	}
	return check
}

// wrap breaks base64 into lines of 76 characters, as base64(1) does.
func wrap(text string) string {
	var s strings.Builder
	for part := range slices.Chunk([]byte(text), 76) {
		s.Write(part)
		s.WriteString("\n")
	}
	return s.String()
}

// The bounds of a set: its text is a word of the shell that evaluates it, and its files'
// names are arguments of one command.
const (
	mostInSet  = 500
	mostOfSet  = 4 << 20 // bytes of content
	largestOne = 1 << 20
)

// sets parts steps into those that are done together. Neighbouring files of one directory with
// the same mode and owners are a set; every other step is one by itself.
func sets(steps []recipe.Numbered) [][]recipe.Numbered {
	var all [][]recipe.Numbered
	size := 0
	for _, step := range steps {
		last := len(all) - 1
		if write, ok := step.Step.(recipe.WriteFile); ok && last >= 0 && len(all[last]) < mostInSet && joins(all[last][0], step) {
			if size += len(write.Content); size <= mostOfSet {
				all[last] = append(all[last], step)
				continue
			}
		}
		all = append(all, []recipe.Numbered{step})
		size = 0
	}
	return all
}

// joins reports whether a step may be done together with the first of a set. What holds a
// secret, or is undone with a guarded change, goes by itself.
func joins(first, next recipe.Numbered) bool {
	a, ok := first.Step.(recipe.WriteFile)
	b, also := next.Step.(recipe.WriteFile)
	return ok && also && plain(a) && plain(b) && a.Attributes == b.Attributes && path.Dir(a.Path) == path.Dir(b.Path) && a.Path != b.Path &&
		len(first.Guards)+len(next.Guards) == 0
}

func plain(write recipe.WriteFile) bool {
	return !recipe.SecretOf(write) && len(write.Content) <= largestOne
}

// writeFiles is the call that writes a set.
func writeFiles(set []recipe.Numbered) string {
	first := set[0].Step.(recipe.WriteFile)
	a := act{function: "write_files", words: placed(path.Dir(first.Path), first.Attributes), feeds: true}
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, numbered := range set {
		write := numbered.Step.(recipe.WriteFile)
		name := "./" + path.Base(write.Path)
		a.words = append(a.words, name)
		// A bytes.Buffer does not fail, and a regular file's header has nothing that tar refuses.
		archive.WriteHeader(&tar.Header{Name: name, Size: int64(len(write.Content)), Mode: 0o600, Format: tar.FormatGNU})
		archive.Write(write.Content)
	}
	archive.Close()
	a.input = packed.Bytes()
	return a.line(set[0].Number)
}
