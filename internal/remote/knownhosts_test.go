package remote

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// line is a line of known_hosts.
func line(hosts string, key ssh.PublicKey) string {
	return hosts + " " + string(ssh.MarshalAuthorizedKey(key))
}

// reaches dials with a known_hosts file that has this text, and returns what the file has then.
func (s *fakeServer) reaches(text string, options ...string) (string, error) {
	s.t.Helper()
	writeFile(s.t, s.known, text, 0o600)
	config := s.config()
	config.KnownHosts = ""
	config.Options = slices.Concat(options, config.Options, []string{"UserKnownHostsFile=" + s.known, "GlobalKnownHostsFile=none"})
	c, err := Dial(context.Background(), s.address(), config)
	if err == nil {
		c.Close()
	}
	after, _ := os.ReadFile(s.known)
	return string(after), err
}

// What ssh does with each of these was tried with OpenSSH 9.2.
func TestHostIsKnownAsToSSH(t *testing.T) {
	s := newFakeServer(t)
	key, other := s.hostKeys[0].PublicKey(), ed25519Signer(t).PublicKey()
	with := fmt.Sprintf("[127.0.0.1]:%d", s.port())
	for name, c := range map[string]struct {
		known   string
		options []string
		want    error
	}{
		"by name and port":                      {known: line(with, key)},
		"by name alone":                         {known: line("127.0.0.1", key)},
		"by a hashed name alone":                {known: line(knownhosts.HashHostname("127.0.0.1"), key)},
		"by a pattern of names":                 {known: line("!web1,127.*", key)},
		"by a pattern that is for one port":     {known: line("[127.0.0.?]:*", key)},
		"excluded by a pattern":                 {known: line("127.*,!127.0.0.1", key), want: ErrHostKeyUnknown},
		"another key for the port":              {known: line(with, other) + line("127.0.0.1", key), want: ErrHostKeyChanged},
		"another key for the name alone":        {known: line("127.0.0.1", other), want: ErrHostKeyUnknown},
		"by an alias":                           {known: line("x", key), options: []string{"HostKeyAlias=X"}},
		"an alias has no port":                  {known: line("127.0.0.1", key), options: []string{"HostKeyAlias=x"}, want: ErrHostKeyUnknown},
		"by an alias that looks like a port":    {known: line("[x]:22", key), options: []string{"HostKeyAlias=[x]:22"}},
		"which is another than the name":        {known: line("x", other), options: []string{"HostKeyAlias=[x]:22"}, want: ErrHostKeyUnknown},
		"a line of ssh's first protocol before": {known: with + " 1024 35 1234567\n" + line(with, key)},
		"garbage before":                        {known: "garbage\n@what x y z\n" + with + " ssh-ed25519 AAAA\n" + with + " ssh-future AAAAC2Fi\n" + line(with, key)},
		"revoked":                               {known: line(with, key) + line("@revoked *", key), want: ErrHostKeyChanged},
	} {
		after, err := s.reaches(c.known, c.options...)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if after != c.known {
			t.Errorf("%s: known_hosts was written: %s", name, after)
		}
	}
	if after, err := s.reaches("", "HostKeyAlias=[x]:22", "StrictHostKeyChecking=accept-new"); err != nil || after != line("[x]:22", key) {
		t.Errorf("a new alias: %v, known_hosts: %s", err, after)
	}
	old := line("127.0.0.1", other)
	if after, err := s.reaches(old, "StrictHostKeyChecking=accept-new"); err != nil || after != old+line(with, key) {
		t.Errorf("another key for the name alone: %v, known_hosts: %s", err, after)
	}
}

func TestLinesThatMakeNoSenseAreWarnedOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known_hosts")
	key := ed25519Signer(t).PublicKey()
	writeFile(t, file, "# one\n\ngarbage\r\n"+line("web1", key)+"web1 1024 35 1234567\n", 0o600)
	var warned []string
	files := new(knownFiles).read([]string{"/nowhere", "/dev/null", file}, func(text string) { warned = append(warned, text) })
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	if known := files[0].about("web1", ""); len(known) != 1 || known[0].line != 4 {
		t.Errorf("%v", known)
	}
	if len(warned) != 2 || !strings.HasPrefix(warned[0], file+":3: skipped: ") || !strings.HasPrefix(warned[1], file+":5: skipped: ") {
		t.Errorf("%q", warned)
	}
}

// What was read holds for as long as the file does, line by line.
func TestKnownHostsAreThoseOfNow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known_hosts")
	one, two := ed25519Signer(t).PublicKey(), ed25519Signer(t).PublicKey()
	var files knownFiles
	for _, c := range []struct {
		text string
		want []string // lines for web1
		gone int      // keys that are revoked
	}{
		{line("web1", one), []string{"1"}, 0},
		{line("web1", one) + "\n" + line("web*", two), []string{"1", "3"}, 0},
		{line("web1", one) + "\n" + line("web*", two) + "@revoked * " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(two))), []string{"1", "3"}, 1},
		{line("WEB1,web2", two), []string{"1"}, 0},
		{line("web2", two) + line("|1|x", two), nil, 0},
		{"web1 ", nil, 0},
		{"web1 " + string(ssh.MarshalAuthorizedKey(two)), []string{"1"}, 0}, // the end of a line that was half there
	} {
		writeFile(t, file, c.text, 0o600)
		known := files.read([]string{file}, func(string) {})[0]
		var found []string
		for _, k := range known.about("web1", "") {
			found = append(found, fmt.Sprint(k.line))
		}
		if !slices.Equal(found, c.want) || len(known.revokes()) != c.gone {
			t.Errorf("%q: lines %q, %d revoked", c.text, found, len(known.revokes()))
		}
	}
}

// certify makes the server show a certificate of its ECDSA key, beside that key.
func (s *fakeServer) certify(authority ssh.Signer, kind uint32, before uint64, names ...string) {
	s.t.Helper()
	host := s.hostKeys[len(s.hostKeys)-1]
	certificate := &ssh.Certificate{Key: host.PublicKey(), CertType: kind, ValidPrincipals: names, ValidBefore: before}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		s.t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(certificate, host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.hostKeys = []ssh.Signer{signer, host}
}

func TestCertificateOfAHost(t *testing.T) {
	authority, stranger := ed25519Signer(t), ed25519Signer(t)
	for name, c := range map[string]struct {
		kind      uint32
		before    uint64
		principal string
		known     func(s *fakeServer) string
		options   []string
		want      error
	}{
		"by name and port": {known: func(s *fakeServer) string {
			return line(fmt.Sprintf("@cert-authority [127.0.0.1]:%d", s.port()), authority.PublicKey())
		}},
		"by name alone":    {known: func(*fakeServer) string { return line("@cert-authority 127.0.0.*", authority.PublicKey()) }},
		"for a pattern":    {principal: "127.0.*"},
		"by an alias":      {principal: "web", options: []string{"HostKeyAlias=web"}},
		"of another host":  {principal: "web2", want: ErrHostKeyChanged},
		"that has expired": {before: 1, want: ErrHostKeyChanged},
		"of a user":        {kind: ssh.UserCert, want: ErrHostKeyChanged},
		"whose CA is revoked": {known: func(*fakeServer) string {
			return line("@cert-authority *", authority.PublicKey()) + line("@revoked *", authority.PublicKey())
		}, want: ErrHostKeyChanged},
		"of another authority": {known: func(*fakeServer) string { return line("@cert-authority *", stranger.PublicKey()) }, want: ErrHostKeyUnknown},
		"of another authority, whose key is known": {known: func(s *fakeServer) string {
			return line("@cert-authority *", stranger.PublicKey()) + line("127.0.0.1", s.hostKeys[1].PublicKey())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			if c.kind == 0 {
				c.kind = ssh.HostCert
			}
			if c.before == 0 {
				c.before = ssh.CertTimeInfinity
			}
			if c.principal == "" {
				c.principal = "127.0.0.1"
			}
			known := line("@cert-authority *", authority.PublicKey())
			s.certify(authority, c.kind, c.before, c.principal)
			if c.known != nil {
				known = c.known(s)
			}
			if _, err := s.reaches(known, c.options...); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestFirstContactIsAboutTheKeyThatSSHWouldShow(t *testing.T) {
	s := newFakeServer(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	s.hostKeys = append([]ssh.Signer{signer}, s.hostKeys...)
	after, err := s.reaches("", "StrictHostKeyChecking=accept-new")
	if err != nil || !strings.Contains(after, " ssh-ed25519 ") {
		t.Errorf("%v, known_hosts: %s", err, after)
	}
	known := line("127.0.0.1", signer.PublicKey())
	if after, err := s.reaches(known, "StrictHostKeyChecking=accept-new"); err != nil || after != known {
		t.Errorf("a host that is known by its RSA key, without a port: %v, known_hosts: %s", err, after)
	}
}

// With UserKnownHostsFile=none there is no file to add a key to, and ssh accepts none.
func TestWithoutAFileNoKeyIsAccepted(t *testing.T) {
	s := newFakeServer(t)
	for _, global := range []string{"none", filepath.Join(t.TempDir(), "global")} {
		config := s.config()
		config.KnownHosts = ""
		config.Options = append(config.Options, "UserKnownHostsFile=none", "GlobalKnownHostsFile="+global, "StrictHostKeyChecking=accept-new")
		_, err := Dial(context.Background(), s.address(), config)
		if !errors.Is(err, ErrHostKeyUnknown) || !strings.Contains(Hint(err), "UserKnownHostsFile") {
			t.Errorf("%s: %v", global, err)
		}
		if _, err := os.Stat(global); err == nil {
			t.Errorf("%s was written", global)
		}
	}
	global := filepath.Join(t.TempDir(), "global")
	writeFile(t, global, line("127.0.0.1", s.hostKeys[0].PublicKey()), 0o644)
	config := s.config()
	config.KnownHosts = ""
	config.Options = append(config.Options, "UserKnownHostsFile=none", "GlobalKnownHostsFile="+global)
	c, err := Dial(context.Background(), s.address(), config)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
