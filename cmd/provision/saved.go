package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/recipe"
	"provision/internal/report"
	"provision/internal/run"
	"provision/internal/script"
)

// savedPlan is a plan in a file, for somebody to look at before it is installed. It holds
// how the plan was asked for, so that it can be made again, and of each host what it was,
// as text and as a digest. It holds no secret: -e has a secret's place, never its value.
type savedPlan struct {
	Format    int         `json:"format"`
	Version   string      `json:"version"` // of provision
	Made      time.Time   `json:"made"`    // by the controller's clock
	By        string      `json:"by"`
	Tasks     []string    `json:"tasks"` // empty: those that the inventory gives each host
	Upgrade   bool        `json:"upgrade,omitempty"`
	TakeOver  bool        `json:"take_over,omitempty"`
	Adopt     bool        `json:"adopt,omitempty"`
	Extra     []string    `json:"extra_vars,omitempty"`
	Inventory string      `json:"inventory,omitempty"`
	AdHoc     bool        `json:"ad_hoc,omitempty"` // the hosts were named with -H
	Local     bool        `json:"local,omitempty"`
	Salt      []byte      `json:"salt"`
	Hosts     []savedHost `json:"hosts"`
}

// savedHost is one host of a saved plan.
type savedHost struct {
	Name   string   `json:"name"`
	Typed  string   `json:"typed"`            // on the command line
	Digest string   `json:"digest,omitempty"` // "" of a host that cannot be planned before others are changed
	After  []string `json:"after,omitempty"`  // these, for what they export: it is planned, or planned again, then
	Plan   []string `json:"plan"`             // as it was shown
}

// agreed reports whether a plan with this digest is one that the saved one says: the same, or one that
// comes after the hosts that it waits for, of which nothing else could be said.
func (h savedHost) agreed(digest string, late bool) bool {
	return h.Digest == digest && !late || late && len(h.After) > 0
}

// planFormat is the format of saved plans that this program writes and reads.
const planFormat = 1

// savePlan returns the plans that were made for an errand.
func (f *flags) savePlan(e errand, names []string, made map[string]engine.Plan, results []run.Result) (savedPlan, error) {
	saved := savedPlan{
		Format: planFormat, Version: version(), Made: time.Now().UTC().Truncate(time.Second), By: whoami(),
		Tasks: names, Upgrade: f.run.upgrade, TakeOver: f.run.takeOver, Adopt: f.run.adopt, Extra: f.selection.extra, Inventory: f.selection.namedInventory(),
		AdHoc: len(f.selection.hosts) > 0, Local: f.selection.local, Salt: make([]byte, 32),
	}
	rand.Read(saved.Salt) // never fails: crypto/rand, since Go 1.24
	for i, w := range e.work {
		host := savedHost{Name: w.Target.Name, Typed: e.typed[i], After: results[i].Awaits}
		if plan, there := made[host.Name]; there {
			digest, err := digest(saved.Salt, plan, e.secrets)
			if err != nil {
				return saved, err
			}
			host.Digest, host.Plan = digest, planText(host.Name, plan, e.secrets)
		}
		if len(host.After) > 0 {
			host.Plan = append(host.Plan, fmt.Sprintf("%s is planned after %s, and changed without a further question: what that changes is known then", host.Name, strings.Join(host.After, ", ")))
		}
		saved.Hosts = append(saved.Hosts, host)
	}
	return saved, nil
}

// planText is a plan as it is shown.
func planText(host string, plan engine.Plan, secrets []string) []string {
	var text bytes.Buffer
	terminal := report.NewTerminal(&text, report.Options{Plan: true, Secrets: secrets})
	terminal.Event(engine.HostEvent{Host: host, Event: engine.PlanMade{Plan: plan}})
	terminal.Close() // a buffer takes everything
	return strings.Split(strings.TrimSpace(text.String()), "\n")
}

// digest returns what two plans have in common exactly when they make the same changes of
// the same host. Secrets do not go into it: a password can be guessed, and whoever has the
// file could try each guess. So a plan is not stale because a secret has another value.
// The salt keeps a digest from telling anything about other content without the file.
func digest(salt []byte, plan engine.Plan, secrets []string) (string, error) {
	masker := report.NewMasker(secrets)
	sum := hmac.New(sha256.New, salt)
	encoder := json.NewEncoder(sum)
	system := plan.Platform
	system.CPUs, system.MemoryMB = 0, 0 // what depends on them is in the changes
	if err := encoder.Encode(system); err != nil {
		return "", err
	}
	for _, planned := range plan.Changes() {
		change := planned.Change
		if change.Diff != nil {
			diff := *change.Diff
			diff.Before, diff.After = masked(masker, diff.Before), masked(masker, diff.After)
			if diff.Secret {
				diff.Before, diff.After = nil, nil
			}
			change.Diff = &diff
		}
		steps := change.Steps
		change.Steps = nil
		if err := encoder.Encode([]any{planned.Item.Resource.ID(), planned.Item.Task, change}); err != nil {
			return "", err
		}
		if err := encodeSteps(encoder, masker, steps); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// encodeSteps writes steps without secrets, and without what differs from one time of
// asking to the next though the change is the same.
func encodeSteps(encoder *json.Encoder, masker *report.Masker, steps []recipe.Step) error {
	for _, step := range steps {
		switch s := step.(type) {
		case recipe.WriteFile:
			s.Content = masked(masker, s.Content)
			if s.Secret {
				s.Content = nil
			}
			step = s
		case recipe.Exec:
			s.Script, s.Input, s.Outcome = masker.Mask(s.Script), recipe.Secret{}, nil
			step = s
		case recipe.InstallPackages:
			s.Update = false // the lists' age decides it
			step = s
		case recipe.Rehearse:
			if err := encodeSteps(encoder, masker, s.Steps); err != nil {
				return err
			}
			s.Steps = nil
			step = s
		}
		if err := encoder.Encode([]any{fmt.Sprintf("%T", step), step}); err != nil {
			return err
		}
	}
	return nil
}

func masked(masker *report.Masker, content []byte) []byte {
	if content == nil {
		return nil
	}
	return []byte(masker.Mask(string(content)))
}

// checkOut refuses a place where no plan could be saved, before the work for it is done.
func checkOut(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usage(fmt.Errorf("--out %s: is a directory", path), "name a file in it")
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return usage(fmt.Errorf("--out %s: there is no directory %s", path, filepath.Dir(path)), "mkdir -p "+script.Quote(filepath.Dir(path)))
	}
	return nil
}

// write writes the file beside its place and renames it there.
func (s savedPlan) write(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600: diffs show configurations
	if err != nil {
		return fmt.Errorf("--out %s: %w", path, err)
	}
	defer os.Remove(file.Name()) // gone already when all went well
	_, err = file.Write(append(data, '\n'))
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("--out %s: %w", path, err)
	}
	return nil
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
		return refuse(fmt.Sprintf("is a plan of format %d, and this provision reads %d", saved.Format, planFormat))
	}
	if now := version(); saved.Version != now {
		return saved, hinted{fmt.Errorf("%s: was made by provision %s, and this is %s: %w", path, saved.Version, now, engine.ErrStale), "plan anew: provision plan --out " + path}
	}
	return saved, nil
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

// installSaved makes the changes of a saved plan. Every host is planned anew, and refused
// when that is another plan; one that is as wanted by now is good.
func (f *flags) installSaved(ctx context.Context, io console, path string, names []string) error {
	if len(names) > 0 {
		return usage(fmt.Errorf("--plan %s: has its own tasks", path), "leave out "+strings.Join(names, " "))
	}
	if f.run.upgrade {
		return usage(fmt.Errorf("--plan %s: says itself whether to upgrade", path), "leave out --upgrade")
	}
	if f.run.takeOver || f.run.adopt {
		return usage(fmt.Errorf("--plan %s: says itself what becomes of what hosts remember", path), "leave out --take-over and --adopt")
	}
	saved, err := readPlan(path)
	if err != nil {
		return err
	}
	f.run.upgrade, f.run.takeOver, f.run.adopt = saved.Upgrade, saved.TakeOver, saved.Adopt
	f.selection = saved.selection(f.selection)
	e, err := f.work(io, saved.Tasks)
	if err != nil {
		return err
	}
	hosts := map[string]savedHost{}
	for _, host := range saved.Hosts {
		hosts[host.Name] = host
	}
	for _, w := range e.work {
		if _, there := hosts[w.Target.Name]; !there {
			return usage(fmt.Errorf("%s: the plan of %s is not in it", path, w.Target.Name), "make one: provision plan --out "+path)
		}
	}
	var mu sync.Mutex
	_, err = f.show(ctx, io, e, run.Settings{
		Patience: f.run.lockTimeout,
		Header:   journal.Header{Verb: "install", By: whoami(), Version: version()},
		Approve: func(host string, plan engine.Plan, late bool) error {
			mu.Lock()
			defer mu.Unlock()
			now, err := digest(saved.Salt, plan, e.secrets)
			if err != nil || plan.Empty() || hosts[host].agreed(now, late) {
				return err
			}
			return hinted{fmt.Errorf("%s: %w", path, engine.ErrStale), "look at the new one: provision plan --out " + path}
		},
	}, run.Install)
	return err
}
