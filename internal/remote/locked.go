package remote

import (
	"crypto/sha256"
	"io"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
)

// lockedSigner is an encrypted key. Its passphrase is asked for when a host has
// said that it takes the key.
type lockedSigner struct {
	path   string
	text   []byte
	keys   *Keys
	ask    func(file string) ([]byte, error)
	public ssh.PublicKey

	opened  ssh.Signer
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
	if l.opened != nil || l.failure != nil {
		return l.opened, l.failure
	}
	passphrase, err := l.ask(l.path)
	if err != nil {
		l.failure = configError(l.path, "no passphrase: "+err.Error(), "", err)
		return nil, l.failure
	}
	signer, err := l.keys.open(l.text, passphrase)
	if err != nil {
		l.failure = configError(l.path, "the passphrase does not open the private key", "", err)
		return nil, l.failure
	}
	l.opened = signer
	return signer, nil
}

// Keys are private keys that were read, and opened: to open an encrypted one is made slow on purpose
// (bcrypt_pbkdf, PROTOCOL.key of OpenSSH), an RSA key is checked when it is read, and one of them may be for a
// thousand hosts.
type Keys struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]func() (ssh.Signer, error)
}

// open opens a key; with Keys, the first time that it is asked to. Without, each time. A nil passphrase is of
// one that is not encrypted.
func (k *Keys) open(text, passphrase []byte) (ssh.Signer, error) {
	open := func() (ssh.Signer, error) { return ssh.ParsePrivateKeyWithPassphrase(text, passphrase) }
	if passphrase == nil {
		open = func() (ssh.Signer, error) { return ssh.ParsePrivateKey(text) }
	}
	if k == nil {
		return open()
	}
	digest := sha256.Sum256(slices.Concat(text, []byte{0}, passphrase))
	k.mu.Lock()
	if k.all == nil {
		k.all = map[[sha256.Size]byte]func() (ssh.Signer, error){}
	}
	if k.all[digest] == nil {
		k.all[digest] = sync.OnceValues(open)
	}
	opened := k.all[digest]
	k.mu.Unlock()
	return opened()
}
