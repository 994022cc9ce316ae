package remote

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// knownHost is a line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
type knownHost struct {
	file   string
	line   int
	marker string   // "", certAuthority, revoked
	hosts  []string // patterns, or one hashed name
	key    ssh.PublicKey
}

const (
	certAuthority = "cert-authority"
	revoked       = "revoked"
)

func parseKnownHost(line []byte) (knownHost, error) {
	marker, hosts, key, _, _, err := ssh.ParseKnownHosts(line)
	switch {
	case err != nil && !bytes.ContainsAny(line, " \t"): // it says EOF then
		return knownHost{}, errors.New("a word alone is no known host")
	case err != nil:
		return knownHost{}, err
	case !slices.Contains([]string{"", certAuthority, revoked}, marker):
		return knownHost{}, fmt.Errorf("unknown marker @%s", marker)
	}
	return knownHost{marker: marker, hosts: hosts, key: key}, nil
}

// covers tells whether the line is about a host, by its name as known_hosts has it. The name
// is compared as text, its port too, as in match_hostname of OpenSSH's match.c.
func (k knownHost) covers(name string) bool {
	found := false
	for _, pattern := range k.hosts {
		pattern, not := strings.CutPrefix(pattern, "!")
		switch {
		case !strings.HasPrefix(pattern, "|") && !matchPattern(strings.ToLower(pattern), name):
		case strings.HasPrefix(pattern, "|") && !matchHashed(pattern, name):
		case not:
			return false
		default:
			found = true
		}
	}
	return found
}

func (k knownHost) String() string {
	return fmt.Sprintf("%s:%d has %s %s", k.file, k.line, k.key.Type(), ssh.FingerprintSHA256(k.key))
}

// matchPattern knows * and ?, and no separators.
func matchPattern(pattern, text string) bool {
	for i := range len(pattern) {
		switch {
		case pattern[i] == '*':
			rest := strings.TrimLeft(pattern[i:], "*")
			for at := i; at <= len(text); at++ {
				if matchPattern(rest, text[at:]) {
					return true
				}
			}
			return false
		case i >= len(text) || pattern[i] != '?' && pattern[i] != text[i]:
			return false
		}
	}
	return len(text) == len(pattern)
}

// hashedName is |1|SALT|HASH: an HMAC-SHA1 of the name, and the salt is its key.
type hashedName struct {
	salt, hash []byte
	line       int         // in its file
	found      atomic.Bool // whose name it is, which is no other's then
}

func parseHashed(pattern string) (_ *hashedName, ok bool) {
	parts := strings.Split(pattern, "|")
	if len(parts) != 4 || parts[0] != "" || parts[1] != "1" {
		return nil, false
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, false
	}
	hash, err := base64.StdEncoding.DecodeString(parts[3])
	return &hashedName{salt: salt, hash: hash}, err == nil
}

func (h *hashedName) is(name string) bool {
	hash := hmac.New(sha1.New, h.salt)
	hash.Write([]byte(name))
	return hmac.Equal(hash.Sum(nil), h.hash)
}

func matchHashed(pattern, name string) bool {
	hashed, ok := parseHashed(pattern)
	return ok && hashed.is(name)
}
