package remote

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// key is a signer and how an error names it.
type key struct {
	signer ssh.Signer
	name   string
	failed *error // why it could not sign, once it was to; nil where that cannot be
}

// keyring is what can be offered to a host, in the order in which it is.
type keyring struct {
	keys    []key
	skipped []string  // what cannot be used though somebody, or ssh, has named it, and why
	agent   io.Closer // nil without one
}

func (k keyring) close() {
	if k.agent != nil {
		k.agent.Close()
	}
}

// add adds keys that are not in it yet.
func (k *keyring) add(keys ...key) {
	for _, one := range keys {
		if _, there := find(k.keys, one.signer.PublicKey()); !there {
			k.keys = append(k.keys, one)
		}
	}
}

// loadKeyring reads the identities and asks the agent. Certificates that someone named go
// first, as in ssh, then identities that someone named, then what else the agent holds
// (unless IdentitiesOnly), then the files that ssh looks for by itself: each key that the
// host does not know costs a round trip and one of its MaxAuthTries. What cannot be used is
// left out, as ssh leaves it out: only -i has to be right.
func (c Config) loadKeyring(s settings) (keyring, error) {
	var ring keyring
	if !s.publicKeys {
		return ring, nil
	}
	held, closer := c.agentKeys(s)
	ring.agent = closer
	var named, standard []key
	for _, identity := range s.identities {
		keys, err := c.loadIdentity(identity.path, held, len(s.certificates) == 0)
		switch {
		case err != nil && identity.explicit:
			ring.close()
			return keyring{}, err
		case err != nil && identity.standard && errors.Is(err, fs.ErrNotExist): // nobody asked for it
		case err != nil:
			ring.skipped = append(ring.skipped, err.Error())
			if !identity.standard && !errors.Is(err, fs.ErrNotExist) {
				c.warn(err.Error() + ": not used")
			}
		case identity.standard:
			standard = append(standard, keys...)
		default:
			named = append(named, keys...)
		}
	}
	for _, path := range s.certificates {
		certified, err := certify(path, slices.Concat(named, held, standard))
		if err != nil {
			ring.skipped = append(ring.skipped, err.Error())
			c.warn(err.Error() + ": not used")
			continue
		}
		ring.add(certified)
	}
	ring.add(named...)
	if !s.identitiesOnly {
		ring.add(held...)
	}
	ring.add(standard...)
	return s.accepted(ring), nil
}

// loadIdentity reads a private key file, with its certificate if FILE-cert.pub is there and
// wanted. A key that the agent holds is left to the agent, so that its passphrase is not
// asked for: then the public half is enough, in FILE or in FILE.pub.
func (c Config) loadIdentity(path string, held []key, wantCertificate bool) ([]key, error) {
	text, mode, err := readIdentity(path)
	public := publicHalf(path, text)
	one, found := find(held, public)
	switch {
	case found && err == nil && !isPublic(text):
		one.name = nameOf(path, public)
	case found:
	case errors.Is(err, fs.ErrNotExist) && public != nil:
		return nil, configError(path, "there is only its public half, and the ssh agent does not hold it", "ssh-add -l shows what the agent holds", err)
	case err != nil:
		return nil, err
	default:
		if one, err = c.loadPrivate(path, text, mode, public, held); err != nil {
			return nil, err
		}
	}
	if wantCertificate {
		if certified, err := certify(path+"-cert.pub", []key{one}); err == nil {
			return []key{certified, one}, nil
		}
	}
	return []key{one}, nil
}

// readIdentity reads a file that may be a private key. The mode is zero where the rule of
// ssh(1) does not apply, that others may not read a key of ours.
func readIdentity(path string) (text []byte, mode fs.FileMode, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
	case info.IsDir():
		return nil, 0, configError(path, "is a directory, not a private key", "")
	case !info.Mode().IsRegular(): // reading a FIFO or a device may never end
		return nil, 0, configError(path, "is not a regular file", "")
	default:
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, 0, configError(path, "the identity file cannot be read", "", err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == os.Getuid() {
		mode = info.Mode().Perm()
	}
	return text, mode, nil
}

// publicHalf finds the public key of an identity without its passphrase: the file is one, or
// says it before what is encrypted (PROTOCOL.key of OpenSSH), or has one beside it.
func publicHalf(path string, text []byte) ssh.PublicKey {
	if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		return public
	}
	const magic = "openssh-key-v1\x00"
	if block, _ := pem.Decode(text); block != nil && bytes.HasPrefix(block.Bytes, []byte(magic)) {
		var head struct {
			Cipher, KDF, Options string
			Keys                 uint32
			Public               []byte
			Rest                 []byte `ssh:"rest"`
		}
		if ssh.Unmarshal(block.Bytes[len(magic):], &head) == nil {
			if public, err := ssh.ParsePublicKey(head.Public); err == nil {
				return public
			}
		}
	}
	if beside, _, err := readIdentity(path + ".pub"); err == nil {
		if public, _, _, _, err := ssh.ParseAuthorizedKey(beside); err == nil {
			return public
		}
	}
	return nil
}

// loadPrivate makes a signer of a private key file. public is nil where it is not known yet.
func (c Config) loadPrivate(path string, text []byte, mode fs.FileMode, public ssh.PublicKey, held []key) (key, error) {
	if isPublic(text) {
		return key{}, configError(path, "is a public key; the private key is needed", "without .pub, perhaps")
	}
	if mode&0o077 != 0 {
		return key{}, configError(path, fmt.Sprintf("mode %04o is too open for a private key", mode), "chmod 600 "+path)
	}
	signer, err := c.Keys.open(text, nil)
	var encrypted *ssh.PassphraseMissingError
	switch {
	case err == nil:
		if k, ok := find(held, signer.PublicKey()); ok { // the old PEM form has no public half to read before
			return k, nil
		}
		return key{signer, nameOf(path, signer.PublicKey()), nil}, nil
	case public != nil && strings.HasPrefix(public.Type(), "sk-"):
		return key{}, configError(path, "is a FIDO key, which only the ssh agent can use here", "ssh-add "+path, err)
	case !errors.As(err, &encrypted):
		return key{}, configError(path, "is not a private key", "", err)
	case c.Passphrase == nil:
		return key{}, configError(path, "the private key is encrypted, and there is no terminal to ask for its passphrase",
			"ssh-add "+path, err)
	}
	locked := &lockedSigner{path: path, text: text, keys: c.Keys, ask: c.Passphrase, public: public}
	if public != nil {
		return key{locked, nameOf(path, public), &locked.failure}, nil
	}
	if signer, err = locked.unlock(); err != nil { // nothing says which key it is
		return key{}, err
	}
	return key{signer, nameOf(path, signer.PublicKey()), nil}, nil
}

func nameOf(path string, public ssh.PublicKey) string {
	return path + " " + ssh.FingerprintSHA256(public)
}

func isPublic(text []byte) bool {
	_, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return err == nil
}

// certify makes a key of a user's certificate and the one of the keys that it is for.
func certify(path string, keys []key) (key, error) {
	text, _, err := readIdentity(path)
	if err != nil {
		return key{}, err
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return key{}, configError(path, "is not a certificate", "", err)
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok || certificate.CertType != ssh.UserCert {
		return key{}, configError(path, "is not a user's certificate", "")
	}
	if one, found := find(keys, certificate); found { // the agent holds it as it is
		return one, nil
	}
	one, found := find(keys, certificate.Key)
	if !found {
		return key{}, configError(path, "there is no private key for this certificate", "IdentityFile names it, or ssh-add adds it to the agent")
	}
	signer, err := ssh.NewCertSigner(certificate, one.signer)
	return key{signer, nameOf(path, certificate.Key), one.failed}, err
}

// find returns the key with that public half.
func find(keys []key, public ssh.PublicKey) (key, bool) {
	at := slices.IndexFunc(keys, func(k key) bool { return public != nil && sameKey(k.signer.PublicKey(), public) })
	if at < 0 {
		return key{}, false
	}
	return keys[at], true
}
