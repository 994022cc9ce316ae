package script

import (
	"fmt"
	"strings"
	"time"
)

// library are the functions that a run, its rehearsals, and what undoes a guarded change share.
func library() string {
	return source("prelude", "way", "place", "kept", "mounts", "trees", "plant", "swap", "files", "downloads", "command", "units", "packages", "purge", "guard", "rehearse", "memory", "shipped")
}

// Run is what the host is told of a run before its first step.
type Run struct {
	Holder   string        // who runs it, for whoever finds the host locked: one line
	Header   string        // the first line of its journal: JSON, one line
	Patience time.Duration // how long to wait for the lock
	Silence  time.Duration // after which a silent controller is gone; 0 is 60 s
	Question string        // sh that only asks, answered as soon as the lock is held; "" is none
}

// silence is how long a host waits for a word of its controller.
const silence = 60 * time.Second

// keptRuns is how many runs' journals and kept copies stay on the host, and of how many actions.
const keptRuns = 50

// Runner returns the script of a run: it takes the host's lock, sweeps what a dead run
// left, and then obeys the lines on its standard input: "alive", "run N", "ask N" and "then N"
// with N bytes of sh after it, "finish JSON". "then" is an ask that is left out when the run
// before it failed. It answers on standard output:
//
//	busy WHO            the lock is held; it waits
//	locked WHO          it waited in vain; exit status 75
//	ready RUN NONCE BOOT SWEPT UNFINISHED…
//	begin N / end N RC  for each step
//	batch RC            after each run
//	answer BASE64       after each ask, and to the question: what the script printed
//	finished
//
// What steps print comes on standard error. Before each step and after each batch a mark
// stands there: a newline, then a line of \036, NONCE, a space and the number or "batch".
func Runner(run Run) string {
	texts := "library=" + Quote(library()) + "\nundoing=" + Quote(source("undo")) + "\n"
	return run.head() + source("say") + texts + `eval "$library"` + "\n" + source("runner")
}

// head sets the variables of runner.sh.
func (run Run) head() string {
	if run.Silence == 0 {
		run.Silence = silence
	}
	return fmt.Sprintf("holder=%s\npatience=%d\nsilence=%d\nheader=%s\nleave=%d\nquestion=%s\n",
		Quote(oneLine(run.Holder)), seconds(run.Patience), seconds(run.Silence), Quote(oneLine(run.Header)), keptRuns, Quote(run.Question))
}

// seconds rounds up: timeout(1) takes 0 for no limit.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func oneLine(text string) string { return strings.Join(strings.FieldsFunc(text, isBreak), " ") }

func isBreak(r rune) bool { return r == '\n' || r == '\r' }

// strip leaves out comments and indentation, which only cost bytes on the wire; what shellcheck
// is told stays, for it is shown the scripts as hosts get them. A line
// that starts with # is a comment in all of sh/*.sh: none has a here-document.
func strip(text string) string {
	var kept strings.Builder
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# shellcheck ") {
			continue
		}
		kept.WriteString(line + "\n")
	}
	return kept.String()
}
