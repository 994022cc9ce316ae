package files

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/store"
)

// counts are how many lines the folder has of a life.
type counts map[store.CounterName]eventlog.Kept

func (c counts) add(l line) {
	name := l.identity().name
	kept := c[name]
	kept.Rows++
	if l.At == nil {
		kept.Untimed++
	}
	c[name] = kept
}

// lifeName names a life in the folder.
type lifeName struct{ namespace, experiment, id string }

func nameOfLife(life store.Life) lifeName { return lifeName{life.Namespace, life.Experiment, life.ID} }

// filesOf is a pattern of all files of a life.
func (s *Sink) filesOf(life store.Life) string {
	return filepath.Join(pattern(s.folder), pattern(nameOf(life.Namespace)), "*", life.ID+".*"+finished)
}

// added counts what a file has brought, where that of its life was counted.
func (s *Sink) added(life store.Life, lines []line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counted := s.counts[nameOfLife(life)]
	if counted == nil {
		return
	}
	for _, l := range lines {
		counted.add(l)
	}
}

// Count implements eventlog.Sink: the files of a life are read once, and what
// comes then is counted as it comes.
func (s *Sink) Count(_ context.Context, life store.Life) (map[store.CounterName]eventlog.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := nameOfLife(life)
	if s.counts[name] == nil {
		read := counts{}
		err := eachLine(s.filesOf(life), func(l line) {
			if l.Experiment == life.Experiment {
				read.add(l)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
		s.counts[name] = read
	}
	return maps.Clone(s.counts[name]), nil
}

// Check implements eventlog.Sink: the next Count reads the files again.
func (s *Sink) Check(_ context.Context, life store.Life) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.counts, nameOfLife(life))
	return nil
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
	names, err := filepath.Glob(filepath.Join(pattern(s.folder), pattern(nameOf(namespace)), "*", lives+finished))
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	for _, name := range names {
		is := false
		if err := eachLine(pattern(name), func(l line) { is = is || l.Experiment == experiment }); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		if !is {
			continue
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		// Empty folders go too; another hour's or namespace's stay.
		_ = os.Remove(filepath.Dir(name))
		_ = os.Remove(filepath.Dir(filepath.Dir(name)))
	}
	return nil
}
