package remote

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// fidoKey is a private key file of ssh-keygen -t ed25519-sk, by PROTOCOL.key of OpenSSH: what
// stands in it is a handle for a device.
func fidoKey(t *testing.T, path string) {
	public := ssh.Marshal(struct {
		Type  string
		Point []byte
		App   string
	}{ssh.KeyAlgoSKED25519, make([]byte, 32), "ssh:"})
	secret := ssh.Marshal(struct {
		Check1, Check2 uint32
		Type           string
	}{1, 1, ssh.KeyAlgoSKED25519})
	body := append([]byte("openssh-key-v1\x00"), ssh.Marshal(struct {
		Cipher, KDF, Options string
		Keys                 uint32
		Public, Secret       []byte
	}{"none", "none", "", 1, public, secret})...)
	writeFile(t, path, string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: body})), 0o600)
}

// One identity that cannot be used stops nothing: the next one is the host's. With -i it is
// refused, which TestIdentitiesThatAreRefused holds.
func TestIdentityThatCannotBeUsedIsSkipped(t *testing.T) {
	s := newFakeServer(t)
	dir := t.TempDir()
	writeKey(t, filepath.Join(dir, "open"))
	os.Chmod(filepath.Join(dir, "open"), 0o644)
	writeKey(t, filepath.Join(dir, "locked"), "open sesame")
	writeFile(t, filepath.Join(dir, "garbage"), "hello", 0o600)
	writeFile(t, filepath.Join(dir, "public"), string(ssh.MarshalAuthorizedKey(ed25519Signer(t).PublicKey())), 0o644)
	fidoKey(t, filepath.Join(dir, "fido"))
	os.Mkdir(filepath.Join(dir, "directory"), 0o700)
	for name, want := range map[string]string{
		"open": "mode 0644", "locked": "no terminal", "garbage": "not a private key", "public": "public key", "fido": "ssh agent",
		"directory": "is a directory", "missing": "",
	} {
		path := filepath.Join(dir, name)
		var warned []string
		config := s.config()
		config.Identities = nil
		config.Options = append(config.Options, "IdentityFile="+path, "IdentityFile="+s.identity)
		config.Warn = func(text string) { warned = append(warned, text) }
		c, err := Dial(context.Background(), s.address(), config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.Close()
		if said := strings.Join(warned, "\n"); want == "" && said != "" || !strings.Contains(said, want) || want != "" && !strings.Contains(said, path) {
			t.Errorf("%s: warned %q, want %q", name, warned, want)
		}
		config.Options = append(config.Options[:len(config.Options)-1], "IdentityFile=none")
		if _, err := Dial(context.Background(), s.address(), config); !errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s alone: %v", name, err)
		}
	}
}

// A passphrase that is not given, or is wrong, is no end either.
func TestKeyThatIsNotOpenedIsGoneAround(t *testing.T) {
	s := newFakeServer(t)
	locked := filepath.Join(t.TempDir(), "locked")
	public := writeKey(t, locked, "open sesame")
	lets := s.auth.PublicKeyCallback
	s.auth.PublicKeyCallback = func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if sameKey(key, public) {
			return nil, nil
		}
		return lets(meta, key)
	}
	config := s.config()
	config.Identities = []string{locked, s.identity}
	for name, answer := range map[string]error{"wrong": nil, "not given": errors.New("nobody answers")} {
		config.Passphrase = func(string) ([]byte, error) { return []byte("guess"), answer }
		c, err := Dial(context.Background(), s.address(), config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.Close()
	}
}

// IdentityFile may name a key whose private half only the agent has: by its public half, in
// whatever file that is.
func TestIdentityThatOnlyTheAgentHolds(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	public := writeKey(t, path("held"))
	writeKey(t, path("other"))
	socket := startAgent(t, path("other"), path("held"))
	private, _ := os.ReadFile(path("held"))
	writeFile(t, path("beside.pub"), string(ssh.MarshalAuthorizedKey(public)), 0o644)
	writeFile(t, path("open"), string(private), 0o644)
	raw, _ := ssh.ParseRawPrivateKey(private)
	der, err := x509.MarshalPKCS8PrivateKey(*raw.(*ed25519.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path("old"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o600)
	for _, name := range []string{"beside", "beside.pub", "open", "old"} {
		for _, explicit := range []bool{true, false} {
			s := newFakeServer(t)
			s.auth.PublicKeyCallback = accepts(public)
			config := s.config()
			config.Options = []string{"IdentityAgent=" + socket, "IdentitiesOnly=yes"}
			config.Identities = []string{path(name)}
			if !explicit {
				config.Identities = nil
				config.Options = append(config.Options, "IdentityFile="+path(name))
			}
			c, err := Dial(context.Background(), s.address(), config)
			if err != nil {
				t.Errorf("%s, -i %v: %v", name, explicit, err)
				continue
			}
			c.Close()
			if got := s.asked(); !slices.Equal(got, []string{"auth none", "auth publickey"}) {
				t.Errorf("%s, -i %v: %q", name, explicit, got)
			}
		}
	}
}

// signedBy makes a user's certificate of a key, for root.
func signedBy(t *testing.T, authority ssh.Signer, key ssh.PublicKey) *ssh.Certificate {
	t.Helper()
	certificate := &ssh.Certificate{Key: key, CertType: ssh.UserCert, ValidPrincipals: []string{"root"}, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	return certificate
}

// A real sshd lets only certificates in, and all ways to have one reach it.
func TestCertificatesOfUsers(t *testing.T) {
	server := startSSHD(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	authority := ed25519Signer(t)
	certificate := signedBy(t, authority, writeKey(t, path("id")))
	text := string(ssh.MarshalAuthorizedKey(certificate))
	writeFile(t, path("elsewhere.pub"), text, 0o644)
	writeFile(t, filepath.Join(server.dir, "authorized_keys"), "cert-authority "+string(ssh.MarshalAuthorizedKey(authority.PublicKey())), 0o644)

	private, _ := os.ReadFile(path("id"))
	writeFile(t, path("with"), string(private), 0o600)
	writeFile(t, path("with-cert.pub"), text, 0o644)
	lockedCertificate := signedBy(t, authority, writeKey(t, path("locked"), "open sesame"))
	writeFile(t, path("locked.crt"), string(ssh.MarshalAuthorizedKey(lockedCertificate)), 0o644)

	keyOnly := startAgent(t, path("id"))
	raw, _ := ssh.ParseRawPrivateKey(private)
	certified := serveAgent(t, agent.AddedKey{PrivateKey: raw, Certificate: certificate})
	for name, options := range map[string][]string{
		"FILE-cert.pub":                           {"IdentityFile=" + path("with"), "IdentityAgent=none"},
		"CertificateFile":                         {"IdentityFile=" + path("id"), "CertificateFile=" + path("elsewhere.pub"), "IdentityAgent=none"},
		"CertificateFile of an encrypted key":     {"IdentityFile=" + path("locked"), "CertificateFile=" + path("locked.crt"), "IdentityAgent=none"},
		"CertificateFile, its key in the agent":   {"CertificateFile=" + path("elsewhere.pub"), "IdentityAgent=" + keyOnly},
		"a CertificateFile that is not there too": {"IdentityFile=" + path("id"), "CertificateFile=/nowhere", "CertificateFile=" + path("elsewhere.pub"), "IdentityAgent=none"},
		"the agent's":                             {"IdentityAgent=" + certified},
		"the agent's, named by IdentityFile":      {"IdentityAgent=" + certified, "IdentityFile=" + path("elsewhere.pub"), "IdentitiesOnly=yes"},
	} {
		config := Config{ConfigFile: "none", KnownHosts: server.knownHosts, Options: options,
			Passphrase: func(string) ([]byte, error) { return []byte("open sesame"), nil }, ConnectTimeout: busy}
		c, err := Dial(context.Background(), server.address("root"), config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.Close()
	}
}

// serveAgent is an agent with keys that no file has.
func serveAgent(t *testing.T, keys ...agent.AddedKey) (socket string) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, key := range keys {
		if err := ring.Add(key); err != nil {
			t.Fatal(err)
		}
	}
	return listenAgent(t, ring)
}

// An agent may refuse to sign: the next key is tried, and where there is none it is said.
func TestAgentThatDoesNotSign(t *testing.T) {
	s := newFakeServer(t)
	text, _ := os.ReadFile(s.identity)
	raw, _ := ssh.ParseRawPrivateKey(text)
	ring := agent.NewKeyring()
	ring.Add(agent.AddedKey{PrivateKey: raw, Comment: "held"})
	socket := listenAgent(t, mute{ring.(agent.ExtendedAgent)})
	config := s.config()
	config.Identities, config.Options = nil, []string{"IdentityAgent=" + socket}
	_, err := Dial(context.Background(), s.address(), config)
	if !errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error(), "does not sign with agent held") {
		t.Error(err)
	}
}

// mute is an agent whose owner always says no.
type mute struct{ agent.ExtendedAgent }

func (mute) Sign(ssh.PublicKey, []byte) (*ssh.Signature, error) { return nil, errors.New("no") }

func (mute) SignWithFlags(ssh.PublicKey, []byte, agent.SignatureFlags) (*ssh.Signature, error) {
	return nil, errors.New("no")
}
