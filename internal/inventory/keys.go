package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"provision/internal/recipe"
)

// Keys decrypts with private keys, each value once. The zero value has no keys. It may be
// used by several goroutines once the keys are added.
type Keys struct {
	// Passphrase is asked for the passphrase of an ssh key, at the most once for each and
	// only when a value is encrypted for that key. Nil is: there is nobody to ask.
	Passphrase func(file string) ([]byte, error)

	identities []age.Identity

	mutex     sync.Mutex
	decrypted map[Ciphertext]recipe.Secret
}

// DefaultKeyFiles returns those of the usual private keys that there are in a home
// directory: ssh's, and ~/.config/provision/age.key.
func DefaultKeyFiles(home string) []string {
	var files []string
	for _, name := range []string{".config/provision/age.key", ".ssh/id_ed25519", ".ssh/id_rsa"} {
		file := filepath.Join(home, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	return files
}

// Add reads a file of private keys: age's own (age-keygen writes it), or one ssh key.
func (k *Keys) Add(file string) error {
	refuse := func(problem, hint string, cause error) error {
		return &Error{Position: Position{File: file}, Problem: problem, Advice: hint, Cause: cause}
	}
	data, err := readFile(file)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return refuse(reason(err), "", err)
	}
	if bytes.HasPrefix(data, []byte("ssh-")) || bytes.HasPrefix(data, []byte("age1")) {
		return refuse("is a public key", "name the private one", nil)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return refuse(fmt.Sprintf("has the mode %04o: others can read this private key", info.Mode().Perm()), "chmod 600 "+file, nil)
	}
	const wanted = "a file that age-keygen wrote, or an ssh key of type ed25519 or rsa"
	if !bytes.Contains(data, []byte("PRIVATE KEY-----")) {
		identities, err := age.ParseIdentities(bytes.NewReader(data))
		if err != nil { // its text may quote the key
			return refuse("is not a private key", wanted, nil)
		}
		k.identities = append(k.identities, identities...)
		return nil
	}
	identity, err := agessh.ParseIdentity(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		identity, err = k.locked(file, data, locked.PublicKey)
	}
	if err != nil {
		return refuse("is not a private key for age", wanted, nil)
	}
	k.identities = append(k.identities, identity)
	return nil
}

// locked makes an identity of an ssh key with a passphrase.
func (k *Keys) locked(file string, data []byte, public ssh.PublicKey) (age.Identity, error) {
	if public == nil { // the old PEM form does not tell it
		line, err := os.ReadFile(file + ".pub")
		if err != nil {
			return nil, err
		}
		if public, _, _, _, err = ssh.ParseAuthorizedKey(line); err != nil {
			return nil, err
		}
	}
	return agessh.NewEncryptedSSHIdentity(public, data, func() ([]byte, error) {
		if k.Passphrase == nil {
			return nil, fmt.Errorf("%s: has a passphrase, and there is no terminal to ask for it", file)
		}
		return k.Passphrase(file)
	})
}

// Secrets returns what was decrypted so far, for masking: a variable that is no secret by
// its type may have been encrypted too.
func (k *Keys) Secrets() []recipe.Secret {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return slices.Collect(maps.Values(k.decrypted))
}

// Decrypt decrypts a value; ErrNoKey says that none of the keys fits.
func (k *Keys) Decrypt(text Ciphertext) (recipe.Secret, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if secret, known := k.decrypted[text]; known {
		return secret, nil
	}
	secret, err := k.decrypt(text)
	if err != nil {
		return recipe.Secret{}, err
	}
	if k.decrypted == nil {
		k.decrypted = map[Ciphertext]recipe.Secret{}
	}
	k.decrypted[text] = secret
	return secret, nil
}

func (k *Keys) decrypt(text Ciphertext) (recipe.Secret, error) {
	if len(k.identities) == 0 {
		return recipe.Secret{}, ErrNoKey
	}
	plain, err := age.Decrypt(armor.NewReader(strings.NewReader(string(text))), k.identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return recipe.Secret{}, ErrNoKey
	}
	if err != nil {
		return recipe.Secret{}, fmt.Errorf("age: %w", err)
	}
	value, err := io.ReadAll(io.LimitReader(plain, maxSecret+1))
	if err != nil {
		return recipe.Secret{}, errors.New("damaged: its checksum is wrong")
	}
	if len(value) > maxSecret {
		return recipe.Secret{}, errors.New("longer than 64 KiB")
	}
	return recipe.NewSecret(string(value)), nil
}
