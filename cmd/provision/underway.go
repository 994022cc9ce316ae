package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"provision/internal/engine"
	"provision/internal/report"
)

// A run that is under way has a file too, and holds a lock on it (flock(2)), which goes with the process whatever
// that dies of. So one that was killed is remembered: of none of its hosts is it known how it ended there, and
// @failed are all of them, and not those of some run before.

// killed is what is known of each host then.
const killed = "provision was killed in this run: how it ended here is not known"

const underWay = ".begun"

// beginRun notes that a run is under way, and returns what takes that back when it has ended.
func (f *flags) beginRun(e errand, began time.Time) (end func()) {
	past, err := pastRunsOf(f.selection)
	if err != nil || len(e.work) == 0 || f.typed.looks() {
		return func() {}
	}
	begun := f.ended(e, began, nil, exitInterrupted)
	for _, w := range e.work {
		begun.Hosts = append(begun.Hosts, report.PastHost{Host: w.Target.Name, Status: engine.StatusInterrupted, ExitCode: exitInterrupted, Error: killed})
	}
	return past.begin(begun)
}

// begin writes such a file. Without it the run goes on all the same.
func (p pastRuns) begin(run report.PastRun) (end func()) {
	path := filepath.Join(p.dir, run.ID+underWay)
	text, err := json.Marshal(run)
	if err != nil || len(text) > maxPast {
		return func() {}
	}
	file, err := createOwn(path)
	if err != nil {
		return func() {}
	}
	// The lock comes before the name: without one it would be that of a run that died.
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || placeOwn(file, path, append(text, '\n')) != nil {
		os.Remove(file.Name())
		file.Close()
		return func() {}
	}
	return func() {
		os.Remove(path)
		file.Close()
	}
}

// isBegun reports whether it is noted that a run is under way: then it can be remembered.
func (p pastRuns) isBegun(id string) bool {
	_, err := os.Lstat(filepath.Join(p.dir, id+underWay))
	return err == nil
}

// bury takes a run that died for one that ended, and reports whether it was such.
func (p pastRuns) bury(id string) bool {
	path := filepath.Join(p.dir, id+underWay)
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return false // it lives
	}
	if _, err := os.Lstat(p.file(id)); err == nil { // it died after its end was noted
		os.Remove(path)
		return false
	}
	return os.Rename(path, p.file(id)) == nil
}
