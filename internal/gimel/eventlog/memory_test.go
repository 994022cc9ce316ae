package eventlog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"provision/internal/gimel/store"
)

// memory is a sink that fails as it is told, before or after it has kept a batch.
type memory struct {
	mu       sync.Mutex
	t        *testing.T
	rows     map[string]Row
	fails    func() (before, after bool)
	repeated int // rows that were there, of batches that were said to be new
}

func (m *memory) key(life store.Life, row Row) string {
	return fmt.Sprintf("%s %s %s:%s %d", life.Experiment, life.ID, row.Event, row.Variant, row.Fingerprint)
}

func (m *memory) Commit(_ context.Context, batch Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, after := false, false
	if m.fails != nil {
		before, after = m.fails()
	}
	if before {
		return errors.New("no")
	}
	for _, part := range batch.Parts {
		for _, row := range part.Rows {
			key := m.key(part.Life, row)
			if _, there := m.rows[key]; !there {
				m.rows[key] = row
			} else if !batch.Again {
				m.repeated++
			}
		}
	}
	if after {
		return errors.New("kept, and not said")
	}
	return nil
}

func (m *memory) Count(_ context.Context, life store.Life) (map[store.CounterName]Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[store.CounterName]Kept{}
	for key, row := range m.rows {
		if strings.HasPrefix(key, life.Experiment+" "+life.ID+" ") {
			kept := all[row.CounterName]
			kept.Rows++
			if row.At.IsZero() {
				kept.Untimed++
			}
			all[row.CounterName] = kept
		}
	}
	return all, nil
}

func (m *memory) Fingerprints(_ context.Context, life store.Life, name store.CounterName, see func(int64)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, row := range m.rows {
		if strings.HasPrefix(key, life.Experiment+" "+life.ID+" ") && row.CounterName == name {
			see(row.Fingerprint)
		}
	}
	return nil
}

func (m *memory) Check(context.Context, store.Life) error { return nil }

func (m *memory) Remove(_ context.Context, _, experiment, life string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.rows, func(key string, _ Row) bool { return strings.HasPrefix(key, experiment+" "+life) })
	return nil
}

func (m *memory) Close() error { return nil }

func newMemory(t *testing.T) *memory { return &memory{t: t, rows: map[string]Row{}} }
