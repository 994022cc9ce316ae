package journal

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/script"
)

// Probe asks over the session's own shell: one round trip, where a command of its own may cost
// two.
func (s *Session) Probe(ctx context.Context, probes []recipe.Probe) (recipe.Answer, error) {
	text := script.Probe(probes)
	stop := context.AfterFunc(ctx, s.shell.Kill)
	defer stop()
	if err := s.write(fmt.Sprintf("ask %d\n%s", len(text), text)); err != nil {
		return recipe.Answer{}, s.died("ask", cause(ctx, err))
	}
	return s.answer(ctx, probes)
}

// answer reads the answer to a question that was asked.
func (s *Session) answer(ctx context.Context, probes []recipe.Probe) (recipe.Answer, error) {
	line, err := s.soon(ctx, "ask", 0)
	if err != nil {
		return recipe.Answer{}, err
	}
	coded, ok := strings.CutPrefix(line, "answer ")
	if !ok {
		return recipe.Answer{}, fmt.Errorf("ask: the host said %.80q", line)
	}
	said, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		return recipe.Answer{}, fmt.Errorf("ask: %w", err)
	}
	return script.ParseAnswer(probes, said)
}

// hearFirst reads the answer to the first question. A run that cannot is over.
func (s *Session) hearFirst(ctx context.Context, first []recipe.Probe) (err error) {
	if len(first) == 0 {
		return nil
	}
	if s.Found, err = s.answer(ctx, first); err != nil {
		return errors.Join(err, s.Finish(ctx, string(engine.StatusFailed)))
	}
	return nil
}

// writeBehind writes what the host reads only later: nobody waits for it, and it comes before
// all that is written after.
func (s *Session) writeBehind(text string) {
	s.mu.Lock()
	go func() {
		defer s.mu.Unlock()
		_, _ = io.WriteString(s.shell.Stdin, text) // who waits for the answer hears that there is none
	}()
}
