package remote

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func TestIdentitiesThatAreRefused(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	public := writeKey(t, filepath.Join(dir, "open"))
	os.Chmod(filepath.Join(dir, "open"), 0o644)
	writeFile(t, filepath.Join(dir, "key.pub"), string(ssh.MarshalAuthorizedKey(public)), 0o644)
	writeKey(t, filepath.Join(dir, "locked"), "open sesame")
	writeFile(t, filepath.Join(dir, "text"), "hello", 0o600)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"open": "mode 0644 is too open", "key.pub": "is a public key", "locked": "encrypted", "text": "is not a private key",
		"missing": "cannot be read", ".": "is a directory", "fifo": "is not a regular file",
	} {
		path := filepath.Join(dir, name)
		config := Config{ConfigFile: "none", Identities: []string{path}, Options: []string{"IdentityAgent=none"}}
		// nothing listens there: the refusal comes before connecting
		_, err := Dial(context.Background(), Address{Host: "127.0.0.1", Port: 1}, config)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if checked := config.Check(Address{Host: "localhost"}); checked == nil || checked.Error() != err.Error() {
			t.Errorf("%s: Check says %v", name, checked)
		}
	}
}

func TestEncryptedIdentity(t *testing.T) {
	s := newFakeServer(t)
	locked := filepath.Join(t.TempDir(), "locked")
	public := writeKey(t, locked, "open sesame")
	s.auth.PublicKeyCallback = accepts(public)
	passphrase, asked := "open sesame", 0
	config := s.config()
	config.Identities = []string{s.identity, locked}
	config.Passphrase = func(string) ([]byte, error) { asked++; return []byte(passphrase), nil }
	c, err := Dial(context.Background(), s.address(), config)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	passphrase = "guess"
	if _, err := Dial(context.Background(), s.address(), config); !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "guess") {
		t.Error(err)
	}
	other := newFakeServer(t)
	ask := config.Passphrase
	config = other.config()
	config.Identities, config.Passphrase = []string{locked}, ask
	asked = 0
	if _, err := Dial(context.Background(), other.address(), config); !errors.Is(err, ErrAuthentication) || asked != 0 {
		t.Errorf("a key that the host does not take needs no passphrase: asked %d times, %v", asked, err)
	}
}

func accepts(public ssh.PublicKey) func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
	return func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(public.Marshal()) {
			return nil, errors.New("not this key")
		}
		return nil, nil
	}
}

// startAgent serves keys on a socket as ssh-agent does.
func startAgent(t *testing.T, keys ...string) (socket string) {
	ring := agent.NewKeyring()
	for _, path := range keys {
		text, _ := os.ReadFile(path)
		private, err := ssh.ParseRawPrivateKey(text)
		if err != nil {
			t.Fatal(err)
		}
		ring.Add(agent.AddedKey{PrivateKey: private, Comment: filepath.Base(path)})
	}
	return listenAgent(t, ring)
}

func listenAgent(t *testing.T, ring agent.Agent) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, conn)
		}
	}()
	return socket
}

// An encrypted key is opened once, however many hosts take it: each time costs tenths of a second
// of a processor.
func TestEncryptedKeyIsOpenedOnce(t *testing.T) {
	locked := filepath.Join(t.TempDir(), "locked")
	writeKey(t, locked, "open sesame")
	text, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(string) ([]byte, error) { return []byte("open sesame"), nil }
	keys := new(Keys)
	var opened []ssh.Signer
	for range 2 {
		signer, err := (&lockedSigner{path: locked, text: text, keys: keys, ask: ask}).unlock()
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, signer)
	}
	if opened[0] != opened[1] {
		t.Error("it was opened twice")
	}
	ask = func(string) ([]byte, error) { return []byte("guess"), nil }
	if _, err := (&lockedSigner{path: locked, text: text, keys: keys, ask: ask}).unlock(); !errors.Is(err, ErrConfig) {
		t.Errorf("another passphrase: %v", err)
	}
}

// An agent that is stopped keeps no run waiting: its keys are not there, and that is told.
func TestAgentThatNeverAnswers(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var warned []string
	config := Config{ConfigFile: "none", Warn: func(message string) { warned = append(warned, message) }}
	keys, _ := config.agentKeys(settings{agentSocket: socket})
	if len(keys) != 0 || len(warned) != 1 || !strings.Contains(warned[0], "ssh agent") || !strings.Contains(warned[0], "timeout") {
		t.Errorf("keys %v, warnings %q", keys, warned)
	}
}

func TestKeysAreOfferedInOrder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	os.Mkdir(filepath.Join(home, ".ssh"), 0o700)
	dir := t.TempDir()
	writeKey(t, filepath.Join(dir, "named"))
	writeKey(t, filepath.Join(dir, "held"))
	writeKey(t, filepath.Join(dir, "other"))
	standard := filepath.Join(home, ".ssh", "id_ed25519")
	writeKey(t, standard)
	socket := startAgent(t, filepath.Join(dir, "other"), filepath.Join(dir, "held"))
	held, _ := os.ReadFile(filepath.Join(dir, "held"))
	signer, _ := ssh.ParsePrivateKey(held)
	writeFile(t, filepath.Join(dir, "held.pub"), string(ssh.MarshalAuthorizedKey(signer.PublicKey())), 0o644)

	names := func(config Config) string {
		config.ConfigFile = "none"
		config.Options = append(config.Options, "IdentityAgent="+socket)
		s, err := config.settings(Address{Host: "h"})
		if err != nil {
			t.Fatal(err)
		}
		ring, err := config.loadKeyring(s)
		if err != nil {
			t.Fatal(err)
		}
		defer ring.close()
		var names []string
		for _, k := range ring.keys {
			names = append(names, filepath.Base(strings.Join(strings.Fields(k.name)[:len(strings.Fields(k.name))-1], " ")))
		}
		return strings.Join(names, ", ")
	}
	equal(t, "without -i", names(Config{}), "agent other, agent held, id_ed25519")
	equal(t, "-i", names(Config{Identities: []string{filepath.Join(dir, "named")}}), "named, agent other, agent held")
	equal(t, "-i of a key in the agent", names(Config{Identities: []string{filepath.Join(dir, "held.pub")}}), "agent held, agent other")
	equal(t, "IdentitiesOnly", names(Config{Identities: []string{filepath.Join(dir, "held")}, Options: []string{"IdentitiesOnly=yes"}}), "held")
	writeKey(t, standard, "locked away")
	equal(t, "an encrypted standard key is left out", names(Config{}), "agent other, agent held")
}

func TestPasswordIsAskedOnce(t *testing.T) {
	for _, method := range []string{"password", "keyboard-interactive", "both"} {
		for _, right := range []bool{true, false} {
			s := newFakeServer(t)
			var attempts, asked atomic.Int32
			check := func(password string) error {
				attempts.Add(1)
				if !right || password != "correct horse" {
					return errors.New("no")
				}
				return nil
			}
			if method != "keyboard-interactive" {
				s.auth.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
					return nil, check(string(password))
				}
			}
			if method != "password" {
				s.auth.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
					answers, err := ask("", "", []string{"Password: "}, []bool{false})
					if err != nil {
						return nil, err
					}
					return nil, check(answers[0])
				}
			}
			other := filepath.Join(t.TempDir(), "other")
			writeKey(t, other)
			config := s.config()
			config.Identities = []string{other}
			config.Password = func(string) ([]byte, error) { asked.Add(1); return []byte("correct horse"), nil }
			c, err := Dial(context.Background(), s.address(), config)
			if right {
				if err != nil {
					t.Errorf("%s: %v", method, err)
					continue
				}
				c.Close()
			} else if !errors.Is(err, ErrAuthentication) || strings.Contains(err.Error(), "horse") || !strings.Contains(err.Error(), other) {
				t.Errorf("%s: %v", method, err)
			}
			if asked.Load() != 1 || attempts.Load() != 1 {
				t.Errorf("%s, right %v: asked %d times, sent %d times", method, right, asked.Load(), attempts.Load())
			}
		}
	}
}

func TestAuthenticationFails(t *testing.T) {
	s := newFakeServer(t)
	s.auth.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") }
	other := filepath.Join(t.TempDir(), "other")
	key := writeKey(t, other)
	config := s.config()
	config.Identities = []string{other}
	_, err := Dial(context.Background(), s.address(), config)
	if !errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error(), ssh.FingerprintSHA256(key)) || !strings.Contains(Hint(err), "--ask-password") {
		t.Error(err, Hint(err))
	}
	t.Setenv("HOME", t.TempDir())
	config.Identities = nil
	if _, err = Dial(context.Background(), s.address(), config); !errors.Is(err, ErrAuthentication) || !strings.Contains(Hint(err), "ssh-keygen") {
		t.Errorf("without a key: %v, %s", err, Hint(err))
	}
}

func TestTooManyKeys(t *testing.T) {
	server := startSSHD(t, "MaxAuthTries 3")
	config := server.config()
	config.Identities = nil
	for _, name := range []string{"a", "b", "c", "d"} {
		path := filepath.Join(t.TempDir(), name)
		writeKey(t, path)
		config.Identities = append(config.Identities, path)
	}
	_, err := Dial(context.Background(), server.address("root"), config)
	if !errors.Is(err, ErrAuthentication) || !strings.Contains(Hint(err), "IdentitiesOnly") {
		t.Error(err)
	}
}

// A connection that ends in the middle of a login, or takes too long for it, is no key that was refused.
func TestConnectionThatEndsDuringTheLogin(t *testing.T) {
	for name, want := range map[string]string{"ends": "the connection ended during the login: ", "is slow": "no SSH connection within 300ms"} {
		s := newFakeServer(t)
		s.auth.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
			if name == "ends" {
				s.cut()
			} else {
				time.Sleep(2 * time.Second)
			}
			return nil, errors.New("too late")
		}
		config := s.config()
		if name == "is slow" {
			config.ConnectTimeout = 300 * time.Millisecond
		}
		_, err := Dial(t.Context(), s.address(), config)
		if !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
