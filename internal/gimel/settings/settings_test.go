package settings

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var needed = []string{"--hash-key-file", "/h", "--api-key-file", "/a"}

func writeFile(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsWinOverEnvironmentWinsOverFile(t *testing.T) {
	file := writeFile(t, "# comment\n\nqueue = 1\nbatch = 11\npipelines=21\n", 0o644)
	s, err := Load("serve", append([]string{"--queue", "3"}, needed...),
		[]string{"GIMEL_CONFIG=" + file, "GIMEL_QUEUE=2", "GIMEL_BATCH=12", "PATH=/bin"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Queue != 3 || s.Batch != 12 || s.Pipelines != 21 {
		t.Errorf("queue %d, batch %d, pipelines %d", s.Queue, s.Batch, s.Pipelines)
	}
	if s, err := Load("serve", append([]string{"--event-log", "3mb"}, needed...), nil, nil); err != nil || s.EventLog != 3<<20 {
		t.Errorf("event log: %+v, %v", s, err)
	}
	if s.RequestTimeout != 5*time.Second || len(s.TrackPaths) != 2 || s.Counting != "exact" {
		t.Errorf("defaults: %+v", s)
	}
}

func TestABadValueStopsTheStartWithOneLine(t *testing.T) {
	tests := map[string]struct {
		arguments   []string
		environment []string
		file        string
		want        string
	}{
		"unknown flag":         {arguments: []string{"--quue", "3"}, want: "-quue"},
		"argument":             {arguments: []string{"surplus"}, want: `"surplus"`},
		"unknown variable":     {environment: []string{"GIMEL_QUUE=3"}, want: "GIMEL_QUUE"},
		"unknown key":          {file: "quue = 3", want: `:1: unknown key "quue"`},
		"key without value":    {file: "\nqueue", want: ":2: expected KEY = VALUE"},
		"key twice":            {file: "queue=1\nqueue=2", want: ":2: queue is set twice"},
		"bad number":           {arguments: []string{"--queue", "many"}, want: "queue"},
		"zero queue":           {environment: []string{"GIMEL_QUEUE=0"}, want: "GIMEL_QUEUE"},
		"negative cap":         {file: "undeclared-cap = -1", want: ":1: undeclared-cap"},
		"bad duration":         {arguments: []string{"--request-timeout", "5"}, want: "request-timeout"},
		"counting":             {arguments: []string{"--counting", "guess"}, want: "neither exact nor hll"},
		"listen":               {arguments: []string{"--listen", "8000"}, want: "listen"},
		"private socket":       {arguments: []string{"--private-listen", "unix:x"}, want: "absolute"},
		"empty item":           {arguments: []string{"--listen", "127.0.0.1:1,"}, want: "empty"},
		"track path":           {arguments: []string{"--track-paths", "track"}, want: "no path"},
		"reserved track path":  {arguments: []string{"--track-paths", "/metrics"}, want: "another meaning"},
		"no track path":        {arguments: []string{"--track-paths", ""}, want: "at least one"},
		"redis URL":            {arguments: []string{"--redis", "http://x"}, want: "redis URL"},
		"password in URL":      {arguments: []string{"--redis", "redis://u:hunter2@x"}, want: "belongs in a file"},
		"graphite":             {arguments: []string{"--graphite", "unix:/x"}, want: "graphite"},
		"event log":            {arguments: []string{"--event-log", "64"}, want: "neither a size such as 64mb nor off"},
		"event log of nothing": {arguments: []string{"--event-log", "0mb"}, want: "neither a size"},
		"webhook unsigned":     {arguments: []string{"--webhook-file", "/w"}, want: "webhook-secret-file"},
		"secret for nothing":   {arguments: []string{"--webhook-secret-file", "/w"}, want: "webhook-file"},
		"webhook interval":     {arguments: []string{"--webhook-interval", "-1s"}, want: "webhook-interval"},
		"no such file":         {arguments: []string{"--config", "/does/not/exist"}, want: "/does/not/exist"},
		"no such CA":           {arguments: []string{"--redis", "rediss://x", "--redis-ca-file", "/does/not/exist"}, want: "/does/not/exist"},
		"missing hash key":     {arguments: []string{"--hash-key-file", ""}, want: "hash-key-file"},
		"missing API key file": {arguments: []string{"--api-key-file", ""}, want: "api-key-file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			arguments := append(append([]string{}, needed...), test.arguments...)
			if test.file != "" {
				arguments = append(arguments, "--config", writeFile(t, test.file, 0o644))
			}
			_, err := Load("serve", arguments, test.environment, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("err = %v, want %q in it", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("err = %q", err)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var help bytes.Buffer
	if _, err := Load("serve", []string{"--help"}, nil, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("err = %v", err)
	}
	if !strings.Contains(help.String(), "-undeclared-cap NUMBER") {
		t.Errorf("help = %s", help.String())
	}
}

func TestSecrets(t *testing.T) {
	key := writeFile(t, "0123456789abcdef\n", 0o600)
	s := &Settings{HashKeyFile: key, APIKeyFile: key}
	secrets, err := s.Secrets()
	if err != nil || string(secrets.HashKey) != "0123456789abcdef" || string(secrets.Password) != "0123456789abcdef" {
		t.Fatalf("%v", err)
	}
	for name, path := range map[string]string{
		"world-readable": writeFile(t, "0123456789abcdef", 0o644),
		"short":          writeFile(t, "0123456789abcde\n", 0o600),
		"missing":        "/does/not/exist",
	} {
		if _, err := (&Settings{HashKeyFile: key, APIKeyFile: path}).Secrets(); err == nil || strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One secret for two roles would give who was meant to look what he was not meant to have.
func TestEachRoleHasASecretOfItsOwn(t *testing.T) {
	one, other := writeFile(t, "0123456789abcdef\n", 0o600), writeFile(t, "fedcba9876543210", 0o600)
	for name, s := range map[string]Settings{
		"read-key-file: holds the same":        {ReadKeyFile: one},
		"track-key-file: holds the same":       {TrackKeyFile: one},
		"holds the same as read-key-file":      {TrackKeyFile: other, ReadKeyFile: other},
		"viewer-password-file: holds the same": {ViewerPasswordFile: one},
	} {
		s.HashKeyFile, s.APIKeyFile = one, one
		if _, err := s.Secrets(); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "0123") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := Settings{HashKeyFile: one, APIKeyFile: one, ReadKeyFile: other}
	if secrets, err := s.Secrets(); err != nil || string(secrets.ReadKey) != "fedcba9876543210" || secrets.TrackKey != nil {
		t.Errorf("%v", err)
	}
}

func TestAWebhookIsHTTPS(t *testing.T) {
	key := writeFile(t, "0123456789abcdef", 0o600)
	for address, good := range map[string]bool{"https://hooks.example.com/secret\n": true, "http://hooks.example.com/secret": false} {
		s := Settings{HashKeyFile: key, APIKeyFile: key, WebhookFile: writeFile(t, address, 0o600), WebhookSecretFile: key}
		if _, err := s.Secrets(); (err == nil) != good || err != nil && strings.Contains(err.Error(), "example") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
