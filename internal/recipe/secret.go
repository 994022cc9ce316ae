package recipe

import "fmt"

// Secret is a value that is never shown: whatever prints it prints [secret] instead.
// Reveal is the only way to its text.
type Secret struct{ text string }

// NewSecret makes text a secret.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text, for the one place that needs it.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.text == "" }

// Format implements fmt.Formatter, so that no verb, not even %#v, shows the text.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[secret]") }

// MarshalText implements encoding.TextMarshaler, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
