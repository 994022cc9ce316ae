package lab

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// ensureIdentity makes the key that the hosts let in, once.
func (l *Lab) ensureIdentity() error {
	_, err := os.Stat(l.Identity())
	if errors.Is(err, fs.ErrNotExist) {
		return writeKey(l.Identity())
	}
	return err
}

// writeKey makes an ed25519 key pair, path and path.pub, in OpenSSH's formats.
func writeKey(path string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "provision lab")
	if err != nil {
		return err
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	// The private key last: once it is there, the pair is whole.
	if err := writeFile(path+".pub", ssh.MarshalAuthorizedKey(sshPublic), 0o644); err != nil {
		return err
	}
	return writeFile(path, pem.EncodeToMemory(block), 0o600)
}

func readKey(path string) (ssh.Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return signer, nil
}

func readPublicKey(path string) (ssh.PublicKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// pin writes known_hosts anew from the keys that we made for the hosts.
func (l *Lab) pin(hosts []Host) error {
	var lines strings.Builder
	for _, host := range hosts {
		key, err := os.ReadFile(host.keyFile() + ".pub")
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s,%s %s\n", host.Name, host.Address, strings.TrimSpace(string(key)))
	}
	return writeFile(l.KnownHosts(), []byte(lines.String()), 0o644)
}
