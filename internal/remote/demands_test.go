package remote

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// configured is the server's config with lines of an ssh_config file before it.
func (s *fakeServer) configured(lines string) Config {
	config := s.config()
	config.ConfigFile = filepath.Join(s.t.TempDir(), "config")
	writeFile(s.t, config.ConfigFile, lines+"\n", 0o600)
	return config
}

func TestRevokedHostKeysInTheFile(t *testing.T) {
	s := newFakeServer(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range append(s.hostKeys, ed25519Signer(t)) {
		writeFile(t, in("other"), string(ssh.MarshalAuthorizedKey(key.PublicKey())), 0o600)
		text, _ := os.ReadFile(in("list"))
		writeFile(t, in("list"), "# garbage\n"+string(text)+string(ssh.MarshalAuthorizedKey(key.PublicKey())), 0o600)
	}
	krl := func(name, keys string) {
		if out, err := exec.Command("ssh-keygen", "-k", "-f", in(name), in(keys)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	krl("krl", "list")
	krl("other.krl", "other")
	writeFile(t, in("garbage.krl"), "SSHKRL\n\x00garbage", 0o600)
	for name, want := range map[string]string{
		"list": "revoked in", "krl": "revoked in", "other": "", "other.krl": "", "none at all": "cannot be asked", "garbage.krl": "cannot be asked",
	} {
		c, err := Dial(context.Background(), s.address(), s.configured(`RevokedHostKeys "`+in(name)+`"`))
		if err == nil {
			c.Close()
		}
		if (want == "") != (err == nil) || err != nil && (!errors.Is(err, ErrHostKeyChanged) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAlgorithmsOfTheFile(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	short, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	type server = func(*fakeServer)
	rsaHost := func(s *fakeServer) { s.hostKeys = []ssh.Signer{short}; s.writeKnown(short) }
	for _, c := range []struct {
		lines string
		make  server
		want  string
	}{
		{"Ciphers aes256-ctr", func(s *fakeServer) { s.auth.Ciphers = []string{"aes128-ctr"} }, "no common algorithm"},
		{"Ciphers aes256-ctr,aes128-ctr", func(s *fakeServer) { s.auth.Ciphers = []string{"aes128-ctr"} }, ""},
		{"MACs hmac-sha2-512\nCiphers aes256-ctr", func(s *fakeServer) { s.auth.MACs = []string{"hmac-sha2-256"} }, "no common algorithm"},
		{"KexAlgorithms ecdh-sha2-nistp256", func(s *fakeServer) { s.auth.KeyExchanges = []string{"curve25519-sha256"} }, "no common algorithm"},
		{"HostKeyAlgorithms rsa-sha2-512", func(*fakeServer) {}, "no common algorithm"},
		{"HostKeyAlgorithms ecdsa-sha2-nistp256", func(*fakeServer) {}, ""},
		{"RequiredRSASize 3072", rsaHost, "2048 bits where RequiredRSASize is 3072"},
		{"RequiredRSASize 2048", rsaHost, ""},
		{"PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256", func(*fakeServer) {}, "not among PubkeyAcceptedAlgorithms"},
		{"PubkeyAcceptedAlgorithms ssh-ed25519", func(*fakeServer) {}, ""},
	} {
		s := newFakeServer(t)
		c.make(s)
		connection, err := Dial(context.Background(), s.address(), s.configured(c.lines))
		if err == nil {
			connection.Close()
		}
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.lines, err, c.want)
		}
	}
}

// An RSA key is one of the key type ssh-rsa, and signs with better algorithms than that.
func TestRSAKeySignsAsTheFileAllows(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[string]string{
		"Match host *": "", "PubkeyAcceptedAlgorithms rsa-sha2-256": "", "PubkeyAcceptedAlgorithms rsa-sha2-512": "authentication failed",
		"PubkeyAcceptedAlgorithms ssh-ed25519": "not among PubkeyAcceptedAlgorithms", "RequiredRSASize 3072": "2048 bits where",
	} {
		s := newFakeServer(t)
		writeFile(t, s.identity, string(pem.EncodeToMemory(block)), 0o600)
		s.auth.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }
		s.auth.PublicKeyAuthAlgorithms = []string{ssh.KeyAlgoRSASHA256}
		c, err := Dial(context.Background(), s.address(), s.configured(lines))
		if err == nil {
			c.Close()
		}
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", lines, err, want)
		}
	}
}

// A host's certificate counts only where its authority signed it as CASignatureAlgorithms allows.
func TestAuthoritiesOfTheFile(t *testing.T) {
	s := newFakeServer(t)
	authority, host := ecdsaSigner(t), ed25519Signer(t)
	certificate := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(certificate, host)
	if err != nil {
		t.Fatal(err)
	}
	s.hostKeys = []ssh.Signer{signer}
	writeFile(t, s.known, fmt.Sprintf("@cert-authority [127.0.0.1]:%d %s", s.port(), ssh.MarshalAuthorizedKey(authority.PublicKey())), 0o600)
	for lines, want := range map[string]string{"": "", "CASignatureAlgorithms ecdsa-sha2-nistp256": "", "CASignatureAlgorithms ssh-ed25519": "not among CASignatureAlgorithms"} {
		c, err := Dial(context.Background(), s.address(), s.configured(lines))
		if err == nil {
			c.Close()
		}
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", lines, err, want)
		}
	}
}

func TestBindAddress(t *testing.T) {
	s := newFakeServer(t)
	from := make(chan string, 1)
	s.accept = func(conn net.Conn) {
		from <- conn.RemoteAddr().(*net.TCPAddr).IP.String()
		conn.Close()
	}
	Dial(context.Background(), s.address(), s.configured("BindAddress 127.0.0.2"))
	equal(t, "it came from", <-from, "127.0.0.2")
	if _, err := Dial(context.Background(), s.address(), s.configured("BindAddress no.such.name.invalid")); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "no.such.name.invalid") {
		t.Error(err)
	}
}

func TestNobodyIsAskedInBatchMode(t *testing.T) {
	for lines, wanted := range map[string]bool{"": true, "BatchMode yes": false, "NumberOfPasswordPrompts 0": false, "PreferredAuthentications publickey": false, "PasswordAuthentication no": false} {
		s := newFakeServer(t)
		s.auth.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, nil }
		config := s.configured(lines)
		config.Identities = nil
		config.Options = append(config.Options, "IdentityFile=none")
		asked := false
		config.Password = func(string) ([]byte, error) { asked = true; return []byte("x"), nil }
		c, err := Dial(context.Background(), s.address(), config)
		if err == nil {
			c.Close()
		}
		if asked != wanted || (err == nil) != wanted {
			t.Errorf("%s: asked %v, %v", lines, asked, err)
		}
	}
	s := newFakeServer(t)
	s.writeKnown()
	config := s.configured("BatchMode yes")
	config.ConfirmHostKey = func(string, string) bool { t.Error("asked about the host's key"); return true }
	if _, err := Dial(context.Background(), s.address(), config); !errors.Is(err, ErrHostKeyUnknown) {
		t.Error(err)
	}
}

func TestPreferredAuthentications(t *testing.T) {
	for preferred, want := range map[string]string{
		"publickey,password":                      "auth none, auth publickey, auth password",
		"password,publickey":                      "auth none, auth password, auth publickey",
		"gssapi-with-mic,password":                "auth none, auth password",
		"keyboard-interactive,password,publickey": "auth none, auth keyboard-interactive, auth publickey", // the password is sent once
	} {
		s := newFakeServer(t)
		s.auth.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, errors.New("no") }
		s.auth.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") }
		s.auth.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			ask("", "", []string{"Password: "}, []bool{false})
			return nil, errors.New("no")
		}
		config := s.configured("PreferredAuthentications " + preferred)
		config.Password = func(string) ([]byte, error) { return []byte("x"), nil }
		if _, err := Dial(context.Background(), s.address(), config); !errors.Is(err, ErrAuthentication) {
			t.Error(err)
		}
		equal(t, preferred, strings.Join(s.asked(), ", "), want)
	}
}

// A run asks ssh once for a host, however often it looks; a configuration that needs no answer
// of ssh's starts no process at all.
func TestSSHIsAskedOnceAHost(t *testing.T) {
	dir := t.TempDir()
	count := filepath.Join(dir, "count")
	writeFile(t, filepath.Join(dir, "ssh"), "#!/bin/sh\necho >>"+count+"\nPATH="+os.Getenv("PATH")+" exec ssh \"$@\"\n", 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for lines, want := range map[string]int{"Match exec true\n Port 2200\n": 2, "Host web1\n Port 2200\n": 0} {
		writeFile(t, count, "", 0o600)
		config := Config{ConfigFile: filepath.Join(dir, "config"), Options: []string{"IdentityAgent=none"}, Answers: new(Answers)}
		writeFile(t, config.ConfigFile, lines, 0o600)
		for _, host := range []string{"web1", "web2", "web1", "web2"} {
			if err := config.Check(Address{Host: host}); err != nil {
				t.Fatal(err)
			}
			if _, err := config.HostName(Address{Host: host}); err != nil {
				t.Fatal(err)
			}
		}
		text, _ := os.ReadFile(count)
		equal(t, lines, len(text), want)
	}
}

// ~/.ssh/config and what is included must be nobody else's to write, as for ssh.
func TestConfigThatOthersMayWrite(t *testing.T) {
	t.Setenv("PATH", "/nonexistent")
	home := t.TempDir()
	t.Setenv("HOME", home)
	os.Mkdir(filepath.Join(home, ".ssh"), 0o700)
	file := filepath.Join(home, ".ssh", "config")
	more := filepath.Join(home, ".ssh", "more")
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o664: false, 0o602: false} {
		writeFile(t, more, "Port 2200\n", 0o600)
		writeFile(t, file, "Include more\n", mode)
		s, err := Config{}.settings(Address{Host: "web1"})
		if (err == nil) != want || err == nil && s.port != 2200 {
			t.Errorf("%o: %d %v", mode, s.port, err)
		}
		writeFile(t, file, "Include more\n", 0o600)
		writeFile(t, more, "Port 2200\n", mode)
		if s, err = (Config{}).settings(Address{Host: "web1"}); (err == nil) != want || err == nil && s.port != 2200 {
			t.Errorf("included, %o: %d %v", mode, s.port, err)
		}
	}
}
