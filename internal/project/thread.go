package project

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// Limits of one build. They are against mistakes: what a single expression takes of memory has
// none, and a project is trusted as the person is who runs it.
const (
	maxSteps  = 10_000_000       // Starlark's own: some seconds
	maxTime   = 10 * time.Second // of computing: also where few steps take long
	maxRecipe = 64 << 20         // bytes of all contents
	maxThings = 20_000           // resources: a host is asked about each, also where all is as it should be
)

const buildingKey = "building" // of a thread's own values

// thread returns one to run a task's code in, within its limits. done ends its clock.
func (p *Project) thread(b *building) (thread *starlark.Thread, done func()) {
	thread = &starlark.Thread{Print: p.printed}
	thread.SetMaxExecutionSteps(maxSteps)
	thread.OnMaxSteps = func(thread *starlark.Thread) { thread.Cancel(tooManySteps) }
	thread.SetLocal(buildingKey, b)
	clock := newClock(maxTime, func() { thread.Cancel(tooLong) })
	if b != nil {
		b.clock = clock
	}
	return thread, clock.pause
}

// clock ends a thread that computes for too long. What files take that are read for it is not its time.
type clock struct {
	left  time.Duration
	since time.Time
	timer *time.Timer
}

func newClock(most time.Duration, end func()) *clock {
	return &clock{left: most, since: time.Now(), timer: time.AfterFunc(most, end)}
}

func (c *clock) pause() {
	c.timer.Stop()
	c.left -= time.Since(c.since)
}

func (c *clock) resume() {
	c.since = time.Now()
	c.timer.Reset(c.left)
}

const (
	tooManySteps = "more than 10 million steps"
	tooLong      = "longer than 10 seconds"
)

// printed is what print says, with its place, and without secrets.
func (p *Project) printed(thread *starlark.Thread, text string) {
	if p.print == nil {
		return
	}
	p.print(placeOf(thread.CallStack()), p.masked(text))
}

// building is one run of build or verify, or of a test, and all that it made.
type building struct {
	project       *Project
	task          string
	needs         []string
	releases      string
	in            recipe.Input
	secrets       []recipe.Secret // each stands in texts as a mark with its number
	made          []*thing
	notifications []*notification
	size          int  // bytes of all contents
	guessed       bool // something that was made up was read
	trial         *trial
	clock         *clock // nil outside of a thread
}

// buildingOf is the run that a word is said in; nil while a file is read.
func buildingOf(thread *starlark.Thread) *building {
	b, _ := thread.Local(buildingKey).(*building)
	return b
}

// weigh counts a content.
func (b *building) weigh(size int) error {
	if size > maxContent {
		return plain(fmt.Sprintf("a content of more than %d MiB is not written", maxContent>>20), "download it on the host, by a command")
	}
	if b.size += size; b.size > maxRecipe {
		return plain(fmt.Sprintf("the contents of the task are more than %d MiB by here", maxRecipe>>20), "download what is big on the host, by a command")
	}
	return nil
}
