package settings

import (
	"bytes"
	"fmt"
	"os"
)

// Secrets are what the settings name by file. They are never printed.
type Secrets struct {
	HashKey       []byte
	APIKey        []byte
	Password      []byte // of the dashboard
	RedisPassword []byte
}

// shortest is the least length of a secret that gimel itself relies on.
const shortest = 16

// Secrets reads the files. A file that everybody may read is an error, and so
// is a key too short to be one.
func (s *Settings) Secrets() (*Secrets, error) {
	secrets := &Secrets{}
	for _, one := range []struct {
		key, path string
		target    *[]byte
		least     int
	}{
		{"hash-key-file", s.HashKeyFile, &secrets.HashKey, shortest},
		{"api-key-file", s.APIKeyFile, &secrets.APIKey, shortest},
		{"password-file", s.PasswordFile, &secrets.Password, 8},
		{"redis-password-file", s.RedisPasswordFile, &secrets.RedisPassword, 1},
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
	return secrets, nil
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
