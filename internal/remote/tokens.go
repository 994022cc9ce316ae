package remote

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// tokens are the escapes of ssh_config(5), TOKENS, and what they stand for. One that is not among
// them is an error, as for ssh.
type tokens map[byte]string

// proxyTokens are those of ProxyCommand and ProxyJump.
func (s *settings) proxyTokens() tokens {
	return tokens{'h': s.host, 'n': s.alias, 'p': strconv.Itoa(s.port), 'r': s.user}
}

// fileTokens are those of keywords that name a file of this side.
func (s *settings) fileTokens() tokens {
	t := s.proxyTokens()
	name, _ := os.Hostname()
	t['d'], t['i'], t['u'] = home(), strconv.Itoa(os.Getuid()), localUser()
	t['l'], t['L'] = name, strings.SplitN(name, ".", 2)[0]
	t['k'], t['j'] = s.hostKeyAlias, s.proxyJump
	if s.hostKeyAlias == "" {
		t['k'] = s.alias
	}
	if s.proxyJump == "" { // with one, %C is another hash since OpenSSH 9.8
		sum := sha1.Sum([]byte(t['l'] + t['h'] + t['p'] + t['r']))
		t['C'] = hex.EncodeToString(sum[:])
	}
	return t
}

// expand puts in what tokens stand for.
func (t tokens) expand(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		i++
		if i == len(text) {
			return "", fmt.Errorf("%q ends in a single %%, which is written %%%%", text)
		}
		value, known := t[text[i]]
		switch {
		case text[i] == '%':
			value = "%"
		case text[i] == 'C' && !known && t['d'] != "":
			return "", fmt.Errorf("%q has %%C, which with ProxyJump is not the same in all versions of ssh", text)
		case !known:
			return "", fmt.Errorf("%q has %%%c, which is no token here; a %% of its own is written %%%%", text, text[i])
		}
		out.WriteString(value)
	}
	return out.String(), nil
}

// expandEnv puts in the variables of the environment, written ${NAME}.
func expandEnv(text string) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		value, set := os.LookupEnv(name)
		if !closed || !set {
			return "", fmt.Errorf("%q has ${%s, which the environment has not", text, name)
		}
		out.WriteString(value)
		text = rest
	}
}

// expandTilde puts in a home directory: ~ is ours, ~name that of a user of this machine.
func expandTilde(path string) (string, error) {
	if !strings.HasPrefix(path, "~") {
		return path, nil
	}
	name, rest, _ := strings.Cut(path[1:], "/")
	if name == "" {
		return filepath.Join(home(), rest), nil
	}
	other, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return filepath.Join(other.HomeDir, rest), nil
}

// path expands what names a file of this side.
func (t tokens) path(text string) (string, error) {
	path, err := expandTilde(text)
	if err == nil {
		path, err = expandEnv(path)
	}
	if err == nil {
		path, err = t.expand(path)
	}
	return path, err
}

func home() string {
	if dir, err := os.UserHomeDir(); err == nil {
		return dir
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return "/"
}

func inHome(path string) string { return filepath.Join(home(), path) }

func localUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
