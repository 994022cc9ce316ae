package store

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/redistest"
)

// The ACL user that a deploy makes: its own keys, and nothing dangerous.
func TestACLUserOfItsOwnKeysIsEnough(t *testing.T) {
	server := redistest.Start(t)
	rules := "on >secret ~gimel:* resetchannels -@all +@connection +@read +@write +@hyperloglog +@transaction +@scripting -@dangerous"
	arguments := []any{"ACL", "SETUSER", "gimel"}
	for _, rule := range strings.Fields(rules) {
		arguments = append(arguments, rule)
	}
	if err := server.Client().Do(t.Context(), arguments...).Err(); err != nil {
		t.Fatal(err)
	}
	client, err := Connect(Address{URL: strings.Replace(server.URL(), "unix://", "unix://gimel@", 1), Password: "secret", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s := New(client, exactSettings)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if added := commitAll(t, s, participants("e", "blue", 0, 1000)); added != 1000 {
		t.Errorf("added %d", added)
	}
	// With a log too, and when that is full.
	logged := New(client, logging(Exact, 1))
	if added := commitAll(t, logged, participants("e", "green", 0, 1000)); added != 1000 {
		t.Errorf("added %d", added)
	}
	if life := lives(t, logged)[0]; life.Missed == 0 || time.Since(life.Gap) > time.Minute {
		t.Errorf("%+v", life)
	}
	if _, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "e"}); err != nil {
		t.Error(err)
	}
	if names, err := s.Names(t.Context(), "alephbet"); err != nil || len(names) != 1 {
		t.Errorf("names = %v, %v", names, err)
	}
	if got := count(t, s, "e", "participate", "blue"); got != 1000 {
		t.Errorf("count = %d", got)
	}
	if err := s.Delete(t.Context(), "alephbet", "e"); err != nil {
		t.Error(err)
	}
}

func TestAWrongPasswordIsAnError(t *testing.T) {
	server := redistest.Start(t)
	if err := server.Client().ConfigSet(t.Context(), "requirepass", "right").Err(); err != nil {
		t.Fatal(err)
	}
	client, err := Connect(Address{URL: server.URL(), Password: "hunter2", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	err = New(client, exactSettings).Ready(t.Context())
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("err = %v", err)
	}
}

func TestTLSIsCheckedAgainstTheAuthorityFile(t *testing.T) {
	folder := t.TempDir()
	certificate, key := writeCertificate(t, folder)
	port := freeTCPPort(t)
	redistest.Start(t, "--tls-port", port, "--bind", "127.0.0.1", "--tls-cert-file", certificate,
		"--tls-key-file", key, "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no")
	ready := func(authority string) error {
		client, err := Connect(Address{URL: "rediss://127.0.0.1:" + port, AuthorityFile: authority, Timeout: 2 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		return New(client, exactSettings).Ready(t.Context())
	}
	if err := ready(certificate); err != nil {
		t.Errorf("with its authority: %v", err)
	}
	if err := ready(""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without its authority: %v", err)
	}
}

func writeCertificate(t *testing.T, folder string) (certificateFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER)
}

func freeTCPPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func TestSentinelNamesTheMaster(t *testing.T) {
	redisPort, sentinelPort := freeTCPPort(t), freeTCPPort(t)
	redistest.Start(t, "--port", redisPort, "--bind", "127.0.0.1")
	folder := t.TempDir()
	config := filepath.Join(folder, "sentinel.conf")
	content := "port " + sentinelPort + "\nbind 127.0.0.1\ndir " + folder + "\nsentinel monitor main 127.0.0.1 " + redisPort + " 1\n"
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := exec.Command("redis-server", config, "--sentinel", "--logfile", filepath.Join(folder, "log"))
	if err := sentinel.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = sentinel.Process.Kill()
		_ = sentinel.Wait()
	}()
	s := newStore(t, "redis+sentinel://127.0.0.1:"+sentinelPort+"/main", exactSettings)
	deadline := time.Now().Add(2 * time.Minute)
	for s.Ready(t.Context()) != nil && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	if added := commitAll(t, s, participants("e", "blue", 0, 10)); added != 10 {
		t.Errorf("added %d", added)
	}
}
