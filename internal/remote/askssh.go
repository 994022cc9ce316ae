package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// askTimeout bounds `ssh -G`: it may run the commands of Match exec, and look names up.
const askTimeout = time.Minute

// Answers keeps what ssh was asked, so that a host costs a run one process at the most.
type Answers struct {
	mu    sync.Mutex
	asked map[string]func() ([]directive, error)
}

func (a *Answers) once(question []string, ask func() ([]directive, error)) ([]directive, error) {
	if a == nil {
		return ask()
	}
	key := strings.Join(question, "\x00")
	a.mu.Lock()
	if a.asked[key] == nil {
		if a.asked == nil {
			a.asked = map[string]func() ([]directive, error){}
		}
		a.asked[key] = sync.OnceValues(ask)
	}
	answer := a.asked[key]
	a.mu.Unlock()
	return answer()
}

// askSSH has OpenSSH's client read the same options and files: `ssh -G` connects to nothing and
// prints what would hold. doubt is why it is asked.
func (c Config) askSSH(address Address, doubt error) ([]directive, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return nil, doubt
	}
	// ssh takes its home from passwd, and would read another file than we
	if u, err := user.Current(); err == nil && u.HomeDir != home() {
		return nil, configError("HOME="+home(), fmt.Sprintf("OpenSSH's client, which has to be asked (%s), takes %s for it", doubtOf(doubt), u.HomeDir),
			"HOME="+u.HomeDir)
	}
	question := []string{"-G", "-T"}
	if c.ConfigFile != "" {
		question = append(question, "-F", c.ConfigFile)
	}
	if address.User != "" {
		question = append(question, "-l", address.User)
	}
	if address.Port != 0 {
		question = append(question, "-p", strconv.Itoa(address.Port))
	}
	for _, option := range c.Options {
		question = append(question, "-o", option)
	}
	question = append(question, "--", address.Host)
	return c.Answers.once(question, func() ([]directive, error) { return runSSH(path, question) })
}

func doubtOf(doubt error) string {
	var e *Error
	if errors.As(doubt, &e) {
		return e.What
	}
	return doubt.Error()
}

func runSSH(path string, question []string) ([]directive, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, question...)
	cmd.WaitDelay = time.Second // a command of Match exec may hold the pipes
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(problem.String())
		if ctx.Err() != nil {
			said = "no answer within " + askTimeout.String() + "; " + said
		}
		if said == "" {
			said = err.Error()
		}
		return nil, configError("ssh -G "+question[len(question)-1], strings.ReplaceAll(said, "\n", "; "), "ssh itself cannot connect with this; see ssh_config(5)", err)
	}
	return parseAnswer(out.String()), nil
}

// parseAnswer reads what ssh -G prints: a keyword and its value in each line. The name to connect
// to and the files of known hosts it has expanded, the rest it leaves to be done when it is used.
func parseAnswer(text string) []directive {
	var lines []directive
	for text := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(text, "\n"), " ")
		l := directive{where: "ssh -G", name: name, key: strings.ToLower(name), words: []string{value}, rest: value}
		switch l.key {
		case "hostname", "user":
			l.expanded = true
		case "userknownhostsfile":
			l.expanded = true
			fallthrough
		case "globalknownhostsfile":
			l.words = strings.Fields(value)
		}
		lines = append(lines, l)
	}
	from := &source{lines: lines}
	unsaid := map[string]bool{ // what ssh adds of its own
		"identityfile":        sshStandard(from.all("identityfile")),
		"serveraliveinterval": from.yes("batchmode", false), // Debian's 300 seconds
	}
	return slices.DeleteFunc(lines, func(l directive) bool { return unsaid[l.key] })
}

// sshStandard tells whether identities are the list that ssh has by itself: all that every version
// has in it. Who names just these means the same.
func sshStandard(lines []directive) bool {
	var rest []string
	for _, l := range lines {
		name, standard := strings.CutPrefix(l.rest, "~/.ssh/")
		if !standard {
			return false
		}
		rest = append(rest, name)
	}
	for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
		if !slices.Contains(rest, name) {
			return false
		}
	}
	return true
}
