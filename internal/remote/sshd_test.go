package remote

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// busy is what a machine may take that does much else.
const busy = 2 * time.Minute

// sshd is a real OpenSSH server on loopback, with a configuration of its own.
type sshd struct {
	port       int
	dir        string
	identity   string // private key file that it lets in
	knownHosts string
	log        *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(data)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// needSSHD skips where there is no sshd to try, and fails where there must be.
func needSSHD(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/usr/sbin/sshd"); err == nil && os.Getuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("needs /usr/sbin/sshd and root (apt-get install openssh-server)")
	}
	t.Skip("needs /usr/sbin/sshd and root")
}

func startSSHD(t testing.TB, extra ...string) *sshd {
	t.Helper()
	needSSHD(t)
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // so that other users' logins can read authorized_keys
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755)
	os.MkdirAll("/run/sshd", 0o755)
	server := &sshd{port: freePort(t), dir: dir, log: &lockedBuffer{}, identity: filepath.Join(dir, "id"), knownHosts: filepath.Join(dir, "known_hosts")}
	hostKey := writeKey(t, filepath.Join(dir, "host_key"))
	userKey := writeKey(t, server.identity)
	writeFile(t, filepath.Join(dir, "authorized_keys"), string(ssh.MarshalAuthorizedKey(userKey)), 0o644)
	writeFile(t, server.knownHosts, fmt.Sprintf("[127.0.0.1]:%d,[::1]:%d %s", server.port, server.port, ssh.MarshalAuthorizedKey(hostKey)), 0o600)
	config := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nListenAddress ::1\nHostKey %s/host_key\nAuthorizedKeysFile %s/authorized_keys\n"+
		"StrictModes no\nPidFile none\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nMaxSessions 20\nLogLevel VERBOSE\n",
		server.port, dir, dir)
	config += strings.Join(extra, "\n") + "\n"
	if !strings.Contains(config, "MaxStartups") {
		config += "MaxStartups 100\n"
	}
	if !strings.Contains(config, "Subsystem") {
		config += "Subsystem sftp /usr/lib/openssh/sftp-server\n"
	}
	writeFile(t, filepath.Join(dir, "sshd_config"), config, 0o644)
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	cmd.Stderr = server.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(server.log.String())
		}
	})
	for began := time.Now(); time.Since(began) < time.Minute; {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server.port)); err == nil {
			conn.Close()
			return server
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("sshd does not listen: %s", server.log)
	return nil
}

func (s *sshd) address(user string) Address {
	return Address{User: user, Host: "127.0.0.1", Port: s.port}
}

func (s *sshd) config() Config {
	return Config{ConfigFile: "none", Identities: []string{s.identity}, KnownHosts: s.knownHosts, ConnectTimeout: busy,
		Options: []string{"IdentityAgent=none"}}
}

func (s *sshd) dial(t testing.TB, user string, change ...func(*Config)) *Connection {
	t.Helper()
	config := s.config()
	for _, c := range change {
		c(&config)
	}
	c, err := Dial(context.Background(), s.address(user), config)
	if err != nil {
		t.Fatalf("dial: %v\n%s", err, s.log)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// writeKey makes an Ed25519 key, with passphrases where given, and returns its public half.
func writeKey(t testing.TB, path string, passphrase ...string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if len(passphrase) > 0 {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "test", []byte(passphrase[0]))
	}
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(pem.EncodeToMemory(block)), 0o600)
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writeFile(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// newUser makes a user of the machine for one test.
func newUser(t testing.TB, name, shell string) string {
	t.Helper()
	needSSHD(t)
	name = fmt.Sprintf("pvt-%s-%d", name, os.Getpid())
	if out, err := exec.Command("useradd", "-m", "-s", shell, "-p", "*", name).CombinedOutput(); err != nil {
		t.Fatalf("useradd: %s", out)
	}
	t.Cleanup(func() { exec.Command("userdel", "-rf", name).Run() })
	return name
}

func setPassword(t testing.TB, user, password string) {
	t.Helper()
	cmd := exec.Command("chpasswd")
	cmd.Stdin = strings.NewReader(user + ":" + password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("chpasswd: %s", out)
	}
}

// relay passes bytes on after a delay each way, so that what a thing costs in
// round trips can be read off the clock. It can be made to go silent or to cut.
type relay struct {
	port  int
	delay time.Duration

	mu     sync.Mutex
	silent bool
	conns  []net.Conn
}

func startRelay(t testing.TB, target string, delay time.Duration) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	r := &relay{port: listener.Addr().(*net.TCPAddr).Port, delay: delay}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, client, server)
			r.mu.Unlock()
			go r.pass(client, server)
			go r.pass(server, client)
		}
	}()
	return r
}

func (r *relay) pass(to, from net.Conn) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			to.Write(p.data)
		}
	}()
	defer close(pieces)
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		r.mu.Lock()
		silent := r.silent
		r.mu.Unlock()
		if n > 0 && !silent {
			pieces <- piece{buffer[:n], time.Now().Add(r.delay)}
		}
		if err != nil {
			return
		}
	}
}

// goSilent makes the connection half-open: nothing arrives any more, no end either.
func (r *relay) goSilent() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = true
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}
