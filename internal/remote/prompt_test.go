package remote

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// passwords makes the server take one password, and notes all that it is sent.
func (s *fakeServer) passwords(right string) (sent func() []string) {
	var mu sync.Mutex
	var all []string
	s.auth.PublicKeyCallback = nil
	s.auth.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, string(password))
		if string(password) != right {
			return nil, errors.New("no")
		}
		return nil, nil
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// A password is for those whom it was given for.
func TestPasswordOfTheTargetIsNotSentToTheJumpHost(t *testing.T) {
	jump, target := newFakeServer(t), newFakeServer(t)
	toJump, toTarget := jump.passwords("battery staple"), target.passwords("correct horse")
	config := target.behind(jump)
	config.Password = func(string) ([]byte, error) { return []byte("correct horse"), nil }
	_, err := Dial(context.Background(), target.address(), config)
	if !errors.Is(err, ErrAuthentication) || len(toJump()) > 0 {
		t.Errorf("%v; the jump host was sent %q", err, toJump())
	}
	var prompts []string
	config.JumpPassword = func(prompt string) ([]byte, error) {
		prompts = append(prompts, prompt)
		return []byte("battery staple"), nil
	}
	c, err := Dial(context.Background(), target.address(), config)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if !slices.Equal(prompts, []string{"password for ops@jump"}) || !slices.Equal(toJump(), []string{"battery staple"}) || !slices.Equal(toTarget(), []string{"correct horse"}) {
		t.Errorf("asked %q, sent %q and %q", prompts, toJump(), toTarget())
	}
}

// round is what a server asks at once in keyboard-interactive.
type round struct {
	instruction string
	questions   []string
	echo        bool
	right       []string
}

func conversation(rounds ...round) func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
	return func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		for _, r := range rounds {
			answers, err := ask("", r.instruction, r.questions, slices.Repeat([]bool{r.echo}, len(r.questions)))
			if err != nil || !slices.Equal(answers, r.right) {
				return nil, fmt.Errorf("%q: %v", answers, err)
			}
		}
		return nil, nil
	}
}

// Several prompts, as with a second factor: a person answers them in turn, but for the one
// that is for the password.
func TestPromptsOfKeyboardInteractive(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other")
	writeKey(t, other)
	code := round{"", []string{"Verification code: "}, false, []string{"271828"}}
	password := round{"", []string{"Password: "}, false, []string{"correct horse"}}
	for name, c := range map[string]struct {
		rounds  []round
		first   string // what the server wants before: password, publickey
		without bool   // no --ask-password
		nobody  bool   // no terminal
		asked   []string
		refused string
	}{
		"the password, then a code": {rounds: []round{password, code}, asked: []string{"(root@127.0.0.1) Verification code: "}},
		"a code, then the password": {rounds: []round{code, password}, asked: []string{"(root@127.0.0.1) Verification code: "}},
		"both at once": {rounds: []round{{"Two\nfactors", []string{"Password: ", "One-time password: "}, false, []string{"correct horse", "271828"}}},
			asked: []string{"(root@127.0.0.1) Two\n(root@127.0.0.1) factors\n(root@127.0.0.1) One-time password: "}},
		"one that is seen":                {rounds: []round{password, {"", []string{"1: push, 2: call: "}, true, []string{"271828"}}}, asked: []string{"(root@127.0.0.1) 1: push, 2: call: +"}},
		"a round without questions":       {rounds: []round{password, {"Welcome", nil, false, nil}}},
		"after the password method":       {first: "password", rounds: []round{code}, asked: []string{"(root@127.0.0.1) Verification code: "}},
		"after a key":                     {first: "publickey", without: true, rounds: []round{code}, asked: []string{"(root@127.0.0.1) Verification code: "}},
		"a password, after a key":         {first: "publickey", without: true, rounds: []round{{"", []string{"Password: "}, false, []string{"271828"}}}, asked: []string{"(root@127.0.0.1) Password: "}},
		"nothing passed, and no password": {without: true, rounds: []round{code}, refused: "--ask-password"},
		"nobody there":                    {rounds: []round{password, code}, nobody: true, refused: `"Verification code: "`},
		"the password again":              {rounds: []round{{"", []string{"Password: "}, false, []string{"other"}}}, refused: "tried"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			talk := ssh.ServerAuthCallbacks{KeyboardInteractiveCallback: conversation(c.rounds...)}
			identity := s.identity
			switch c.first {
			case "password":
				s.auth.PublicKeyCallback = nil
				s.auth.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
					return nil, &ssh.PartialSuccessError{Next: talk}
				}
			case "publickey":
				s.auth.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
					return nil, &ssh.PartialSuccessError{Next: talk}
				}
			default:
				s.auth.KeyboardInteractiveCallback = talk.KeyboardInteractiveCallback
				identity = other
			}
			config := s.config() // it serves from here on
			config.Identities = []string{identity}
			if !c.without {
				config.Password = func(string) ([]byte, error) { return []byte("correct horse"), nil }
			}
			var asked []string
			if !c.nobody {
				config.Answer = func(question string, echo bool) ([]byte, error) {
					if echo {
						question += "+"
					}
					asked = append(asked, question)
					return []byte("271828"), nil
				}
			}
			connection, err := Dial(context.Background(), s.address(), config)
			if err == nil {
				connection.Close()
			}
			if !slices.Equal(asked, c.asked) {
				t.Errorf("asked %q, want %q", asked, c.asked)
			}
			if (err != nil) != (c.refused != "") || err != nil && (!errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error()+Hint(err), c.refused)) {
				t.Errorf("%v, hint %q, want %q", err, Hint(err), c.refused)
			}
		})
	}
}
