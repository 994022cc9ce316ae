package run

import (
	"sync"
	"time"

	"provision/internal/remote"
)

// clock counts the time that the work on one host takes: from when its turn comes, again and
// again, and not while a person is asked.
type clock struct {
	mu     sync.Mutex
	spent  time.Duration // of the turns that are over, less what the person took
	began  time.Time     // of the turn under way
	asking int           // questions that wait for an answer
	asked  time.Time     // since when there are any
}

// turn counts while work goes on.
func (c *clock) turn(work func()) {
	c.mu.Lock()
	c.began = time.Now()
	c.mu.Unlock()
	work()
	c.mu.Lock()
	c.spent += time.Since(c.began)
	c.mu.Unlock()
}

// elapsed is what was counted until now, in a turn.
func (c *clock) elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spent + time.Since(c.began)
}

// pause stops the clock until the answer to a question is there.
func (c *clock) pause() (resume func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking++; c.asking == 1 {
		c.asked = time.Now()
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.asking--; c.asking == 0 {
			c.spent -= time.Since(c.asked)
		}
	}
}

// pausing is a configuration whose questions to the person stop the clock.
func (c *clock) pausing(config remote.Config) remote.Config { return config.Asking(c.pause) }
