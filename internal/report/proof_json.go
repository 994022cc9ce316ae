package report

import (
	"io"
	"time"
)

// The records of proofs. What they tell is of no host that a person has.
type (
	proving struct {
		head
		proofOf
	}
	proved struct {
		head
		proofOf
		Proof   string  `json:"proof"`
		Seconds float64 `json:"seconds"`
		Passed  bool    `json:"passed"`
		Skipped string  `json:"skipped,omitempty"` // why there was nothing to prove
	}
	fault struct {
		head
		proofOf
		Proof string `json:"proof"` // that found it
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
		At    string `json:"at,omitempty"`
	}
	brings struct {
		head
		proofOf
		Package string   `json:"package"`
		Brings  []string `json:"brings"`
		At      string   `json:"at,omitempty"`
	}
	changes struct {
		head
		proofOf
		Command string   `json:"command"`
		Changes []string `json:"changes"`
		At      string   `json:"at,omitempty"`
	}
	proofOf struct {
		Task    string `json:"task"`
		Release string `json:"release"`
	}
)

// ProofsJSON tells programs of proofs, one object a line.
type ProofsJSON struct {
	json   *JSON
	of     proofOf
	faults int
}

// NewProofsJSON returns one that writes to w.
func NewProofsJSON(w io.Writer) *ProofsJSON { return &ProofsJSON{json: NewJSON(w, nil, nil)} }

// Faults is how many there were.
func (p *ProofsJSON) Faults() int { return p.faults }

// Begin begins the proofs of a task on a release; its secrets are masked.
func (p *ProofsJSON) Begin(task, release string, secrets []string) {
	p.json.masker, p.of = NewMasker(secrets), proofOf{task, release}
	p.write(&proving{p.top("proving"), p.of})
}

// Proved writes how a proof ended.
func (p *ProofsJSON) Proved(one Proved) {
	p.write(&proved{p.top("proved"), p.of, one.Name, one.Elapsed.Seconds(), !one.Failed && one.Skipped == "", one.Skipped})
}

// Fault writes what is wrong with a task.
func (p *ProofsJSON) Fault(one Fault) {
	p.faults++
	p.write(&fault{p.top("fault"), p.of, one.Proof, one.Text, one.Hint, one.At.Short()})
}

// Brings writes what a package was seen to bring.
func (p *ProofsJSON) Brings(one Brings) {
	p.write(&brings{p.top("brings"), p.of, one.Package, one.Brings, one.At.Short()})
}

// Changes writes what a command was seen to change.
func (p *ProofsJSON) Changes(one Changes) {
	p.write(&changes{p.top("changes"), p.of, one.Command, one.Changes, one.At.Short()})
}

// End writes what the command exits with. It returns the first error of writing.
func (p *ProofsJSON) End(exitCode int) error {
	p.json.Summary("", exitCode)
	return p.json.Close()
}

func (p *ProofsJSON) top(event word) head { return head{Time: newStamp(time.Now()), Event: event} }

func (p *ProofsJSON) write(r record) {
	gate(r, p.json.masker.Mask)
	p.json.mu.Lock()
	defer p.json.mu.Unlock()
	p.json.write(r)
}
