package remote

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// login chooses what to authenticate with: all keys, then one password, once,
// by whichever of the two methods the server has, and what else it asks for. A
// wrong password sent twice would count twice against the account.
type login struct {
	config   Config
	settings settings
	ring     keyring
	conn     *liveConn

	begun    bool // the server has asked for a login
	keys     int  // so many of the ring's were offered
	offered  []string
	password []byte
	asked    bool
	failure  error // why a question had no answer
}

// next is called by the handshake before every attempt.
func (l *login) next(attempt *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.begun = true
	if lost := l.conn.ended(); lost != nil { // what an attempt has not outlived, x/crypto takes for one that was refused
		return nil, fmt.Errorf("the connection ended during the login: %w", lost)
	}
	for _, method := range l.settings.methods {
		if !slices.Contains(attempt.AllowedMethods, method) {
			continue
		}
		if try := l.try(method, attempt); try != nil {
			return try, nil
		}
	}
	return nil, l.refused(attempt.AllowedMethods)
}

// try is the next attempt of a method, nil where there is none.
func (l *login) try(method string, attempt *ssh.ClientAuthContext) ssh.AuthMethod {
	failed := func(method string) bool { return slices.Contains(attempt.TriedMethods, method) }
	switch {
	case method == "publickey" && l.keys < len(l.ring.keys):
		// One at a time: all of them are done with when one cannot sign.
		k := l.ring.keys[l.keys]
		l.keys++
		l.offered = append(l.offered, k.name)
		return ssh.PublicKeys(k.signer)
	case method == "password" && l.settings.password && l.config.Password != nil && !l.asked:
		l.offered = append(l.offered, "password")
		return ssh.PasswordCallback(func() (string, error) {
			password, err := l.ask()
			return string(password), err
		})
	case method == "keyboard-interactive" && l.settings.interactive && !failed("keyboard-interactive") && !failed("password") &&
		l.converses(len(attempt.PartialSuccessMethods) > 0):
		l.offered = append(l.offered, "keyboard-interactive")
		return ssh.KeyboardInteractive(l.challenge)
	}
	return nil
}

// converses tells whether there may be an answer to keyboard-interactive: the password, or
// a person's, who is only asked once the host has taken something, or to go with a password.
func (l *login) converses(passedOne bool) bool {
	if l.config.Password != nil && !l.asked {
		return true
	}
	return l.config.Answer != nil && (l.config.Password != nil || passedOne)
}

func (l *login) ask() ([]byte, error) {
	if !l.asked {
		l.asked = true
		var err error
		if l.password, err = l.config.Password(fmt.Sprintf("password for %s@%s", l.settings.user, l.settings.alias)); err != nil {
			l.failure = fmt.Errorf("no password: %w", err)
		}
	}
	return l.password, l.failure
}

// challenge answers a round of keyboard-interactive, one question after the other: that for
// the password with the password, once, and all others as a person does.
func (l *login) challenge(name, instruction string, questions []string, echos []bool) ([]string, error) {
	before := strings.TrimSpace(name + "\n" + instruction)
	var answers []string
	for i, question := range questions {
		var answer []byte
		var err error
		switch {
		case !echos[i] && forPassword(question) && l.config.Password != nil && !l.asked:
			answer, err = l.ask()
		case l.config.Answer != nil:
			answer, err = l.config.Answer(l.says(before, question), echos[i])
			before = ""
		default:
			err = fmt.Errorf("the server asks %q, which is not for the password, and there is no terminal to answer on", question)
		}
		if err != nil {
			l.failure = err
			return nil, err
		}
		answers = append(answers, string(answer))
	}
	return answers, nil
}

// says puts the login before every line of what its server says, as ssh does: no line looks
// like a question of somebody else.
func (l *login) says(before, question string) string {
	text := strings.TrimLeft(before+"\n"+question, "\n")
	who := fmt.Sprintf("(%s@%s) ", l.settings.user, l.settings.alias)
	return who + strings.ReplaceAll(text, "\n", "\n"+who)
}

// forPassword tells whether a hidden question is for the account's password. What may be for
// a code, or for a new password, is not: it would be sent to the wrong place, and counted.
func forPassword(question string) bool {
	question = strings.ToLower(question)
	return strings.Contains(question, "password") &&
		!slices.ContainsFunc(strings.Fields("one-time onetime otp code token new again retype"), func(word string) bool { return strings.Contains(question, word) })
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
		problem += "; " + l.failure.Error()
	}
	hint := "name the right key with -i FILE, or bring yours there with ssh-copy-id"
	if len(l.ring.keys)+len(l.ring.skipped) == 0 {
		hint = "make a key (ssh-keygen) and bring it there (ssh-copy-id), or name yours with -i FILE"
	}
	if l.config.Password == nil && (slices.Contains(allowed, "password") || slices.Contains(allowed, "keyboard-interactive")) {
		hint += ", or let it ask for a password with --ask-password"
	}
	return &Error{What: l.settings.alias, Problem: problem, Hint: hint, Kinds: []error{ErrAuthentication, l.failure}}
}
