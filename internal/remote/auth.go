package remote

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// login chooses what to authenticate with: all keys, then one password, once,
// by whichever of the two methods the server has. A wrong password sent twice
// would count twice against the account.
type login struct {
	config   Config
	settings settings
	ring     keyring

	keys     int // so many of the ring's were offered
	offered  []string
	password []byte
	asked    bool
	failure  error // why no password could be had
}

// next is called by the handshake before every attempt.
func (l *login) next(attempt *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	untried := func(method string) bool {
		return slices.Contains(attempt.AllowedMethods, method) && !slices.Contains(attempt.TriedMethods, method) &&
			!slices.Contains(attempt.PartialSuccessMethods, method)
	}
	switch {
	case l.keys < len(l.ring.keys) && slices.Contains(attempt.AllowedMethods, "publickey"):
		// One at a time: all of them are done with when one cannot sign.
		k := l.ring.keys[l.keys]
		l.keys++
		l.offered = append(l.offered, k.name)
		return ssh.PublicKeys(k.signer), nil
	case l.config.Password == nil || l.asked:
	case l.settings.password && untried("password"):
		l.offered = append(l.offered, "password")
		return ssh.PasswordCallback(func() (string, error) {
			password, err := l.ask()
			return string(password), err
		}), nil
	case l.settings.interactive && untried("keyboard-interactive"):
		l.offered = append(l.offered, "keyboard-interactive")
		return ssh.KeyboardInteractive(l.challenge), nil
	}
	return nil, l.refused(attempt.AllowedMethods)
}

func (l *login) ask() ([]byte, error) {
	if !l.asked {
		l.asked = true
		l.password, l.failure = l.config.Password(fmt.Sprintf("password for %s@%s", l.settings.user, l.settings.alias))
	}
	return l.password, l.failure
}

// challenge answers the questions of keyboard-interactive: the one that hides
// its answer is the password's. Anything more needs a person.
func (l *login) challenge(_, _ string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	if len(questions) > 1 || echos[0] || l.asked {
		return nil, fmt.Errorf("the server asks %q, which is not for a password", strings.Join(questions, " "))
	}
	password, err := l.ask()
	return []string{string(password)}, err
}

// tooMany is the error for a server that hung up before all keys were offered.
func (l *login) tooMany(err error) error {
	return &Error{
		What: l.settings.alias,
		Problem: fmt.Sprintf("%s as user %s: the server hung up after too many attempts; offered %s",
			ErrAuthentication, l.settings.user, strings.Join(l.offered, ", ")),
		Hint:  "offer fewer keys: -i FILE -o IdentitiesOnly=yes",
		Kinds: []error{ErrAuthentication, err},
	}
}

// refused is the error that says what was tried.
func (l *login) refused(allowed []string) error {
	for _, k := range l.ring.keys {
		if k.failed != nil && *k.failed != nil {
			return *k.failed // the host would have taken it
		}
	}
	tried := "there was no key and no password to offer"
	if len(l.offered) > 0 {
		tried = "tried " + strings.Join(l.offered, ", ")
	}
	if len(l.ring.skipped) > 0 {
		tried += "; not used: " + strings.Join(l.ring.skipped, "; ")
	}
	problem := fmt.Sprintf("%s as user %s: %s; the server allows %s",
		ErrAuthentication, l.settings.user, tried, strings.Join(allowed, ", "))
	if l.failure != nil {
		problem += "; no password: " + l.failure.Error()
	}
	hint := "name the right key with -i FILE"
	if l.config.Password == nil && (slices.Contains(allowed, "password") || slices.Contains(allowed, "keyboard-interactive")) {
		hint += ", or let it ask for a password with --ask-password"
	}
	return &Error{What: l.settings.alias, Problem: problem, Hint: hint, Kinds: []error{ErrAuthentication, l.failure}}
}
