package remote

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
)

// sudo is one elevation. A password is sent only when sudo has printed our
// prompt, because `sudo -S` that needs none would hand it to the command as
// input; and once, because sudo asks three times by itself and faillock counts.
type sudo struct {
	connection *Connection
	prompt     []byte

	mu       sync.Mutex
	answered bool
	err      error // why the elevation was given up
}

func newSudo(c *Connection) *sudo {
	return &sudo{connection: c, prompt: []byte(promptMark(c.token))}
}

// flags are sudo's. Without a password to give, -n makes sudo say so at once
// and keeps a failed attempt out of the host's log.
func (s *sudo) flags() []string {
	if s.connection.config.SudoPassword == nil {
		return []string{"-n"}
	}
	return []string{"-S", "-p", sudoPrompt(s.connection.token)}
}

// answer writes the password when the noise holds the prompt. An error means
// that sudo will not have it.
func (s *sudo) answer(noise []byte, stdin io.Writer) error {
	prompts := bytes.Count(noise, s.prompt)
	if prompts == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered {
		if prompts > 1 {
			s.err = ErrSudoPassword
		}
		return s.err
	}
	s.answered = true
	password, err := s.connection.config.SudoPassword("sudo password for " + s.connection.name)
	if err != nil {
		s.err = err
		return err
	}
	line := append(bytes.Clone(password), '\n')
	defer clear(line)
	if _, err := stdin.Write(line); err != nil {
		s.err = err
	}
	return s.err
}

// explain turns the end of a command that never began into an error that says
// what sudo held against it. It returns nil where sudo is not the reason.
func (s *sudo) explain(err error, stderr []byte) error {
	s.mu.Lock()
	gaveUp := s.err
	s.mu.Unlock()
	name := s.connection.name
	if gaveUp == nil && errors.Is(err, ErrLost) {
		return nil
	}
	said := strings.TrimSpace(strings.ReplaceAll(string(stderr), string(s.prompt), ""))
	last := lastLine([]byte(said))
	failure := &Error{What: name, Problem: "cannot become root: " + last, Kinds: []error{ErrSudo, notItsExit(err)},
		Hint: "the login user needs a sudo rule that allows /bin/sh, or log in as root"}
	switch {
	case gaveUp == ErrSudoPassword:
		failure.Problem = "cannot become root: sudo did not take the password"
		failure.Hint = "one attempt was made; check the password and try again"
		failure.Kinds = append(failure.Kinds, ErrSudoPassword)
	case gaveUp != nil:
		failure.Problem = "cannot become root: " + gaveUp.Error()
		failure.Kinds = append(failure.Kinds, gaveUp)
	case strings.Contains(said, "a password is required"):
		failure.Hint = "give it with -K (--ask-sudo-password), or allow the login user NOPASSWD in sudoers"
		failure.Kinds = append(failure.Kinds, ErrSudoPasswordNeeded)
	case strings.Contains(said, "sudo: not found"):
		failure.Problem = "cannot become root: sudo is not installed"
		failure.Hint = "log in as root, or install sudo on the host"
	case strings.Contains(said, "is not in the sudoers file"), strings.Contains(said, "is not allowed to"):
		failure.Hint = "add the login user to sudoers (on Debian: adduser USER sudo), or log in as root"
	case last == "":
		return nil // a login shell that refused: not sudo's doing
	}
	return failure
}
