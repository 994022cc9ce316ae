package recipe

import (
	"fmt"
	"unique"
)

// Secret is a value that is never shown: whatever prints it prints [secret] instead.
// Reveal is the only way to its text.
//
// The text is behind a handle, for fmt does not ask the methods of a value in an unexported
// field: of such a one it shows an address. Secrets with the same text are equal (==).
type Secret struct{ text unique.Handle[string] }

// NewSecret makes text a secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// UnknownSecret stands for a secret that nobody here has the key of. It is a word, and an assignment too,
// as some secrets have to be; what else its variable wants of it, it need not be.
func UnknownSecret() Secret { return NewSecret("madeUpSecret=0123456789abcdefghij") }

// Reveal returns the text, for the one place that needs it.
func (s Secret) Reveal() string {
	if s.Empty() {
		return ""
	}
	return s.text.Value()
}

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s == Secret{} }

// Format implements fmt.Formatter, so that no verb, not even %#v, shows the text.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[secret]") }

// MarshalText implements encoding.TextMarshaler, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
