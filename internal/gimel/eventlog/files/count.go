package files

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/store"
)

// How many lines each file has is noted beside them, in NAMESPACE/counts, a file
// for each life: so they may be moved away and are known to have been there, and
// nobody reads them all. What a crash has kept from being noted is read.

// counts are how many lines there are of each counter.
type counts map[store.CounterName]eventlog.Kept

func (c counts) add(name store.CounterName, kept eventlog.Kept) {
	sum := c[name]
	sum.Rows += kept.Rows
	sum.Untimed += kept.Untimed
	c[name] = sum
}

func (c counts) addAll(others counts) {
	for name, kept := range others {
		c.add(name, kept)
	}
}

func (c counts) addLine(l line) {
	one := eventlog.Kept{Rows: 1}
	if l.At == nil {
		one.Untimed = 1
	}
	c.add(l.identity().name, one)
}

// note is a line of a life's notes: of one file, or of all that were moved away,
// which has no name.
type note struct {
	File   string      `json:"file"` // HOUR/NAME
	Counts []counterOf `json:"counts"`
}

type counterOf struct {
	Event   string `json:"event"`
	Variant string `json:"variant"`
	Rows    int64  `json:"rows"`
	Untimed int64  `json:"untimed"`
}

func noteOf(file string, of counts) note {
	n := note{File: file}
	for name, kept := range of {
		n.Counts = append(n.Counts, counterOf{name.Event, name.Variant, kept.Rows, kept.Untimed})
	}
	return n
}

func (n note) counts() counts {
	all := counts{}
	for _, c := range n.Counts {
		all.add(store.CounterName{Event: c.Event, Variant: c.Variant}, eventlog.Kept{Rows: c.Rows, Untimed: c.Untimed})
	}
	return all
}

// lifeName names a life in the folder.
type lifeName struct{ namespace, experiment, id string }

func nameOfLife(life store.Life) lifeName { return lifeName{life.Namespace, life.Experiment, life.ID} }

// notesOf is where the notes of a life are: of two with the same id, by their
// experiments.
func (s *Sink) notesOf(name lifeName) string {
	return filepath.Join(s.folder, nameOf(name.namespace), "counts", name.id+"."+digestOf(name.experiment))
}

func digestOf(experiment string) string {
	return fmt.Sprintf("%.8x", sha256.Sum256([]byte(experiment)))
}

// filesOf is a pattern of all files of a life.
func (s *Sink) filesOf(name lifeName) string {
	return filepath.Join(pattern(s.folder), pattern(nameOf(name.namespace)), "*", name.id+".*"+finished)
}

// keepFile writes a file and notes what it has brought, in one step for who
// counts.
func (s *Sink) keepFile(life store.Life, hour, name string, content []byte, lines []line) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := write(filepath.Join(s.folder, nameOf(life.Namespace), hour), name, content); err != nil {
		return err
	}
	of := counts{}
	for _, l := range lines {
		of.addLine(l)
	}
	if sum := s.counts[nameOfLife(life)]; sum != nil {
		sum.addAll(of)
	}
	_ = appendNote(s.notesOf(nameOfLife(life)), noteOf(filepath.Join(hour, name), of)) // what is not noted is read
	return nil
}

func appendNote(path string, n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Close())
}

// Count implements eventlog.Sink.
func (s *Sink) Count(_ context.Context, life store.Life) (map[store.CounterName]eventlog.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(nameOfLife(life), nil); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	return maps.Clone(s.counts[nameOfLife(life)]), nil
}

// Fingerprints implements eventlog.Sink, of the files that were not moved away.
func (s *Sink) Fingerprints(_ context.Context, life store.Life, name store.CounterName, see func(int64)) error {
	var unread error
	err := eachLine(s.filesOf(nameOfLife(life)), func(l line) {
		if id := l.identity(); id.experiment != life.Experiment || id.name != name {
			return
		}
		fingerprint, err := strconv.ParseInt(l.Fingerprint, 10, 64)
		if err != nil {
			unread = err
			return
		}
		see(fingerprint)
	})
	if err = cmp.Or(err, unread); err != nil {
		return fmt.Errorf("files: %w", err)
	}
	return nil
}

// Check implements eventlog.Sink: files that are there are read, which nobody
// waits for, and those that were moved away are believed.
func (s *Sink) Check(ctx context.Context, life store.Life) error {
	name := nameOfLife(life)
	there, err := filepath.Glob(s.filesOf(name))
	read := map[string]counts{}
	for _, path := range there {
		if err = ctx.Err(); err == nil {
			read[fileOf(path)], err = countFile(path, life.Experiment)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.counts, name)
		err = s.load(name, read)
	}
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	return nil
}

// fileOf is how a file is noted.
func fileOf(path string) string {
	return filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path))
}

// load reads the notes of a life, and the files that have none. What was read of
// files already is better than their notes. Where the notes are not as they
// should be they are written anew.
func (s *Sink) load(name lifeName, read map[string]counts) error {
	if s.counts[name] != nil {
		return nil
	}
	noted, moved, err := readNotes(s.notesOf(name))
	if err != nil {
		return err
	}
	there, err := filepath.Glob(s.filesOf(name))
	if err != nil {
		return err
	}
	anew := len(read) > 0
	kept := map[string]counts{}
	for _, path := range there {
		file := fileOf(path)
		of, known := read[file]
		if !known {
			of, known = noted[file]
		}
		if !known {
			anew = true
			if of, err = countFile(path, name.experiment); err != nil {
				return err
			}
		}
		kept[file] = of
		delete(noted, file)
	}
	for _, of := range noted { // of files that have been moved away since
		anew = true
		moved.addAll(of)
	}
	kept[""] = moved
	if anew {
		if err := writeNotes(s.notesOf(name), kept); err != nil {
			return err
		}
	}
	sum := counts{}
	for _, of := range kept {
		sum.addAll(of)
	}
	s.counts[name] = sum
	return nil
}

// readNotes reads what is noted of each file, and of those that were moved away.
// A line that a crash has cut off is none.
func readNotes(path string) (noted map[string]counts, moved counts, err error) {
	noted, moved = map[string]counts{}, counts{}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for line := range bytes.Lines(text) {
		var n note
		switch err := json.Unmarshal(line, &n); {
		case err != nil:
		case n.File == "":
			moved.addAll(n.counts())
		default:
			noted[n.File] = n.counts()
		}
	}
	return noted, moved, nil
}

func writeNotes(path string, all map[string]counts) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for file, of := range all {
		if len(of) == 0 {
			continue
		}
		if err := encoder.Encode(noteOf(file, of)); err != nil {
			return err
		}
	}
	if text.Len() == 0 {
		return nil
	}
	return write(filepath.Dir(path), filepath.Base(path), text.Bytes())
}

func countFile(path, experiment string) (counts, error) {
	of := counts{}
	err := eachLine(pattern(path), func(l line) {
		if l.Experiment == experiment {
			of.addLine(l)
		}
	})
	return of, err
}

// Remove implements eventlog.Sink: a file has events of one life only.
func (s *Sink) Remove(_ context.Context, namespace, experiment, life string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.known)
	clear(s.counts)
	lives := "*"
	if life != "" {
		lives = pattern(life) + ".*"
	}
	folder := filepath.Join(pattern(s.folder), pattern(nameOf(namespace)))
	names, err := filepath.Glob(filepath.Join(folder, "*", lives+finished))
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	var gone []string
	for _, name := range names {
		is := false
		if err := eachLine(pattern(name), func(l line) { is = is || l.Experiment == experiment }); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		if is {
			gone = append(gone, name)
		}
	}
	if life == "" {
		life = "*"
	} else {
		life = pattern(life)
	}
	notes, err := filepath.Glob(filepath.Join(folder, "counts", life+"."+digestOf(experiment)))
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	for _, name := range append(gone, notes...) {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		// Empty folders go too; another hour's or namespace's stay.
		_ = os.Remove(filepath.Dir(name))
		_ = os.Remove(filepath.Dir(filepath.Dir(name)))
	}
	return nil
}
