package inventory

import (
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

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
