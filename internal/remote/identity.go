package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// key is a signer and how an error names it.
type key struct {
	signer ssh.Signer
	name   string
}

// keyring is what can be offered to a host, in the order in which it is.
type keyring struct {
	keys    []key
	skipped []string  // files that ssh looks for by itself and that cannot be used, and why
	agent   io.Closer // nil without one
}

func (k keyring) close() {
	if k.agent != nil {
		k.agent.Close()
	}
}

// loadKeyring reads the identities and asks the agent. Identities that someone
// named go first, then what else the agent holds (unless IdentitiesOnly), then
// the files that ssh looks for by itself: each key that the host does not know
// costs a round trip and one of its MaxAuthTries.
func (c Config) loadKeyring(s settings) (keyring, error) {
	var ring keyring
	if !s.publicKeys {
		return ring, nil
	}
	held, closer := c.agentKeys(s)
	ring.agent = closer
	used := map[string]bool{}
	add := func(keys []key) {
		for _, k := range keys {
			if id := string(k.signer.PublicKey().Marshal()); !used[id] {
				used[id] = true
				ring.keys = append(ring.keys, k)
			}
		}
	}
	var standard []key
	for _, identity := range s.identities {
		keys, err := c.loadIdentity(identity, held)
		switch {
		case err == nil && identity.standard:
			standard = append(standard, keys...)
		case err == nil:
			add(keys)
		case identity.standard: // nobody asked for this one
			ring.skipped = append(ring.skipped, err.Error())
		default:
			ring.close()
			return keyring{}, err
		}
	}
	if !s.identitiesOnly {
		add(held)
	}
	add(standard)
	return ring, nil
}

// agentKeys lists the agent's keys. An agent that does not answer is a warning.
func (c Config) agentKeys(s settings) ([]key, io.Closer) {
	if s.agentSocket == "" {
		return nil, nil
	}
	conn, err := net.Dial("unix", s.agentSocket)
	if err != nil {
		c.warn("ssh agent: " + err.Error())
		return nil, nil
	}
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		conn.Close()
		c.warn("ssh agent: " + err.Error())
		return nil, nil
	}
	var keys []key
	for _, signer := range signers {
		name := "agent"
		if k, ok := signer.PublicKey().(*agent.Key); ok {
			name = "agent " + k.Comment
		}
		keys = append(keys, key{signer, name + " " + ssh.FingerprintSHA256(signer.PublicKey())})
	}
	return keys, conn
}

// loadIdentity reads a private key file, with its certificate if FILE-cert.pub
// is there. A key that the agent holds is left to the agent, so that its
// passphrase is not asked for; a public key names one of those.
func (c Config) loadIdentity(identity identityFile, held []key) ([]key, error) {
	path := identity.path
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !identity.explicit {
		return nil, nil
	}
	if err != nil {
		return nil, configError(path, "the identity file cannot be read", "", err)
	}
	if info.IsDir() {
		return nil, configError(path, "is a directory, not a private key", "")
	}
	if !info.Mode().IsRegular() { // reading a FIFO or a device may never end
		return nil, configError(path, "is not a regular file", "")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, configError(path, "the identity file cannot be read", "", err)
	}
	if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		if k, ok := inAgent(held, public); ok {
			return []key{k}, nil
		}
		return nil, configError(path, "is a public key; the private key is needed", "without .pub, perhaps")
	}
	// the rule of ssh(1): others may not read a key of ours
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == os.Getuid() && info.Mode().Perm()&0o077 != 0 {
		return nil, configError(path, fmt.Sprintf("mode %04o is too open for a private key", info.Mode().Perm()), "chmod 600 "+path)
	}
	signer, err := c.parseKey(path, text, held)
	if err != nil {
		return nil, err
	}
	named := key{signer, path + " " + ssh.FingerprintSHA256(signer.PublicKey())}
	if certified, ok := withCertificate(path, signer); ok {
		return []key{{certified, path + "-cert.pub"}, named}, nil
	}
	return []key{named}, nil
}

func (c Config) parseKey(path string, text []byte, held []key) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(text)
	if err == nil {
		if k, ok := inAgent(held, signer.PublicKey()); ok {
			return k.signer, nil
		}
		return signer, nil
	}
	var encrypted *ssh.PassphraseMissingError
	if !errors.As(err, &encrypted) {
		return nil, configError(path, "is not a private key", "", err)
	}
	if encrypted.PublicKey != nil {
		if k, ok := inAgent(held, encrypted.PublicKey); ok {
			return k.signer, nil
		}
	}
	if c.Passphrase == nil {
		return nil, configError(path, "the private key is encrypted, and there is no terminal to ask for its passphrase",
			"ssh-add "+path, err)
	}
	locked := &lockedSigner{path: path, text: text, ask: c.Passphrase, public: encrypted.PublicKey}
	if locked.public == nil { // the old PEM form does not say which key it is
		signer, err := locked.unlock()
		return signer, err
	}
	return locked, nil
}

// lockedSigner is an encrypted key. Its passphrase is asked for when a host has
// said that it takes the key.
type lockedSigner struct {
	path   string
	text   []byte
	ask    func(file string) ([]byte, error)
	public ssh.PublicKey

	failure error // why it could not be opened, once that was tried
}

func (l *lockedSigner) PublicKey() ssh.PublicKey { return l.public }

func (l *lockedSigner) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	return l.SignWithAlgorithm(random, data, "")
}

// SignWithAlgorithm is what the handshake calls: an RSA key signs with more than one.
func (l *lockedSigner) SignWithAlgorithm(random io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	signer, err := l.unlock()
	if err != nil {
		return nil, err
	}
	if several, ok := signer.(ssh.AlgorithmSigner); ok {
		return several.SignWithAlgorithm(random, data, algorithm)
	}
	return signer.Sign(random, data)
}

func (l *lockedSigner) unlock() (ssh.Signer, error) {
	passphrase, err := l.ask(l.path)
	if err != nil {
		l.failure = configError(l.path, "no passphrase: "+err.Error(), "", err)
		return nil, l.failure
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(l.text, passphrase)
	if err != nil {
		l.failure = configError(l.path, "the passphrase does not open the private key", "", err)
	}
	return signer, l.failure
}

func inAgent(held []key, public ssh.PublicKey) (key, bool) {
	for _, k := range held {
		if bytes.Equal(k.signer.PublicKey().Marshal(), public.Marshal()) {
			return k, true
		}
	}
	return key{}, false
}

func withCertificate(path string, signer ssh.Signer) (ssh.Signer, bool) {
	text, err := os.ReadFile(path + "-cert.pub")
	if err != nil {
		return nil, false
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, false
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, false
	}
	certified, err := ssh.NewCertSigner(certificate, signer)
	return certified, err == nil
}
