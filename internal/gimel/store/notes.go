package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Notes are what people say of an experiment. They go with it.
type Notes struct {
	Hypothesis, Owner, Decision string
	Log                         []Entry // the oldest first
}

// Entry is one of an experiment's log.
type Entry struct {
	At   time.Time
	Text string
}

// Annotation changes notes: what is nil stays, and what is empty goes. Entry is
// added to the log, if it is not empty.
type Annotation struct {
	Hypothesis, Owner, Decision *string
	Entry                       string
}

// logKeeps is how many entries a log has; the oldest go.
const logKeeps = 200

// Annotate changes the notes of an experiment. It returns ErrNotFound for one
// that there is not.
func (s *Store) Annotate(ctx context.Context, namespace, name string, a Annotation) error {
	experiment, err := s.Experiment(ctx, namespace, name)
	if err != nil {
		return err
	}
	key, id := experimentKey(namespace, name), experiment.id
	entry := ""
	if a.Entry != "" {
		entry = strconv.FormatInt(time.Now().Unix(), 10) + " " + a.Entry
	}
	arguments := []any{id, entry, logKeeps}
	for _, field := range []struct {
		name string
		text *string
	}{{"hypothesis", a.Hypothesis}, {"owner", a.Owner}, {"decision", a.Decision}} {
		if field.text != nil {
			arguments = append(arguments, field.name, *field.text)
		}
	}
	found, err := s.scripts.annotate.Run(ctx, s.client, []string{key, notesKey(key, id), logKey(key, id)}, arguments...).Int()
	if err != nil {
		return fmt.Errorf("redis: annotate: %w", err)
	}
	if found == 0 {
		return ErrNotFound
	}
	return nil
}

// Notes reads the notes of an experiment.
func (s *Store) Notes(ctx context.Context, e *Experiment) (Notes, error) {
	key := experimentKey(e.Namespace, e.Name)
	pipe := s.client.Pipeline()
	fields, log := pipe.HGetAll(ctx, notesKey(key, e.id)), pipe.LRange(ctx, logKey(key, e.id), 0, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return Notes{}, fmt.Errorf("redis: read notes: %w", err)
	}
	notes := Notes{Hypothesis: fields.Val()["hypothesis"], Owner: fields.Val()["owner"], Decision: fields.Val()["decision"]}
	for _, line := range log.Val() {
		at, text, _ := strings.Cut(line, " ")
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return Notes{}, fmt.Errorf("redis: log of %s: %w", member(e.Namespace, e.Name), err)
		}
		notes.Log = append(notes.Log, Entry{At: time.Unix(seconds, 0).UTC(), Text: text})
	}
	return notes, nil
}
