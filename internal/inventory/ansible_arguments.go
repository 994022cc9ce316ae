package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// arguments reads what Ansible adds to the command line of ssh: the way to a host, and its key. The rest of it
// is told; what leads to the host by another way than ssh's is refused.
func (a *ansible) arguments(what string, vars map[string]*node, ssh *node) {
	for _, name := range ansibleNames.arguments {
		value := a.plain(what, vars, []string{name})
		if value == nil {
			continue
		}
		words, problem := shellWords(value.text, false)
		if problem != "" {
			a.refuse(value.at, what+": "+name, problem, "a quote that opens has to close")
			continue
		}
		for _, option := range sshOptions(words) {
			a.option(what+": "+name, value.at, ssh, option)
		}
	}
}

// sshOption is one of ssh's: its letter, or the keyword of -o, and its value.
type sshOption struct{ name, value string }

// withValue are the letters of ssh(1) that have one.
const withValue = "BbcDEeFIiJLlmOoPpRSWw"

// sshOptions are those of a command line. A word that is none has no name.
func sshOptions(words []string) []sshOption {
	var all []sshOption
	for i := 0; i < len(words); i++ {
		letters, is := strings.CutPrefix(words[i], "-")
		if !is || letters == "" {
			all = append(all, sshOption{"", words[i]})
			continue
		}
		for at := 0; at < len(letters); at++ {
			letter, value := letters[at:at+1], letters[at+1:]
			if !strings.Contains(withValue, letter) {
				all = append(all, sshOption{letter, ""})
				continue
			}
			if value == "" && i+1 < len(words) {
				i++
				value = words[i]
			}
			if letter == "o" {
				key := strings.TrimSpace(value)
				if end := strings.IndexAny(key, " ="); end >= 0 {
					key = key[:end]
				}
				letter, value = strings.ToLower(key), strings.TrimLeft(strings.TrimSpace(value)[len(key):], " =")
			}
			all = append(all, sshOption{letter, value})
			break
		}
	}
	return all
}

// option takes one option in.
func (a *ansible) option(what string, at Position, ssh *node, o sshOption) {
	set := func(key, value string) {
		if ssh.get(key) == nil || key == loginJump { // ssh takes the first, and Ansible's own variable stands before
			ssh.put(key, at, textNode(value, at))
		}
	}
	switch o.name {
	case "J", "proxyjump":
		set(loginJump, o.value)
	case "proxycommand":
		jump, ok := jumpOf(o.value)
		if !ok {
			a.refuse(at, what, "a ProxyCommand that is no jump by ssh -W", "write it into ~/.ssh/config under the host's name, and leave it out here")
			return
		}
		set(loginJump, jump)
	case "i", "identityfile":
		set(loginIdentity, fromHere(o.value))
	case "l", "user":
		set(loginUser, o.value)
	case "p", "port":
		if ssh.get(loginPort) == nil {
			ssh.put(loginPort, at, numberOf(textNode(o.value, at)))
		}
	case "controlmaster", "controlpersist", "controlpath", "C", "compression", "q", "loglevel", "identitiesonly", "v", "A", "forwardagent", "tcpkeepalive", "serveraliveinterval", "serveralivecountmax":
		// of no consequence for who is reached
	case "":
		a.refuse(at, what, fmt.Sprintf("%q is no option of ssh", short(o.value)), "options only: -o ProxyJump=HOST")
	default:
		name := "-" + o.name
		if len(o.name) > 1 {
			name = "-o " + o.name
		}
		a.note("the option "+name, at)
	}
}

// straight is what ssh -W is told of the host: where it goes on to.
var straight = regexp.MustCompile(`^\[?%h\]?:%p$`)

// jumpOf is the jump that a ProxyCommand makes by ssh -W: "none" is none.
func jumpOf(command string) (jump string, ok bool) {
	if strings.EqualFold(command, "none") {
		return "none", true
	}
	words, problem := shellWords(command, false)
	if problem != "" || len(words) == 0 || words[0] != "ssh" && words[0] != "/usr/bin/ssh" {
		return "", false
	}
	var user, port, host string
	goesOn := false
	for _, o := range sshOptions(words[1:]) {
		switch o.name {
		case "W":
			goesOn = straight.MatchString(o.value)
		case "p", "port":
			port = ":" + o.value
		case "l", "user":
			user = o.value + "@"
		case "q", "A", "C", "T", "a", "x", "forwardagent", "loglevel":
		case "":
			if host != "" {
				return "", false
			}
			host = o.value
		default:
			return "", false
		}
	}
	if !goesOn || host == "" || strings.Contains(host, "@") && user != "" {
		return "", false
	}
	return user + host + port, true
}

// shellWords splits a text as Python's shlex does, with which Ansible reads it: white space between, quotes, a
// backslash before a character. With comments, # ends it outside of quotes.
func shellWords(text string, comments bool) (words []string, problem string) {
	var word strings.Builder
	began, quote := false, rune(0)
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == '\'':
			word.WriteRune(r)
		case r == '\\' && i+1 < len(runes):
			i++
			if quote == '"' && !slices.Contains([]rune{'"', '\\'}, runes[i]) {
				word.WriteRune('\\')
			}
			word.WriteRune(runes[i])
			began = true
		case r == '\\':
			return nil, "ends with a backslash"
		case quote == '"':
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, began = r, true
		case comments && r == '#':
			i = len(runes)
		case r == ' ' || r == '\t':
			if began {
				words = append(words, word.String())
				word.Reset()
			}
			began = false
		default:
			word.WriteRune(r)
			began = true
		}
	}
	if quote != 0 {
		return nil, fmt.Sprintf("has a %c that is not closed", quote)
	}
	if began {
		words = append(words, word.String())
	}
	return words, ""
}
