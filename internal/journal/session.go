// Package journal holds the host's own memory of its runs: the lock that dies with its
// holder, the journal, the copies of what was replaced, the pending notifications. All of
// it lives on the host, under /var/lib/provision; the sh that keeps it is in
// internal/script, and this package talks to it.
package journal

import (
	"bufio"
	"context"
	"encoding/json"
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
}

// Header says whose run it is. It is the first line of the run's journal.
type Header struct {
	Event   string   `json:"event"` // "run"
	Tasks   []string `json:"tasks"`
	Verb    string   `json:"verb"` // install, deploy, rollback
	By      string   `json:"by"`   // user@controller
	Version string   `json:"version"`
	Plan    string   `json:"plan"` // the plan's digest
}

// Script returns the script that Begin expects the shell to run.
func Script(header Header, patience time.Duration) string {
	line, err := json.Marshal(header)
	if err != nil {
		panic(fmt.Sprintf("journal: header: %v", err)) // a struct of strings always marshals
	}
	return script.Runner(script.Run{
		Holder:   fmt.Sprintf("%s (%s %s)", header.By, header.Verb, strings.Join(header.Tasks, " ")),
		Header:   string(line),
		Patience: patience,
	})
}

// Session is a run under the host's lock. It implements engine.Session.
type Session struct {
	shell   Shell
	control *bufio.Reader
	output  *output
	Run     string // its name in the journal: 000042

	mu       sync.Mutex // of Stdin
	idle     chan struct{}
	finished bool
}

// Begin waits until the shell holds the lock. What a dead run left is swept, and observe
// is told of it.
func Begin(ctx context.Context, shell Shell, observe engine.Observer) (*Session, error) {
	s := &Session{shell: shell, control: bufio.NewReader(shell.Stdout), output: newOutput(), idle: make(chan struct{})}
	go s.output.read(shell.Stderr)
	for {
		line, err := s.line()
		if err != nil {
			return nil, s.died("begin", err)
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "busy":
			observe(engine.Note{Text: "waiting for the lock, held by " + rest})
		case "locked":
			shell.Wait()
			return nil, fmt.Errorf("%w: held by %s", ErrLocked, rest)
		case "ready":
			s.welcome(strings.Fields(rest), observe)
			go s.keepAlive(ctx)
			return s, nil
		}
	}
}

func (s *Session) welcome(fields []string, observe engine.Observer) {
	if len(fields) < 2 {
		return
	}
	s.Run = fields[0]
	if swept := fields[1]; swept != "0" {
		observe(engine.Note{Text: "swept " + swept + " temporary files of a run that died"})
	}
	for _, run := range fields[2:] {
		observe(engine.Note{Text: "run " + run + " on this host died before its end; this one picks up"})
	}
}

// line reads one line of what the runner says.
func (s *Session) line() (string, error) {
	line, err := s.control.ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// died explains why the runner is gone.
func (s *Session) died(what string, err error) error {
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
func (s *Session) Do(ctx context.Context, steps []recipe.Numbered, observe engine.Observer) error {
	if len(steps) == 0 {
		return nil
	}
	s.output.tell(func(line string) { observe(engine.Output{Line: line}) })
	defer s.output.tell(nil)
	code := script.Steps(steps)
	if err := s.write(fmt.Sprintf("run %d\n%s", len(code), code)); err != nil {
		return s.lost(steps, 0, s.died("run", err))
	}
	stop := context.AfterFunc(ctx, s.shell.Kill)
	defer stop()
	var failed *engine.StepError
	current, began := 0, time.Now()
	for {
		line, err := s.line()
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return s.lost(steps, current, s.died("run", err))
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
			current = 0
		case len(fields) == 2 && fields[0] == "batch":
			s.output.await()
			if failed != nil {
				failed.Output = s.output.text()
				return failed
			}
			if fields[1] != "0" {
				return fmt.Errorf("the host could not go on: %s", strings.TrimSpace(s.output.text()))
			}
			return nil
		}
	}
}

// lost says what is known when the connection died: which step was under way.
func (s *Session) lost(steps []recipe.Numbered, current int, err error) error {
	s.finished = true
	if current == 0 {
		return err
	}
	return fmt.Errorf("%s: outcome unknown: %w", find(steps, current).Step.Title(), err)
}

// Finish implements engine.Session.
func (s *Session) Finish(_ context.Context, outcome string) error {
	if s.finished {
		return nil
	}
	s.finished = true
	close(s.idle)
	line, err := json.Marshal(map[string]string{"event": "finish", "outcome": outcome})
	if err != nil {
		return err
	}
	if err := s.write("finish " + string(line) + "\n"); err != nil {
		return s.died("finish", err)
	}
	for {
		said, err := s.line()
		if err != nil {
			return s.died("finish", err)
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
