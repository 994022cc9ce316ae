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

// Ciphertext is a value encrypted with age, in its armored form: the lines from
// -----BEGIN AGE ENCRYPTED FILE----- to the END line. In hosts.yaml it is a text under |,
// without a tag of its own: editors warn of tags that they do not know.
type Ciphertext string

// A Decrypter decrypts what hosts.yaml has encrypted. Its errors never have the text in
// them. *Keys is one.
type Decrypter interface {
	Decrypt(Ciphertext) (recipe.Secret, error)
}

// ErrNoKey says that a value is encrypted for none of the keys at hand.
var ErrNoKey = errors.New("none of the keys at hand fits")

// decryptHint returns what to do about a value that cannot be decrypted.
func decryptHint(err error) string {
	if errors.Is(err, ErrNoKey) {
		return "it needs the private key of one of the recipients: ~/.config/provision/age.key, ~/.ssh/id_ed25519 or ~/.ssh/id_rsa"
	}
	return "restore the value from an older hosts.yaml, or set it anew: provision secret encrypt"
}

// maxSecret is the most that an encrypted value may be in plain, in bytes.
const maxSecret = 64 << 10

func isCiphertext(text string) bool {
	return strings.HasPrefix(strings.TrimSpace(text), armor.Header)
}

// checkArmor checks the form of a ciphertext, for which no key is needed.
func checkArmor(text string) error {
	if !strings.HasSuffix(strings.TrimSpace(text), armor.Footer) {
		return errors.New("its last line is missing")
	}
	if _, err := io.Copy(io.Discard, armor.NewReader(strings.NewReader(text))); err != nil {
		return errors.New("it is not what age wrote")
	}
	return nil
}

// ParseRecipients reads public keys: age1…, ssh-ed25519 … and ssh-rsa ….
func ParseRecipients(keys []string) ([]age.Recipient, error) {
	var recipients []age.Recipient
	for _, key := range keys {
		recipient, err := parseRecipient(key)
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, recipient)
	}
	return recipients, nil
}

func parseRecipient(key string) (age.Recipient, error) {
	refuse := func(problem, hint string) (age.Recipient, error) {
		return nil, &Error{What: "recipient", Problem: problem, Advice: hint}
	}
	switch {
	case strings.HasPrefix(key, "AGE-SECRET-KEY-"), strings.Contains(key, "PRIVATE KEY"):
		return refuse("is a private key", "it must not stand here; name the public key: age-keygen -y FILE, or the file that ends in .pub")
	case strings.HasPrefix(key, "age1pq1"):
		recipient, err := age.ParseHybridRecipient(key)
		if err != nil {
			return refuse("is no age public key", "")
		}
		return recipient, nil
	case strings.HasPrefix(key, "age1"):
		recipient, err := age.ParseX25519Recipient(key)
		if err != nil {
			return refuse("is no age public key", "it has 62 letters and digits, and begins with age1")
		}
		return recipient, nil
	case strings.HasPrefix(key, "ssh-"):
		recipient, err := agessh.ParseRecipient(key)
		if err != nil {
			return refuse("is no ssh key that age can encrypt for", "ssh-ed25519, or ssh-rsa of 2048 bits and more, as in the .pub file")
		}
		return recipient, nil
	}
	return refuse("is no public key", "age1…, or an ssh key as in ~/.ssh/id_ed25519.pub")
}

// recipients reads the public keys of an inventory.
func (d *decoder) recipients(n *node) []string {
	if !d.want(n, kindList, "recipients", "a list of public keys") {
		return nil
	}
	var keys []string
	for _, item := range n.items {
		if !d.text(item, "recipients") {
			continue
		}
		if _, err := parseRecipient(item.text); err != nil {
			d.refuse(item.at, "recipients", strings.TrimPrefix(err.Error(), "recipient: "), hintOf(err))
			continue
		}
		keys = append(keys, item.text)
	}
	return keys
}

// Encrypt encrypts a value for everyone who has the private key of a recipient.
func Encrypt(value recipe.Secret, recipients []age.Recipient) (Ciphertext, error) {
	if len(recipients) == 0 {
		return "", &Error{What: "recipients", Problem: "there are none to encrypt for", Advice: "add recipients: to hosts.yaml, a list of public keys: age1…, or the line of ~/.ssh/id_ed25519.pub"}
	}
	if len(value.Reveal()) > maxSecret {
		return "", &Error{What: "secret", Problem: "longer than 64 KiB"}
	}
	var text bytes.Buffer
	lines := armor.NewWriter(&text)
	plain, err := age.Encrypt(lines, recipients...)
	if err != nil {
		return "", fmt.Errorf("encrypt: %w", err)
	}
	if _, err := io.WriteString(plain, value.Reveal()); err != nil {
		return "", fmt.Errorf("encrypt: %w", err)
	}
	if err := errors.Join(plain.Close(), lines.Close()); err != nil {
		return "", fmt.Errorf("encrypt: %w", err)
	}
	return Ciphertext(text.String()), nil
}

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
	if info.Mode().Perm()&0o077 != 0 {
		return refuse(fmt.Sprintf("has the mode %04o: others can read this private key", info.Mode().Perm()), "chmod 600 "+file, nil)
	}
	const wanted = "a file that age-keygen wrote, or an ssh key of type ed25519 or rsa"
	switch {
	case bytes.HasPrefix(data, []byte("ssh-")), bytes.HasPrefix(data, []byte("age1")):
		return refuse("is a public key", "name the private one", nil)
	case !bytes.Contains(data, []byte("PRIVATE KEY-----")):
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
