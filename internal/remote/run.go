package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

const (
	// MaxOutput bounds what Run keeps of a command's stdout, in bytes.
	MaxOutput = 16 << 20

	// StderrTail bounds what Run keeps of a command's stderr, in bytes.
	StderrTail = 64 << 10
)

// Run runs a command to its end and returns what it wrote to stdout, also when
// it fails. It drains both streams whatever their length, and keeps the first
// MaxOutput bytes of stdout and the last StderrTail of stderr; more on stdout
// is ErrTooMuchOutput. A failed command is an *ExitError with its stderr.
func (c *Connection) Run(ctx context.Context, command Command, stdin []byte) ([]byte, error) {
	patience := c.patience(command.Silence)
	defer patience.stop()
	process, err := c.Start(ctx, command)
	if err != nil {
		return nil, patience.explain(err)
	}
	var stdout head
	var stderr tail
	var streams sync.WaitGroup
	streams.Go(func() { stdout.ReadFrom(patience.with(process.Stdout)) })
	streams.Go(func() { io.CopyBuffer(&stderr, patience.with(process.Stderr), make([]byte, readAtOnce)) })
	go func() { // may block for ever where the command does not read: the end of the command frees it
		process.Stdin.Write(stdin)
		process.Stdin.Close()
	}()
	streams.Wait()
	err = process.Wait()
	var exit *ExitError
	if errors.As(err, &exit) {
		exit.Stderr = stderr.kept
	}
	if ctx.Err() != nil && err != nil {
		err = fmt.Errorf("%w (%w)", err, context.Cause(ctx))
	}
	if err == nil && stdout.cut {
		err = fmt.Errorf("%s: %w: more than %d MiB", c.name, ErrTooMuchOutput, MaxOutput>>20)
	}
	return stdout.kept, patience.explain(err)
}

// head keeps the first MaxOutput bytes of a stream.
type head struct {
	kept []byte
	cut  bool
}

// ReadFrom reads a stream to its end.
func (h *head) ReadFrom(stream io.Reader) (int64, error) {
	for {
		h.kept = slices.Grow(h.kept, readAtOnce)
		n, err := stream.Read(h.kept[len(h.kept):cap(h.kept)])
		if h.kept = h.kept[:len(h.kept)+n]; len(h.kept) > MaxOutput {
			h.kept, h.cut = h.kept[:MaxOutput], true
		}
		if err != nil {
			return int64(len(h.kept)), nil // what ended it is told by the command
		}
	}
}

// tail keeps the last StderrTail bytes written to it.
type tail struct{ kept []byte }

func (t *tail) Write(data []byte) (int, error) {
	t.kept = append(t.kept, data...)
	if extra := len(t.kept) - StderrTail; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(data), nil
}
