package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// fakeServer is an SSH server inside the test that misbehaves on purpose.
type fakeServer struct {
	t        testing.TB
	listener net.Listener
	hostKeys []ssh.Signer
	identity string // private key file that it lets in
	known    string // known_hosts file, with all of hostKeys

	accept func(net.Conn)                         // instead of SSH
	exec   func(channel ssh.Channel, line string) // what a command does; it closes the channel
	mute   bool                                   // it does not answer what keepalives ask
	auth   ssh.ServerConfig

	serving sync.Once

	mu     sync.Mutex
	events []string // what the client asked for
	conns  []net.Conn
}

func newFakeServer(t testing.TB) *fakeServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &fakeServer{t: t, listener: listener, identity: filepath.Join(dir, "id"), known: filepath.Join(dir, "known_hosts"), exec: shell}
	s.hostKeys = []ssh.Signer{ed25519Signer(t), ecdsaSigner(t)}
	public := writeKey(t, s.identity)
	s.auth.PublicKeyCallback = func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(public.Marshal()) {
			return nil, errors.New("not this key")
		}
		return nil, nil
	}
	s.auth.AuthLogCallback = func(_ ssh.ConnMetadata, method string, err error) {
		s.note("auth " + method)
	}
	s.writeKnown(s.hostKeys...)
	t.Cleanup(func() {
		listener.Close()
		s.cut()
	})
	return s
}

func ed25519Signer(t testing.TB) ssh.Signer {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func ecdsaSigner(t testing.TB) ssh.Signer {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (s *fakeServer) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *fakeServer) writeKnown(keys ...ssh.Signer) {
	var text strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&text, "[127.0.0.1]:%d %s", s.port(), ssh.MarshalAuthorizedKey(key.PublicKey()))
	}
	writeFile(s.t, s.known, text.String(), 0o600)
}

func (s *fakeServer) note(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, event)
}

// asked returns what the client asked for since the last call.
func (s *fakeServer) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events = nil
	return events
}

// connections returns those that were made until now.
func (s *fakeServer) connections() []net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

// cut ends all connections without a word.
func (s *fakeServer) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		conn.Close()
	}
}

// config is what reaches the server, which serves from then on: what it does is
// set before.
func (s *fakeServer) config() Config {
	s.serving.Do(func() { go s.serve() })
	return Config{ConfigFile: "none", Identities: []string{s.identity}, KnownHosts: s.known, ConnectTimeout: busy, Options: []string{"IdentityAgent=none"}}
}

// behind makes a configuration that reaches the server through another.
func (s *fakeServer) behind(jump *fakeServer) Config {
	s.t.Helper()
	s.t.Setenv("HOME", s.t.TempDir())
	s.t.Setenv("SSH_AUTH_SOCK", "")
	jump.config()
	config := s.config()
	own, _ := os.ReadFile(s.known)
	jumps, _ := os.ReadFile(jump.known)
	config.KnownHosts = filepath.Join(s.t.TempDir(), "known_hosts")
	writeFile(s.t, config.KnownHosts, string(own)+string(jumps), 0o600)
	config.ConfigFile = filepath.Join(s.t.TempDir(), "config")
	writeFile(s.t, config.ConfigFile, fmt.Sprintf("Host jump\n  HostName 127.0.0.1\n  Port %d\n  User ops\n  IdentityFile %s\n", jump.port(), jump.identity), 0o600)
	config.Options = append(config.Options, "ProxyJump=jump")
	return config
}

func (s *fakeServer) address() Address {
	return Address{User: "root", Host: "127.0.0.1", Port: s.port()}
}

func (s *fakeServer) dial(change ...func(*Config)) *Connection {
	s.t.Helper()
	config := s.config()
	for _, c := range change {
		c(&config)
	}
	c, err := Dial(context.Background(), s.address(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

func (s *fakeServer) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		if s.accept != nil {
			go s.accept(conn)
			continue
		}
		go s.serveSSH(conn)
	}
}

func (s *fakeServer) serveSSH(conn net.Conn) {
	config := s.auth
	for _, key := range s.hostKeys {
		config.AddHostKey(key)
	}
	_, channels, requests, err := ssh.NewServerConn(conn, &config)
	if err != nil {
		return
	}
	go func() {
		for request := range requests {
			s.note("global " + request.Type)
			if !s.mute {
				request.Reply(false, nil)
			}
		}
	}()
	for offered := range channels {
		s.note("channel " + offered.ChannelType())
		if offered.ChannelType() == "direct-tcpip" {
			go forward(offered)
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			for request := range requests {
				s.note("request " + request.Type)
				if request.Type != "exec" {
					request.Reply(false, nil)
					continue
				}
				request.Reply(true, nil)
				var payload struct{ Line string }
				ssh.Unmarshal(request.Payload, &payload)
				go s.exec(channel, payload.Line)
			}
		}()
	}
}

// forward is what a jump host does (RFC 4254, 7.2).
func forward(offered ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}
	ssh.Unmarshal(offered.ExtraData(), &to)
	conn, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		offered.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer conn.Close()
	channel, requests, err := offered.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() {
		io.Copy(channel, conn)
		channel.Close()
	}()
	io.Copy(conn, channel)
}

// shell is what a well-behaved server does with a command.
func shell(channel ssh.Channel, line string) {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env = append(os.Environ(), "HOME=/nowhere")
	stdin, _ := cmd.StdinPipe()
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	if err := cmd.Start(); err != nil {
		channel.Close()
		return
	}
	go func() {
		io.Copy(stdin, channel)
		stdin.Close()
	}()
	cmd.Wait()
	exitStatus(channel, uint32(cmd.ProcessState.ExitCode()))
}

func exitStatus(channel ssh.Channel, code uint32) {
	channel.CloseWrite()
	channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
	channel.Close()
}

// started prints what the wrapper would print before the script.
func started(channel ssh.Channel, line string) {
	fields := strings.Fields(line)
	for i, field := range fields {
		if field == "sh" && i+1 < len(fields) {
			mark := startMark(fields[i+1])
			io.WriteString(channel, mark)
			io.WriteString(channel.Stderr(), mark)
		}
	}
}
