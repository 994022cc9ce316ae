package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sshConfig writes an ssh_config for hosts that are all this one server.
func (s *sshd) sshConfig(t *testing.T, extra string) Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	writeFile(t, file, extra+fmt.Sprintf(`
Host *
  HostName 127.0.0.1
  Port %d
  User root
  IdentityFile %s
  IdentitiesOnly yes
  UserKnownHostsFile %s
  ConnectTimeout %.0f
`, s.port, s.identity, s.knownHosts, busy.Seconds()), 0o600)
	return Config{ConfigFile: file}
}

func hello(t *testing.T, host string, config Config) {
	t.Helper()
	c, err := Dial(context.Background(), Address{Host: host}, config)
	if err != nil {
		t.Fatalf("%s: %v", host, err)
	}
	out, err := c.Run(context.Background(), Command{Script: "echo hello"}, nil)
	if err != nil || string(out) != "hello\n" {
		t.Errorf("%s: %q %v", host, out, err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("%s: close: %v", host, err)
	}
}

func TestProxyJump(t *testing.T) {
	server := startSSHD(t)
	config := server.sshConfig(t, `
Host inner
  ProxyJump outer
Host innermost
  ProxyJump middle
  HostKeyAlias elsewhere
  StrictHostKeyChecking accept-new
Host middle
  ProxyJump outer
  User root
Host middle
  HostName ::1
Host outer
  HostName localhost
  HostKeyAlias elsewhere
  StrictHostKeyChecking accept-new
`)
	hello(t, "inner", config)
	hello(t, "innermost", config)
	plain := server.sshConfig(t, "Host one\n  HostName ::1\n")
	plain.Options = []string{"ProxyJump=one"}
	hello(t, "target", plain)
}

func TestProxyJumpInACircle(t *testing.T) {
	server := startSSHD(t)
	config := server.sshConfig(t, "Host a\n  HostName 127.0.0.2\n  ProxyJump b\nHost b\n  HostName 127.0.0.3\n  ProxyJump a\nHost self\n  ProxyJump self\n")
	soon(t, func() {
		for _, host := range []string{"a", "b", "self"} { // ssh refuses a "jumphost loop" too
			_, err := Dial(context.Background(), Address{Host: host}, config)
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "circle") {
				t.Error(host, err)
			}
		}
	})
}

func TestProxyJumpThatFails(t *testing.T) {
	server := startSSHD(t)
	config := server.sshConfig(t, fmt.Sprintf("Host dead\n  Port %d\n  ProxyJump jump\nHost behind\n  ProxyJump gone\nHost gone\n  Port 1\n", freePort(t)))
	_, err := Dial(context.Background(), Address{Host: "dead"}, config)
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "jump host cannot reach") {
		t.Error(err)
	}
	_, err = Dial(context.Background(), Address{Host: "behind"}, config)
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "behind: jump host: gone") {
		t.Error(err)
	}
}

func TestProxyCommand(t *testing.T) {
	server := startSSHD(t)
	config := server.sshConfig(t, "")
	config.Options = []string{"ProxyCommand=" + testBinaryCommand(t) + " %h %p"}
	hello(t, "host", config)

	config.Options = []string{"ProxyCommand=exit 1"}
	soon(t, func() {
		if _, err := newDialer(t).Dial(context.Background(), Address{Host: "host"}, config); !errors.Is(err, ErrUnreachable) {
			t.Error(err)
		}
	})
	config.Options = []string{"ProxyCommand=sleep 600", "ConnectTimeout=1"}
	soon(t, func() {
		if _, err := Dial(context.Background(), Address{Host: "host"}, config); !errors.Is(err, ErrUnreachable) {
			t.Error(err)
		}
	})
}

// testBinaryCommand makes this test binary stand in for nc.
func testBinaryCommand(t *testing.T) string {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("REMOTE_TEST_NETCAT", "1")
	return self
}

func TestMain(m *testing.M) {
	if os.Getenv("REMOTE_TEST_NETCAT") == "1" && len(os.Args) == 3 {
		conn, err := net.Dial("tcp", net.JoinHostPort(os.Args[1], os.Args[2]))
		if err != nil {
			os.Exit(1)
		}
		go func() {
			io.Copy(conn, os.Stdin)
			os.Exit(0)
		}()
		io.Copy(os.Stdout, conn)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestFault30IPv6(t *testing.T) {
	server := startSSHD(t)
	for _, host := range []string{"::1", "::1%lo"} {
		config := server.config()
		if host != "::1" {
			config.Options = append(config.Options, "HostKeyAlias=zoned", "StrictHostKeyChecking=accept-new")
		}
		c, err := Dial(context.Background(), Address{User: "root", Host: host, Port: server.port}, config)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		c.Close()
	}
}

func TestUnreachable(t *testing.T) {
	for _, c := range []struct {
		address Address
		want    string
	}{
		{Address{Host: "127.0.0.1", Port: 1}, "127.0.0.1:1: connection refused"},
		{Address{Host: "no-such-host.invalid"}, "does not resolve"},
	} {
		_, err := Dial(context.Background(), c.address, Config{ConfigFile: "none", ConnectTimeout: busy})
		if !errors.Is(err, ErrUnreachable) || !strings.HasSuffix(err.Error(), c.want) || Hint(err) == "" {
			t.Errorf("%v: %v, hint %q", c.address, err, Hint(err))
		}
	}
}

func TestForwarding(t *testing.T) {
	server := startSSHD(t)
	local, _ := Local(Config{})
	for name, c := range map[string]*Connection{"ssh": server.dial(t, "root"), "local": local} {
		for _, network := range []string{"tcp", "unix"} {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "socket")
			}
			listener, err := net.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				if conn, err := listener.Accept(); err == nil {
					io.WriteString(conn, "hello")
					conn.Close()
				}
			}()
			conn, err := c.DialContext(context.Background(), network, listener.Addr().String())
			if err != nil {
				t.Fatalf("%s %s: %v", name, network, err)
			}
			if got, _ := io.ReadAll(conn); string(got) != "hello" {
				t.Errorf("%s %s: %q", name, network, got)
			}
			conn.Close()
			listener.Close()
		}
		if _, err := c.DialContext(context.Background(), "tcp", "127.0.0.1:1"); err == nil {
			t.Errorf("%s: connected to nothing", name)
		}
	}
}

// More commands at a time than the server allows is an error that says so.
func TestMaxSessions(t *testing.T) {
	server := startSSHD(t, "")
	c := server.dial(t, "root")
	var last error
	for range 25 {
		if _, err := c.Start(context.Background(), Command{Script: "exec sleep 30"}); err != nil {
			last = err
			break
		}
	}
	if !strings.Contains(Hint(last), "MaxSessions") {
		t.Error(last)
	}
}
