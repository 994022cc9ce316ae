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

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// anyAddress stands for the peer's address, which is not checked: a host is
// known by its name, and a proxied connection has no address at all.
var anyAddress = &net.TCPAddr{IP: net.IPv4zero}

// hostKeys decides on the key that a host shows.
type hostKeys struct {
	settings settings
	confirm  func(host, fingerprint string) bool
	db       *knownhosts.HostKeyDB
}

func loadHostKeys(s settings, confirm func(host, fingerprint string) bool) (*hostKeys, error) {
	h := &hostKeys{settings: s, confirm: confirm}
	var err error
	h.db, err = h.read()
	return h, err
}

func (h *hostKeys) read() (*knownhosts.HostKeyDB, error) {
	var files []string
	for _, name := range h.settings.knownHosts {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	db, err := knownhosts.NewDB(files...)
	if err != nil {
		return nil, configError("known_hosts", strings.TrimPrefix(err.Error(), "knownhosts: "), "correct or delete that line", err)
	}
	return db, nil
}

// algorithms orders the host key algorithms: the types that known_hosts has for
// the host first, or a host whose RSA key is known would show its Ed25519 key
// and look like a stranger. Certificates are asked for only where a
// @cert-authority can vouch for them.
func (h *hostKeys) algorithms() []string {
	known := h.db.HostKeyAlgorithms(h.settings.hostKeyName)
	supported := ssh.SupportedAlgorithms().HostKeys
	var order []string
	for _, algorithm := range known {
		if slices.Contains(supported, algorithm) {
			order = append(order, algorithm)
		}
	}
	for _, algorithm := range supported {
		if !slices.Contains(order, algorithm) && !strings.Contains(algorithm, "-cert-v01@") {
			order = append(order, algorithm)
		}
	}
	return order
}

// check is the handshake's host key callback.
func (h *hostKeys) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	err := h.db.HostKeyCallback()(h.settings.hostKeyName, anyAddress, key)
	if err == nil {
		return nil
	}
	if !knownhosts.IsHostUnknown(err) {
		return h.changed(key, err)
	}
	switch h.settings.strict {
	case "accept-new":
		return h.remember(key)
	case "ask":
		if h.confirm != nil && h.confirm(h.settings.alias, ssh.FingerprintSHA256(key)) {
			return h.remember(key)
		}
	}
	return &Error{
		What: h.settings.alias,
		Problem: fmt.Sprintf("%s: it shows %s %s, and none of %s has a key for %s", ErrHostKeyUnknown, key.Type(),
			ssh.FingerprintSHA256(key), strings.Join(h.settings.knownHosts, ", "), knownhosts.Normalize(h.settings.hostKeyName)),
		Hint:  "compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub there); then -o StrictHostKeyChecking=accept-new",
		Kinds: []error{ErrHostKeyUnknown},
	}
}

// changed is the error for a key that contradicts known_hosts.
func (h *hostKeys) changed(key ssh.PublicKey, err error) error {
	shown := key.Type() + " " + ssh.FingerprintSHA256(key)
	failure := &Error{What: h.settings.alias, Kinds: []error{ErrHostKeyChanged, err}}
	var mismatch *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &mismatch):
		var known []string
		for _, want := range mismatch.Want {
			known = append(known, fmt.Sprintf("%s:%d has %s %s", want.Filename, want.Line, want.Key.Type(), ssh.FingerprintSHA256(want.Key)))
		}
		failure.Problem = fmt.Sprintf("%s: it shows %s, but %s", ErrHostKeyChanged, shown, strings.Join(known, ", "))
		failure.Hint = "someone may be listening in; if the host was reinstalled: " +
			fmt.Sprintf("ssh-keygen -R '%s' -f %s", knownhosts.Normalize(h.settings.hostKeyName), mismatch.Want[0].Filename)
	case errors.As(err, &revoked):
		failure.Problem = fmt.Sprintf("%s: it shows %s, which is revoked in %s:%d", ErrHostKeyChanged, shown, revoked.Revoked.Filename, revoked.Revoked.Line)
	default: // a certificate that does not hold
		failure.Problem = fmt.Sprintf("%s: it shows %s: %s", ErrHostKeyChanged, shown, err)
	}
	return failure
}

// remember appends the key to the first known_hosts file. The append is one
// write under a lock, after another look: of several runs, or several names of
// one file, one writes.
func (h *hostKeys) remember(key ssh.PublicKey) error {
	name := h.settings.knownHosts[0]
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
	db, err := h.read()
	if err != nil {
		return err
	}
	if err := db.HostKeyCallback()(h.settings.hostKeyName, anyAddress, key); err == nil {
		return nil
	} else if !knownhosts.IsHostUnknown(err) {
		return h.changed(key, err)
	}
	host := knownhosts.Normalize(h.settings.hostKeyName)
	if h.settings.hashKnownHosts {
		host = xknownhosts.HashHostname(host)
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
