// Package journal holds the host's own memory of its runs: the lock that dies with its
// holder, the journal, the copies of what was replaced, the pending notifications. All of
// it lives on the host, under /var/lib/provision; the sh that keeps it is in
// internal/script, and this package talks to it.
package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/script"
)

// aliveEvery is how often an idle controller shows that it is there; a host lets go of the
// lock of one that is silent for 60 s.
const aliveEvery = 20 * time.Second

// ErrLocked says that somebody else's run holds the host.
var ErrLocked = errors.New("locked")

// Shell is a root sh on a host that runs a script and reads more from its input.
type Shell struct {
	Stdin  io.WriteCloser
	Stdout io.Reader
	Stderr io.Reader
	Wait   func() error
	Kill   func()
	// Upload brings a file of the controller to a path of the host, as root.
	Upload func(ctx context.Context, artifact recipe.Artifact, path string, progress func(done int64)) error
	// Await ends the shell where nothing comes for the time that a host has for an answer, and so much longer,
	// before done is called, which returns why it did. Nil waits for ever. Steps take as long as they do.
	Await func(longer time.Duration) (done func() error)
	// Patience is how long the script waits for the lock.
	Patience time.Duration
}

// Header says whose run it is.
type Header struct {
	Tasks   []string
	Verb    string // install, deploy, rollback; "do TASK ACTION", without Tasks: these are not worked on
	Of      string // of a rollback: the run that it takes back
	By      string // user@controller
	Version string // of this program
	Plan    string // the hash of the plan
	GoesOn  string // the run whose connection was cut, and which this one goes on with
}

// Script returns the script that Begin expects the shell to run. It answers first as soon as it
// holds the lock.
func Script(header Header, patience time.Duration, first []recipe.Probe) string {
	record := script.Record{
		Event: "run", Tasks: header.Tasks, Does: header.Verb, Of: header.Of, By: header.By, Version: header.Version, Plan: header.Plan, GoesOn: header.GoesOn,
	}
	run := script.Run{
		Holder:   fmt.Sprintf("%s (%s)", header.By, strings.TrimSpace(header.Verb+" "+strings.Join(header.Tasks, " "))),
		Header:   record.Line(),
		Patience: patience,
	}
	if len(first) > 0 {
		run.Question = script.Probe(first)
	}
	return script.Runner(run)
}

// Session is a run under the host's lock. It implements engine.Session.
type Session struct {
	shell   Shell
	control *bufio.Reader
	output  *output
	Run     string        // its name in the journal: 000042
	Boot    string        // a word that is new with every boot of the host (random(4), boot_id)
	Found   recipe.Answer // to the first question, under the lock

	mu       sync.Mutex // of Stdin
	idle     chan struct{}
	finished bool // the run has ended, or the host cannot be told of its end
}

// Begin waits until the shell holds the lock, and has answered its first question. What a dead
// run left is swept, and observe is told of it.
func Begin(ctx context.Context, shell Shell, first []recipe.Probe, observe engine.Observer) (*Session, error) {
	s := &Session{shell: shell, control: bufio.NewReader(shell.Stdout), output: newOutput(), idle: make(chan struct{})}
	go s.output.read(shell.Stderr)
	stop := context.AfterFunc(ctx, shell.Kill)
	defer stop()
	for {
		line, err := s.soon(ctx, "begin", shell.Patience)
		if err != nil {
			return nil, err
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "busy":
			observe(engine.Note{Text: "waiting for the lock, held by " + rest})
		case "locked":
			shell.Wait()
			return nil, fmt.Errorf("%w: held by %s", ErrLocked, rest)
		case "ready":
			if err := s.welcome(strings.Fields(rest), observe); err != nil {
				shell.Kill()
				return nil, err
			}
			if err := s.hearFirst(ctx, first); err != nil {
				return nil, err
			}
			go s.keepAlive(ctx)
			return s, nil
		}
	}
}

func (s *Session) welcome(fields []string, observe engine.Observer) error {
	if len(fields) < 4 {
		return fmt.Errorf("begin: the host's welcome has %d words, want 4", len(fields))
	}
	s.Run, s.Boot = fields[0], fields[2]
	s.output.trust(fields[1])
	if swept := fields[3]; swept != "0" {
		observe(engine.Note{Text: "swept " + swept + " temporary files of a run that died"})
	}
	for _, run := range fields[4:] {
		observe(engine.Note{Text: "run " + run + " on this host died before its end; this one picks up"})
	}
	return nil
}

// line reads one line of what the runner says.
func (s *Session) line() (string, error) {
	line, err := s.control.ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// soon is line, for what a host does not need long for, or not much longer: a question that hangs there, as at a
// mount that does not answer, would hold the run.
func (s *Session) soon(ctx context.Context, what string, longer time.Duration) (string, error) {
	hung := func() error { return nil }
	if s.shell.Await != nil {
		hung = s.shell.Await(longer)
	}
	line, err := s.line()
	if why := hung(); why != nil {
		return "", s.cut(what, why)
	}
	if err != nil {
		return "", s.died(what, cause(ctx, err))
	}
	return line, nil
}

// cut says why the runner was cut off.
func (s *Session) cut(what string, why error) error {
	s.finished = true
	go s.shell.Wait() // which an orphaned step may keep waiting
	return fmt.Errorf("%s: %w", what, why)
}

// cause is why a stream ended: because it was cut off here, or by itself.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// died explains why the runner is gone. What it printed is read first, for waiting for it
// may close its streams; but not for ever: an orphaned step may hold them open.
func (s *Session) died(what string, err error) error {
	s.finished = true
	select {
	case <-s.output.ended:
	case <-time.After(time.Second):
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, engine.ErrInterrupted) {
		return s.cut(what, err)
	}
	waited := s.shell.Wait()
	said := strings.TrimSpace(s.output.text())
	switch {
	case waited != nil && said != "":
		return fmt.Errorf("%s: %w: %s", what, waited, said)
	case waited != nil:
		return fmt.Errorf("%s: %w", what, waited)
	}
	return fmt.Errorf("%s: the host ended the run: %w", what, err)
}

func (s *Session) write(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := io.WriteString(s.shell.Stdin, text)
	return err
}

func (s *Session) keepAlive(ctx context.Context) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.idle:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			if s.write("alive\n") != nil {
				return
			}
		}
	}
}

// Do implements engine.Session.
func (s *Session) Do(ctx context.Context, steps []recipe.Numbered, then []recipe.Probe, observe engine.Observer) (recipe.Facts, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	if err := s.upload(ctx, steps, observe); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, s.shell.Kill)
	defer stop()
	code := script.Steps(steps)
	if err := s.write(fmt.Sprintf("run %d\n%s", len(code), code)); err != nil {
		// The host does nothing of a batch that did not arrive whole.
		return nil, s.died("run", cause(ctx, err))
	}
	if len(then) > 0 {
		text := script.Probe(then)
		s.writeBehind(fmt.Sprintf("then %d\n%s", len(text), text))
	}
	if err := s.follow(ctx, steps, observe); err != nil || len(then) == 0 {
		return nil, err
	}
	answer, err := s.answer(ctx, then)
	return answer.Facts, err
}

// follow tells of steps that the host does, up to their end.
func (s *Session) follow(ctx context.Context, steps []recipe.Numbered, observe engine.Observer) error {
	var remarks remarks
	s.output.tell(func(line string) {
		observe(engine.Output{Line: line})
		if text, ok := remarks.in(line); ok {
			observe(engine.Note{Text: text})
		}
	})
	defer s.output.tell(nil)
	var failed *engine.StepError
	ended, current, began := 0, 0, time.Now()
	for {
		line, err := s.line()
		if err != nil {
			return lost(steps, ended, s.died("run", cause(ctx, err)))
		}
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[0] == "begin":
			current, began = number(fields[1]), time.Now()
			step := find(steps, current)
			observe(engine.StepBegan{Number: current, Title: step.Step.Title(), Resource: step.Resource})
		case len(fields) == 3 && fields[0] == "end":
			status := number(fields[2])
			step := find(steps, current)
			if status != 0 {
				failed = &engine.StepError{Step: step, Status: status}
			}
			observe(engine.StepEnded{Number: current, Title: step.Step.Title(), Elapsed: time.Since(began), Failed: status != 0})
			ended++
		case len(fields) == 2 && fields[0] == "batch":
			s.output.await()
			if failed != nil {
				failed.Output = s.output.text()
				return failed
			}
			if fields[1] != "0" {
				return fmt.Errorf("%w: %s", engine.ErrStuck, strings.TrimSpace(s.output.text()))
			}
			return nil
		}
	}
}

// upload brings the files of upload steps to their temporaries. Renaming them into place is
// then a step like any other.
func (s *Session) upload(ctx context.Context, steps []recipe.Numbered, observe engine.Observer) error {
	var uploads []recipe.Upload
	for _, numbered := range steps {
		if step, ok := numbered.Step.(recipe.Upload); ok {
			uploads = append(uploads, step)
		}
	}
	if len(uploads) == 0 {
		return nil
	}
	// One that never becomes whole can be gone on with by the next run, and goes at its end.
	for _, step := range uploads {
		progress := func(done int64) {
			observe(engine.Progress{Title: step.Title(), Done: done, Total: step.Artifact.Size})
		}
		if err := s.shell.Upload(ctx, step.Artifact, step.Stage(), progress); err != nil {
			return err
		}
	}
	return nil
}

// Replanned writes down that another plan is done than the one that the run began with.
func (s *Session) Replanned(ctx context.Context, hash string) error {
	return s.Note(ctx, "the plan", script.Note(script.Record{Event: "plan", Plan: hash}))
}

// Note runs sh that only writes something down on the host: under its lock, or it is an error.
func (s *Session) Note(ctx context.Context, what, code string) error {
	if s.finished {
		return fmt.Errorf("the host could not note %s: the run there has ended", what)
	}
	stop := context.AfterFunc(ctx, s.shell.Kill)
	defer stop()
	if err := s.write(fmt.Sprintf("run %d\n%s", len(code), code)); err != nil {
		return s.died(what, cause(ctx, err))
	}
	line, err := s.soon(ctx, what, 0)
	if err != nil {
		return err
	}
	s.output.await()
	if line != "batch 0" {
		return fmt.Errorf("the host could not note %s: %s", what, strings.TrimSpace(s.output.text()))
	}
	return nil
}

// lost says what is known when the connection died: the first step of which no end was
// heard may have been done, or half done, or not begun.
func lost(steps []recipe.Numbered, ended int, err error) error {
	if ended >= len(steps) {
		return err
	}
	return fmt.Errorf("%s: outcome unknown: %w", steps[ended].Step.Title(), err)
}

// Finish implements engine.Session.
func (s *Session) Finish(ctx context.Context, outcome string) error {
	if s.finished {
		return nil
	}
	s.finished = true
	close(s.idle)
	record := script.Record{Event: "finish", Outcome: outcome}
	stop := context.AfterFunc(ctx, s.shell.Kill)
	defer stop()
	if err := s.write("finish " + record.Line() + "\n"); err != nil {
		return s.died("finish", cause(ctx, err))
	}
	for {
		said, err := s.soon(ctx, "finish", 0)
		if err != nil {
			return err
		}
		if said == "finished" {
			s.shell.Stdin.Close()
			return s.shell.Wait()
		}
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

func find(steps []recipe.Numbered, number int) recipe.Numbered {
	for _, step := range steps {
		if step.Number == number {
			return step
		}
	}
	return recipe.Numbered{Number: number, Step: recipe.Exec{Name: "step " + strconv.Itoa(number)}}
}
