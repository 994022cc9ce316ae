package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"provision/internal/report"
	"provision/internal/run"
	"provision/internal/script"
)

const (
	mostPast = 100      // runs are kept of an inventory
	maxPast  = 16 << 20 // bytes of one

	mostRecorded = 20      // of the last ones there is also what is needed for a page
	maxRecorded  = 8 << 20 // bytes of one
)

// pastRuns are the runs of a person on hosts of an inventory: a file each, in the person's cache. What a
// host itself knows of them is in its journal.
type pastRuns struct{ dir string }

// pastRunsOf returns those of an inventory.
func pastRunsOf(s selection) (pastRuns, error) {
	dir, err := ownCache("runs")
	if err != nil {
		return pastRuns{}, err
	}
	from, err := filepath.Abs(s.path())
	sum := sha256.Sum256([]byte(from))
	return pastRuns{filepath.Join(dir, hex.EncodeToString(sum[:16]))}, err
}

// ended is how a run ended, without any secret.
func (f *flags) ended(e errand, began time.Time, results []run.Result, code int) report.PastRun {
	masker := report.NewMasker(e.secrets)
	ended := report.PastRun{ID: began.UTC().Format("20060102-150405.000"), Began: began, Seconds: time.Since(began).Seconds(), ExitCode: code, AdHoc: f.selection.adHoc()}
	ended.Command = masker.Mask(strings.Join(f.typed.verb[min(1, len(f.typed.verb)):], " "))
	if !f.typed.command { // what exec was to do may have a password in it
		ended.Command = masker.Mask(strings.Join(slices.Concat([]string{ended.Command}, f.typed.arguments), " "))
	}
	if f.run.check {
		ended.Command += checkOnly
	}
	for i, result := range results {
		host := report.PastHost{Host: result.Host, Address: e.work[i].Target.Address.String(), Status: result.Status, ExitCode: codeOf(result.Status, e.pendingCode()), Changed: result.Changed, Same: result.Same, Seconds: result.Elapsed.Seconds(), Drained: result.Drained}
		if result.Err != nil {
			host.Error = masker.Mask(strings.TrimPrefix(result.Err.Error(), result.Host+": "))
		}
		ended.Hosts = append(ended.Hosts, host)
	}
	return ended
}

// keepRun remembers how a run ended. One that cannot be kept was made all the same, and who looks for it is told.
func (f *flags) keepRun(io console, ended report.PastRun, recorder *report.Recorder) {
	if len(ended.Hosts) == 0 || f.typed.looks() {
		return
	}
	past, err := pastRunsOf(f.selection)
	if err == nil {
		err = past.keep(ended, recorder.Bytes(maxRecorded))
	}
	if err != nil && (!f.output.quiet || ended.ExitCode != exitGood) {
		warnOnce(io)(fmt.Sprintf("this run is not remembered, and @failed is of those before it: %v", err))
	}
}

// looks reports whether a command only looks at what is there: between a run that failed and the next one
// it changes nothing of who is meant by @failed.
func (t typed) looks() bool {
	return slices.ContainsFunc([]string{"journal", "releases", "graph", "get", "drift"}, func(verb string) bool { return slices.Contains(t.verb, verb) })
}

func (p pastRuns) keep(ended report.PastRun, recorded []byte) error {
	text, err := json.Marshal(ended)
	if err == nil && len(text) > maxPast {
		err = fmt.Errorf("it is longer than %d bytes", maxPast)
	}
	if err == nil {
		err = writeOwn(p.file(ended.ID), append(text, '\n'))
	}
	if err != nil {
		return err
	}
	if recorded != nil {
		_ = writeOwn(p.recorded(ended.ID), recorded) // without it there is no page, but the run
	}
	ids, _ := p.ids()
	for _, old := range ids[:max(len(ids)-mostPast, 0)] {
		os.Remove(p.file(old))
	}
	for _, old := range ids[:max(len(ids)-mostRecorded, 0)] {
		os.Remove(p.recorded(old))
	}
	return nil
}

// file is where it stands how a run ended.
func (p pastRuns) file(id string) string { return filepath.Join(p.dir, id+".json") }

// recorded is where it stands what happened in a run.
func (p pastRuns) recorded(id string) string { return filepath.Join(p.dir, id+".run.gz") }

// recording is what happened in a run: nothing of one that was made too long ago.
func (p pastRuns) recording(id string) (report.Recording, error) {
	text, err := readOwn(p.recorded(id), maxRecorded)
	if errors.Is(err, os.ErrNotExist) {
		return report.Recording{}, nil
	}
	var whole report.Recording
	if err == nil {
		whole, err = report.ReadRecording(text)
	}
	if err != nil {
		return whole, usage(fmt.Errorf("run %s: %w", id, err), "rm "+script.Quote(p.recorded(id)))
	}
	return whole, nil
}

// ids are the runs that are there, the oldest first.
func (p pastRuns) ids() ([]string, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var ids []string
	for _, entry := range entries { // which ReadDir has sorted
		id, ended := strings.CutSuffix(entry.Name(), ".json")
		if begun, is := strings.CutSuffix(entry.Name(), underWay); is && p.bury(begun) {
			id, ended = begun, true
		}
		if ended {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// errNoRun says that nothing is remembered.
var errNoRun = errors.New("none is remembered of this inventory")

func noRun() error {
	return usage(fmt.Errorf("runs: %w", errNoRun), "provision journal -H HOST tells what a host knows of")
}

// find returns the run of an ID, or of how one begins; without one the last.
func (p pastRuns) find(id string) (report.PastRun, error) {
	ids, err := p.ids()
	if err != nil {
		return report.PastRun{}, err
	}
	var fits []string
	for _, one := range ids {
		if strings.HasPrefix(one, id) {
			fits = append(fits, one)
		}
	}
	switch {
	case len(ids) == 0:
		return report.PastRun{}, noRun()
	case len(fits) == 0:
		return report.PastRun{}, usage(fmt.Errorf("run %q: there is none", id), "provision runs")
	case len(fits) > 1 && id != "":
		return report.PastRun{}, usage(fmt.Errorf("run %q: several begin so", id), "one of "+strings.Join(fits[:min(len(fits), 3)], ", "))
	}
	return p.read(fits[len(fits)-1])
}

// all returns the runs, the oldest first.
func (p pastRuns) all() ([]report.PastRun, error) {
	ids, err := p.ids()
	if err != nil {
		return nil, err
	}
	var all []report.PastRun
	for _, id := range ids {
		one, err := p.read(id)
		if errors.Is(err, os.ErrNotExist) { // another run has taken the oldest away
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, noRun()
	}
	return all, nil
}

func (p pastRuns) read(id string) (report.PastRun, error) {
	var past report.PastRun
	text, err := readOwn(p.file(id), maxPast)
	if err == nil {
		err = json.Unmarshal(text, &past)
	}
	if err != nil {
		return past, usage(fmt.Errorf("run %s: %w", id, err), "rm "+script.Quote(p.file(id)))
	}
	return past, nil
}
