// Package files keeps events in files of NDJSON, by the hour, that any
// warehouse loads.
package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/store"
)

// line is an event in a file.
type line struct{ eventlog.Line }

// identity is what makes a line one of its life.
type identity struct {
	experiment string
	name       store.CounterName
	print      string
}

func (l line) identity() identity {
	return identity{l.Experiment, store.CounterName{Event: l.Event, Variant: l.Variant}, l.Fingerprint}
}

// known are lines that a folder has of a life.
type known map[identity]bool

// Sink keeps events in FOLDER/NAMESPACE/HOUR/LIFE.DIGEST.ndjson, a file of each
// batch, life and hour. Use Open.
type Sink struct {
	folder string
	lock   *os.File
	// While batches may come again: what the folders have, by their pattern.
	known map[string]known

	mu     sync.Mutex // guards counts and the notes, which Check changes too
	counts map[lifeName]counts
}

// Open takes a folder, which no other process may have at the same time.
func Open(folder string) (*Sink, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, ".lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("files: %s: another process has it: %w", folder, err)
	}
	left, _ := filepath.Glob(filepath.Join(pattern(folder), "*", "*", "*"+unfinished)) // the pattern is good
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			lock.Close()
			return nil, fmt.Errorf("files: %w", err)
		}
	}
	return &Sink{folder: folder, lock: lock, known: map[string]known{}, counts: map[lifeName]counts{}}, nil
}

const (
	finished   = ".ndjson"
	unfinished = ".part"
	untimed    = "untimed" // instead of an hour
)

// Close gives the folder back.
func (s *Sink) Close() error { return s.lock.Close() }

// Commit implements eventlog.Sink.
func (s *Sink) Commit(ctx context.Context, batch eventlog.Batch) error {
	if !batch.Again {
		clear(s.known)
	}
	for _, part := range batch.Parts {
		hours := map[string][]line{}
		for _, row := range part.Rows {
			hour := hourOf(row.At)
			hours[hour] = append(hours[hour], line{eventlog.LineOf(part.Life, row)})
		}
		for hour, lines := range hours {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("files: %w", err)
			}
			if err := s.keep(part.Life, hour, lines, batch.Again); err != nil {
				return fmt.Errorf("files: %w", err)
			}
		}
	}
	return nil
}

func hourOf(at time.Time) string {
	if at.IsZero() {
		return untimed
	}
	return at.UTC().Format("2006-01-02T15")
}

// keep writes a file of those lines that are not there yet.
func (s *Sink) keep(life store.Life, hour string, lines []line, again bool) error {
	there := known{}
	if again {
		var err error
		if there, err = s.there(life, hour); err != nil {
			clear(s.known)
			return err
		}
	}
	var content bytes.Buffer
	var written []line
	encoder := json.NewEncoder(&content)
	for _, l := range lines {
		if id := l.identity(); !there[id] {
			there[id] = true
			if err := encoder.Encode(l); err != nil {
				return err
			}
			written = append(written, l)
		}
	}
	if content.Len() == 0 {
		return nil
	}
	name := fmt.Sprintf("%s.%.8x%s", life.ID, sha256.Sum256(content.Bytes()), finished)
	err := s.keepFile(life, hour, name, content.Bytes(), written)
	if err != nil {
		clear(s.known) // it is not there after all
	}
	return err
}

// there are the lines that may be the same as new ones of an hour: those of that
// hour; those of all hours for new ones without a time.
func (s *Sink) there(life store.Life, hour string) (known, error) {
	of := func(hour string) string {
		return filepath.Join(pattern(s.folder), pattern(nameOf(life.Namespace)), hour, life.ID+".*"+finished)
	}
	files, all := of(hour), of("*")
	if hour == untimed {
		files = all
	} else {
		delete(s.known, all) // it is not told what comes in here
	}
	if found := s.known[files]; found != nil {
		return found, nil
	}
	found := known{}
	s.known[files] = found
	return found, eachLine(files, func(l line) { found[l.identity()] = true })
}

// write makes a file that is whole or not there, also after a power cut.
func write(folder, name string, content []byte) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	path := filepath.Join(folder, name)
	file, err := os.OpenFile(path+unfinished, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+unfinished, path); err != nil {
		return err
	}
	// The name in its folder, the folder in the namespace's, and that in ours.
	for range 3 {
		if err := syncFolder(folder); err != nil {
			return err
		}
		folder = filepath.Dir(folder)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// eachLine reads all files of a pattern.
func eachLine(pattern string, see func(line)) error {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) { // somebody has moved it away
			continue
		}
		if err != nil {
			return err
		}
		for text := range bytes.Lines(content) {
			var l line
			if err := json.Unmarshal(text, &l); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			see(l)
		}
	}
	return nil
}

// longest is how much of a name a folder's has; with what it is escaped to it
// is below the 255 bytes that a name may have.
const longest = 60

// nameOf is a namespace as a folder: itself where that can be, else escaped and
// told apart by its digest.
func nameOf(namespace string) string {
	plain := func(char rune) bool {
		return char >= 'a' && char <= 'z' || char >= 'A' && char <= 'Z' || char >= '0' && char <= '9' || char == '-' || char == '_'
	}
	if len(namespace) <= longest && strings.IndexFunc(namespace, func(char rune) bool { return !plain(char) }) < 0 {
		return namespace
	}
	kept := strings.Map(func(char rune) rune {
		if plain(char) {
			return char
		}
		return '-'
	}, namespace)
	return fmt.Sprintf("%.*s.%.8x", longest, kept, sha256.Sum256([]byte(namespace)))
}

// pattern is a path as one of filepath.Match that means itself.
func pattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
