package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/report"
	"provision/internal/run"
	"provision/internal/script"
)

// savedPlan is a plan in a file, for somebody to look at before it is installed. It holds
// how the plan was asked for, so that it can be made again, and of each host what it was,
// to be shown, and as a digest. It holds no secret: -e has a secret's place, never its value.
type savedPlan struct {
	Format    int               `json:"format"`
	Version   string            `json:"version"` // of provision
	Made      time.Time         `json:"made"`    // by the controller's clock
	By        string            `json:"by"`
	Tasks     []string          `json:"tasks"` // empty: those that the inventory gives each host
	Upgrade   bool              `json:"upgrade,omitempty"`
	TakeOver  bool              `json:"take_over,omitempty"`
	Adopt     bool              `json:"adopt,omitempty"`
	Extra     []string          `json:"extra_vars,omitempty"`
	Inventory string            `json:"inventory,omitempty"`
	AdHoc     bool              `json:"ad_hoc,omitempty"` // the hosts were named with -H
	Local     bool              `json:"local,omitempty"`
	Salt      []byte            `json:"salt"`
	Hosts     []savedHost       `json:"hosts"`
	Plans     []json.RawMessage `json:"plans"` // each once, as --json tells it
}

// savedHost is one host of a saved plan.
type savedHost struct {
	Name   string   `json:"name"`
	Typed  string   `json:"typed"`            // on the command line
	Place  string   `json:"place"`            // where it is, by the inventory or the command line
	Digest string   `json:"digest,omitempty"` // "" of a host that cannot be planned before others are changed
	After  []string `json:"after,omitempty"`  // these, for what they export: it is planned, or planned again, then
	Plan   int      `json:"plan,omitempty"`   // which of the plans is its, from 1 on
}

// agreed reports whether a plan with this digest is one that the saved one says: the same, or one that
// comes after the hosts that it waits for, of which nothing else could be said.
func (h savedHost) agreed(digest string, late bool) bool {
	return h.Digest == digest && !late || late && len(h.After) > 0
}

// shows reports whether the file shows of a host what a plan does. The digest says what is agreed to, and who
// looked at the file has seen this: a file that was edited may say another thing here than there.
func (s savedPlan) shows(host savedHost, plan engine.Plan, secrets []string) bool {
	return report.SameChanges(s.planOf(host), report.PlanRecord(plan, secrets))
}

// planFormat is the format of saved plans that this program writes and reads.
const planFormat = 3

// place is where a host is, whoever logs in.
func place(target run.Target) string {
	host, port, _ := strings.Cut(target.Address.Place(), " ")
	return net.JoinHostPort(host, port)
}

// savePlan returns the plans that were made for an errand.
func (f *flags) savePlan(e errand, names []string, made map[string]engine.Plan, results []run.Result) (savedPlan, error) {
	saved := savedPlan{
		Format: planFormat, Version: version(), Made: time.Now().UTC().Truncate(time.Second), By: whoami(),
		Tasks: names, Upgrade: f.run.upgrade, TakeOver: f.run.takeOver, Adopt: f.run.adopt, Extra: f.selection.extra, Inventory: f.selection.namedInventory(),
		AdHoc: len(f.selection.hosts) > 0, Local: f.selection.local, Salt: make([]byte, 32),
	}
	rand.Read(saved.Salt) // never fails: crypto/rand, since Go 1.24
	for i, w := range e.work {
		host := savedHost{Name: w.Target.Name, Typed: e.typed[i], Place: place(w.Target), After: results[i].Awaits}
		if plan, there := made[host.Name]; there {
			digest, err := digest(saved.Salt, plan, e.secrets)
			if err != nil {
				return saved, err
			}
			host.Digest, host.Plan = digest, saved.add(report.PlanRecord(plan, e.secrets))
		}
		saved.Hosts = append(saved.Hosts, host)
	}
	return saved, nil
}

// add keeps a plan, once, and returns its number.
func (s *savedPlan) add(plan json.RawMessage) int {
	at := slices.IndexFunc(s.Plans, func(one json.RawMessage) bool { return bytes.Equal(one, plan) })
	if at < 0 {
		at, s.Plans = len(s.Plans), append(s.Plans, plan)
	}
	return at + 1
}

// planOf is the plan of a host, nil of one that has none.
func (s savedPlan) planOf(host savedHost) json.RawMessage {
	if host.Plan < 1 || host.Plan > len(s.Plans) {
		return nil
	}
	return s.Plans[host.Plan-1]
}

// write writes the plan into a file that only the person can read: diffs show configurations.
func (s savedPlan) write(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeOut(path, append(data, '\n'))
}

// maxPlan bounds a saved plan, in bytes.
const maxPlan = 64 << 20

func readPlan(path string) (savedPlan, error) {
	var saved savedPlan
	refuse := func(problem string) (savedPlan, error) {
		return saved, usage(fmt.Errorf("%s: %s", path, problem), "make one: provision plan --out FILE")
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse("no such file")
	case err == nil && !info.Mode().IsRegular(): // to read a FIFO might never end
		return refuse("is not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return refuse(errors.Unwrap(err).Error())
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxPlan+1))
	if err != nil {
		return refuse(err.Error())
	}
	if json.Unmarshal(data, &saved) != nil || saved.Format == 0 || len(saved.Hosts) == 0 {
		return refuse("is not a saved plan")
	}
	if saved.Format != planFormat {
		return saved, otherProvision{path, saved.Version}
	}
	return saved, nil
}

// otherProvision refuses a plan that another provision made: what it would do may be something else, or
// cannot even be read.
type otherProvision struct{ path, version string }

func (o otherProvision) Error() string {
	return fmt.Sprintf("%s: was made by provision %s, and this is %s", o.path, o.version, version())
}

// Hint is what there is to do instead.
func (o otherProvision) Hint() string { return "plan anew: provision plan --out " + o.path }

// Is counts it as a plan that is not that of the host.
func (otherProvision) Is(target error) bool { return target == engine.ErrStale }

// asked is how it was asked for: its tasks, and what else decides what is done.
func (s savedPlan) asked() string {
	words := []string{strings.Join(s.Tasks, ", ")}
	for _, extra := range s.Extra {
		words = append(words, "-e "+script.Quote(extra))
	}
	if s.Inventory != "" {
		words = append(words, "--inventory "+script.Quote(s.Inventory))
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"--upgrade", s.Upgrade}, {"--take-over", s.TakeOver}, {"--adopt", s.Adopt}} {
		if flag.set {
			words = append(words, flag.name)
		}
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// current refuses a plan that another provision made: what it would do may be something else.
func (s savedPlan) current(path string) error {
	if s.Version != version() {
		return otherProvision{path, s.Version}
	}
	return nil
}

// selection says which hosts a saved plan is for. The command line may name some of them.
func (s savedPlan) selection(given selection) selection {
	given.extra = append(slices.Clone(s.Extra), given.extra...)
	if given.inventory == "" {
		given.inventory = s.Inventory
	}
	if given.named() {
		return given
	}
	given.local = s.Local
	for _, host := range s.Hosts {
		if s.AdHoc {
			given.hosts = append(given.hosts, host.Typed)
		} else if !s.Local {
			given.limit = append(given.limit, host.Typed)
		}
	}
	return given
}
