package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeyOrder is what is asked for, best first: the default of HostKeyAlgorithms in
// ssh_config(5), so that a first contact is about the same key as with ssh.
const hostKeyOrder = `
	ssh-ed25519-cert-v01@openssh.com
	ecdsa-sha2-nistp256-cert-v01@openssh.com ecdsa-sha2-nistp384-cert-v01@openssh.com ecdsa-sha2-nistp521-cert-v01@openssh.com
	rsa-sha2-512-cert-v01@openssh.com rsa-sha2-256-cert-v01@openssh.com
	ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 rsa-sha2-512 rsa-sha2-256`

const certSuffix = "-cert-v01@openssh.com"

// hostKeys decides on the key that a host shows, as check_host_key of OpenSSH's
// sshconnect.c does.
type hostKeys struct {
	settings settings
	confirm  func(host, fingerprint string) bool
	files    *knownFiles
	known    []*knownFile
}

func (c Config) loadHostKeys(s settings, files *knownFiles) *hostKeys {
	return &hostKeys{settings: s, confirm: c.ConfirmHostKey, files: files, known: files.read(s.knownHosts, c.warn)}
}

// name is the host as known_hosts has it. An alias is taken as it stands.
func (h *hostKeys) name() string {
	switch {
	case h.settings.hostKeyAlias != "":
		return strings.ToLower(h.settings.hostKeyAlias)
	case h.settings.port == 22:
		return h.bareName()
	}
	return fmt.Sprintf("[%s]:%d", h.bareName(), h.settings.port)
}

func (h *hostKeys) bareName() string { return strings.ToLower(h.settings.host) }

// lines returns the lines about the host that have a marker. Where none says its port, those
// for its name alone count too: a key is the host's, whatever port shows it.
func (h *hostKeys) lines(marker string) (found []knownHost, byName bool) {
	about := func(name string) (found []knownHost) {
		for _, file := range h.known {
			found = append(found, file.about(name, marker)...)
		}
		return found
	}
	if found = about(h.name()); len(found) > 0 || h.settings.hostKeyAlias != "" || h.settings.port == 22 {
		return found, true
	}
	return about(h.bareName()), false
}

// algorithms orders the host key algorithms: the types that known_hosts has for
// the host first, or a host whose RSA key is known would show its Ed25519 key
// and look like a stranger. Certificates are asked for only where a
// @cert-authority can vouch for them.
func (h *hostKeys) algorithms() []string {
	known, _ := h.lines("")
	authorities, _ := h.lines(certAuthority)
	order := h.settings.hostKeyAlgorithms
	if order == nil {
		order = strings.Fields(hostKeyOrder)
	}
	var first, last []string
	for _, algorithm := range order {
		switch kind := keyType(algorithm); {
		case strings.HasSuffix(algorithm, certSuffix):
			if len(authorities) > 0 {
				first = append(first, algorithm)
			}
		case slices.ContainsFunc(known, func(k knownHost) bool { return k.key.Type() == kind }):
			first = append(first, algorithm)
		default:
			last = append(last, algorithm)
		}
	}
	if len(first)+len(last) == 0 { // HostKeyAlgorithms wants certificates, and nobody vouches for one
		return order
	}
	return append(first, last...)
}

// keyType is the type of the keys that sign with an algorithm: RSA's are three algorithms
// with one type (RFC 8332).
func keyType(algorithm string) string {
	if strings.HasPrefix(algorithm, "rsa-sha2-") {
		return ssh.KeyAlgoRSA
	}
	return algorithm
}

// check is the handshake's host key callback.
func (h *hostKeys) check(_ string, _ net.Addr, shown ssh.PublicKey) error {
	if err := h.settings.demands(shown); err != nil {
		return h.changed(shown, err.Error(), "")
	}
	key, refusal := h.judge(shown)
	if refusal != nil || key == nil {
		return refusal
	}
	switch h.settings.strict {
	case "accept-new":
		return h.remember(key)
	case "ask":
		if h.confirm != nil && h.confirm(h.settings.alias, ssh.FingerprintSHA256(key)) {
			return h.remember(key)
		}
	}
	return h.unknown(key, "compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub there); then -o StrictHostKeyChecking=accept-new")
}

// judge compares what the host shows with known_hosts. It returns the key where it is a
// stranger's, and why it is refused where it contradicts a line.
func (h *hostKeys) judge(shown ssh.PublicKey) (stranger ssh.PublicKey, refusal error) {
	certificate, certified := shown.(*ssh.Certificate)
	key := shown
	if certified {
		key = certificate.Key
	}
	for _, file := range h.known {
		for _, line := range file.revokes() {
			if sameKey(line.key, key) || certified && sameKey(line.key, certificate.SignatureKey) {
				return nil, h.changed(key, fmt.Sprintf("which is revoked in %s:%d", line.file, line.line), "")
			}
		}
	}
	known, byName := h.lines("")
	if slices.ContainsFunc(known, func(k knownHost) bool { return sameKey(k.key, key) }) {
		return nil, nil
	}
	if authorities, _ := h.lines(certAuthority); certified &&
		slices.ContainsFunc(authorities, func(k knownHost) bool { return sameKey(k.key, certificate.SignatureKey) }) {
		if err := h.holds(certificate); err != nil {
			return nil, h.changed(key, "and its certificate does not hold: "+err.Error(), "")
		}
		return nil, nil
	}
	if len(known) > 0 && byName { // that its name has another key on another port says nothing
		return nil, h.contradicts(key, known)
	}
	return key, nil
}

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// holds checks a host's certificate, which names hosts without a port, also by patterns
// (sshkey_cert_check_host in OpenSSH's sshkey.c).
func (h *hostKeys) holds(certificate *ssh.Certificate) error {
	if certificate.CertType != ssh.HostCert {
		return errors.New("it is a user's")
	}
	name := h.bareName()
	if h.settings.hostKeyAlias != "" {
		name = h.name()
	}
	for _, principal := range certificate.ValidPrincipals {
		if matchPattern(strings.ToLower(principal), name) {
			name = principal
		}
	}
	err := new(ssh.CertChecker).CheckCert(name, certificate)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "ssh: "))
	}
	return nil
}

func (h *hostKeys) unknown(key ssh.PublicKey, hint string) error {
	where := "there is no known_hosts file"
	if len(h.settings.knownHosts) > 0 {
		where = fmt.Sprintf("none of %s has a key for %s", strings.Join(h.settings.knownHosts, ", "), h.name())
	}
	return &Error{
		What:    h.settings.alias,
		Problem: fmt.Sprintf("%s: it shows %s %s, and %s", ErrHostKeyUnknown, key.Type(), ssh.FingerprintSHA256(key), where),
		Hint:    hint,
		Kinds:   []error{ErrHostKeyUnknown},
	}
}

// contradicts is the error for a key where known_hosts has others.
func (h *hostKeys) contradicts(key ssh.PublicKey, known []knownHost) error {
	var lines []string
	for _, line := range known {
		lines = append(lines, line.String())
	}
	return h.changed(key, "but "+strings.Join(lines, ", "), "someone may be listening in; if the host was reinstalled: "+
		fmt.Sprintf("ssh-keygen -R '%s' -f %s", h.name(), known[0].file))
}

// changed is the error for a key that no setting accepts.
func (h *hostKeys) changed(key ssh.PublicKey, why, hint string) error {
	return &Error{
		What:    h.settings.alias,
		Problem: fmt.Sprintf("%s: it shows %s %s, %s", ErrHostKeyChanged, key.Type(), ssh.FingerprintSHA256(key), why),
		Hint:    hint,
		Kinds:   []error{ErrHostKeyChanged},
	}
}

// remember appends the key to the user's first known_hosts file. The append is one
// write under a lock, after another look: of several runs, or several names of
// one file, one writes. Without such a file nothing is accepted, as in ssh.
func (h *hostKeys) remember(key ssh.PublicKey) error {
	name := h.settings.appendKnownHost
	if name == "" {
		return h.unknown(key, "UserKnownHostsFile is none, so that no new key can be accepted: name a file")
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return configError(name, "cannot be written", "", err)
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return configError(name, "cannot be written", "", err)
	}
	defer file.Close() // also lets the lock go
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return configError(name, "cannot be locked", "", err)
	}
	h.known = h.files.read(h.settings.knownHosts, func(string) {}) // dialling has warned
	if stranger, refusal := h.judge(key); refusal != nil || stranger == nil {
		return refusal
	}
	host := h.name()
	if h.settings.hashKnownHosts {
		host = knownhosts.HashHostname(host)
	}
	line := []byte(host + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + "\n")
	if !endsInNewline(file) {
		line = append([]byte("\n"), line...)
	}
	if _, err := file.Write(line); err != nil {
		return configError(name, "cannot be written", "", err)
	}
	return nil
}

func endsInNewline(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return true
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil && err != io.EOF {
		return true
	}
	return bytes.Equal(last, []byte("\n"))
}
