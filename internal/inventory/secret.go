package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

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

// Encrypt encrypts a value for everyone who has the private key of a recipient.
func Encrypt(value recipe.Secret, recipients []age.Recipient) (Ciphertext, error) {
	if len(recipients) == 0 {
		return "", &Error{What: "recipients", Problem: "there are none to encrypt for", Advice: "add recipients: to hosts.yaml, a list of public keys: age1…, or the line of ~/.ssh/id_ed25519.pub"}
	}
	if len(value.Reveal()) > maxSecret {
		return "", &Error{What: "secret", Problem: "longer than 64 KiB", Advice: "this is hardly a password"}
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
