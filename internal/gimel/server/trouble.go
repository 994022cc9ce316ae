package server

import (
	"log/slog"
	"sync"
	"time"
)

// troubles logs what stands between events and Redis, once in ten seconds: at
// thousands of events a second, a line each would fill the disk.
type troubles struct {
	mu     sync.Mutex
	last   time.Time
	silent int
}

const troubleInterval = 10 * time.Second

func (t *troubles) note(log *slog.Logger, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.silent++
	if now := time.Now(); now.Sub(t.last) >= troubleInterval {
		log.Error("events are not committed", "error", err, "events", t.silent)
		t.last, t.silent = now, 0
	}
}
