package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"provision/internal/recipe"
)

// Proved is how one proof of a task ended.
type Proved struct {
	Name    string
	Elapsed time.Duration
	Failed  bool
	Skipped string // why there was nothing to prove
}

// Fault is what is wrong with a task.
type Fault struct {
	Proof string // that found it
	At    recipe.Position
	Text  string
	Hint  string // what to write instead
}

// Brings is what a package was seen to bring, and the task does not say.
type Brings struct {
	Package string
	At      recipe.Position
	Brings  []string
}

// Changes is what a command was seen to change of what the task asks about, and the task does not say.
type Changes struct {
	Command string
	At      recipe.Position
	Changes []string
}

// Proofs shows proofs of tasks to a person, a line each as they end, and then what is wrong.
type Proofs struct {
	w       io.Writer
	options Options
	page    page
	faults  int
}

// NewProofs returns one that writes to w.
func NewProofs(w io.Writer, o Options) *Proofs { return &Proofs{w: w, options: o, page: newPage(o)} }

// Faults is how many there were.
func (p *Proofs) Faults() int { return p.faults }

// Begin begins the proofs of a task on a release; its secrets are masked.
func (p *Proofs) Begin(task, release string, secrets []string) {
	p.options.Secrets = secrets
	fmt.Fprintf(p.w, "%s on %s\n", task, release)
}

// Proved shows how a proof ended.
func (p *Proofs) Proved(proved Proved) {
	sign, tail := p.page.paint.good.Render(p.page.sign.good), secondsText(proved.Elapsed.Seconds())
	switch {
	case proved.Failed:
		sign = p.page.paint.bad.Render(p.page.sign.bad)
	case proved.Skipped != "":
		sign, tail = p.page.paint.faint.Render("-"), p.page.paint.faint.Render(proved.Skipped)
	}
	fmt.Fprintf(p.w, "  %s %-48s %s\n", sign, proved.Name, tail)
}

// Fault shows what is wrong with a task, where it says so, and what to write instead.
func (p *Proofs) Fault(fault Fault) {
	p.faults++
	text := fault.Text
	if place := fault.At.Short(); place != "" {
		text = place + ": " + text
	}
	_ = Problem(p.w, p.options, errors.New(text), fault.Hint) // a write that fails leaves nobody to tell
}

// Brings shows what could be written in a task, for one to copy.
func (p *Proofs) Brings(brings Brings) {
	p.paste(brings.At, "it brings what the task asks about", fmt.Sprintf("package(%q, brings = %s)", brings.Package, starlarkList(brings.Brings)))
}

// Changes shows what could be written in a task, for one to copy.
func (p *Proofs) Changes(changes Changes) {
	p.paste(changes.At, "what it changes was measured", fmt.Sprintf("command(%q, …, changes = %s)", changes.Command, starlarkList(changes.Changes)))
}

func (p *Proofs) paste(at recipe.Position, why, text string) {
	if place := at.Short(); place != "" {
		why = place + ": " + why
	}
	fmt.Fprintf(p.w, "%s; for an exact plan write\n  %s\n", why, p.page.paint.act.Render(text))
}

// starlarkList is how a task writes a list of texts.
func starlarkList(texts []string) string {
	var quoted []string
	for _, text := range texts {
		quoted = append(quoted, fmt.Sprintf("%q", text))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// End ends all of it.
func (p *Proofs) End(int) error { return nil }
