package settings

import (
	"bytes"
	"fmt"
	"os"

	"provision/internal/gimel/webhook"
)

// Secrets are what the settings name by file. They are never printed.
type Secrets struct {
	HashKey        []byte
	APIKey         []byte
	ReadKey        []byte // of the API, to see; nil without one
	TrackKey       []byte // of the API, for events; nil without one
	Password       []byte // of the dashboard
	ViewerPassword []byte // of the dashboard, to see; nil without one
	RedisPassword  []byte
	Webhook        []byte // its URL; nil without one
	WebhookSecret  []byte
}

// shortest is the least length of a secret that gimel itself relies on.
const shortest = 16

// secretFile is a secret's setting and where it goes.
type secretFile struct {
	key, path string
	target    *[]byte
	least     int
}

// Secrets reads the files. A file that everybody may read is an error, and so
// is a key too short to be one, or one that gives two roles.
func (s *Settings) Secrets() (*Secrets, error) {
	secrets := &Secrets{}
	for _, one := range []secretFile{
		{"hash-key-file", s.HashKeyFile, &secrets.HashKey, shortest},
		{"api-key-file", s.APIKeyFile, &secrets.APIKey, shortest},
		{"read-key-file", s.ReadKeyFile, &secrets.ReadKey, shortest},
		{"track-key-file", s.TrackKeyFile, &secrets.TrackKey, shortest},
		{"password-file", s.PasswordFile, &secrets.Password, 8},
		{"viewer-password-file", s.ViewerPasswordFile, &secrets.ViewerPassword, 8},
		{"redis-password-file", s.Redis.PasswordFile, &secrets.RedisPassword, 1},
		{"webhook-file", s.WebhookFile, &secrets.Webhook, 1},
		{"webhook-secret-file", s.WebhookSecretFile, &secrets.WebhookSecret, shortest},
	} {
		if one.path == "" {
			continue
		}
		secret, err := readSecret(one.path, one.least)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.key, err)
		}
		*one.target = secret
	}
	if secrets.Password == nil {
		secrets.Password = secrets.APIKey
	}
	if secrets.Webhook != nil {
		if err := webhook.CheckURL(string(secrets.Webhook)); err != nil {
			return nil, fmt.Errorf("webhook-file: %s: %w", s.WebhookFile, err)
		}
	}
	return secrets, secrets.distinct()
}

// distinct refuses a secret with two roles: it would give the greater one to who
// was meant to have the lesser.
func (s *Secrets) distinct() error {
	for _, pair := range []struct {
		one, other       []byte
		oneName, another string
	}{
		{s.ReadKey, s.APIKey, "read-key-file", "api-key-file"},
		{s.TrackKey, s.APIKey, "track-key-file", "api-key-file"},
		{s.TrackKey, s.ReadKey, "track-key-file", "read-key-file"},
		{s.ViewerPassword, s.Password, "viewer-password-file", "password-file"},
		{s.ViewerPassword, s.APIKey, "viewer-password-file", "api-key-file"},
	} {
		if pair.one != nil && bytes.Equal(pair.one, pair.other) {
			return fmt.Errorf("%s: holds the same as %s", pair.oneName, pair.another)
		}
	}
	return nil
}

func readSecret(path string, least int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("%s: mode %04o lets everybody in; chmod 600", path, info.Mode().Perm())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret := bytes.TrimRight(content, "\r\n")
	if len(secret) < least {
		return nil, fmt.Errorf("%s: shorter than %d bytes", path, least)
	}
	return secret, nil
}
