package remote

import (
	"sync"
	"time"
)

// countdown calls a function once a host has had so long. A process that was stopped, as by Ctrl-Z, or got no CPU, finds
// all its timers due when it goes on, and what came meanwhile unread: so the time goes by in parts, of which it is one
// that is lost to the host, however long the process stood.
type countdown struct {
	over func()

	mu    sync.Mutex
	part  time.Duration
	left  int // parts; 0 is that it stands
	timer *time.Timer
}

const parts = 10

// start begins it, anew where it goes already.
func (c *countdown) start(whole time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.part, c.left = whole/parts, parts
	if c.timer == nil {
		c.timer = time.AfterFunc(c.part, c.next)
		return
	}
	c.timer.Reset(c.part)
}

func (c *countdown) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = 0
	if c.timer != nil {
		c.timer.Stop()
	}
}

func (c *countdown) next() {
	c.mu.Lock()
	over := c.left == 1
	if c.left > 0 {
		c.left--
	}
	if c.left > 0 {
		c.timer.Reset(c.part)
	}
	c.mu.Unlock()
	if over {
		c.over()
	}
}
