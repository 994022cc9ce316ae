// Package redistest starts real redis-server processes for tests.
package redistest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a redis-server of one test, on a Unix socket in its own folder.
type Server struct {
	Socket string
	t      testing.TB
	folder string
	args   []string
	cmd    *exec.Cmd
}

// URL is the server's address for gimel.
func (s *Server) URL() string { return "unix://" + s.Socket }

// Start runs a redis-server until the test ends. Without redis-server the test
// is skipped, or fails where CI=true.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	requireBinary(t)
	// Not t.TempDir(): a socket's path may have 107 bytes (unix(7)).
	folder, err := os.MkdirTemp("", "gimel")
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{Socket: filepath.Join(folder, "redis.sock"), t: t, folder: folder, args: args}
	t.Cleanup(func() {
		server.Kill()
		os.RemoveAll(folder)
	})
	server.Restart()
	return server
}

func requireBinary(t testing.TB) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("needed in CI: %v", err)
		}
		t.Skip(err)
	}
}

// Restart starts the server again after Kill, over the same data.
func (s *Server) Restart() {
	s.t.Helper()
	args := append([]string{"--port", "0", "--unixsocket", s.Socket, "--dir", s.folder,
		"--save", "", "--logfile", filepath.Join(s.folder, "redis.log")}, s.args...)
	s.cmd = launch(s.t, args)
	awaitPing(s.t, s.Client())
}

// Kill ends the server with SIGKILL, as a crash does.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Pause stops the server's process without closing a connection.
func (s *Server) Pause() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *Server) Continue() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

// Client is a plain client that the test's end closes.
func (s *Server) Client() *redis.Client {
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket, DisableIdentity: true, MaxRetries: -1})
	s.t.Cleanup(func() { client.Close() })
	return client
}

func launch(t testing.TB, args []string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("redis-server", args...)
	// A test that is killed leaves no server behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func awaitPing(t testing.TB, client *redis.Client) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for client.Ping(context.Background()).Err() != nil {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer within 2 minutes")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// StartCluster runs three masters on loopback and returns their addresses.
func StartCluster(t testing.TB) []string {
	t.Helper()
	requireBinary(t)
	var addresses []string
	for range 3 {
		addresses = append(addresses, startNode(t))
	}
	args := append([]string{"--cluster", "create"}, addresses...)
	output, err := exec.Command("redis-cli", append(args, "--cluster-yes", "--cluster-replicas", "0")...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli --cluster create: %v\n%s", err, output)
	}
	for _, address := range addresses {
		awaitCluster(t, address)
	}
	return addresses
}

func startNode(t testing.TB) string {
	t.Helper()
	port := freePort(t)
	folder, err := os.MkdirTemp("", "gimel")
	if err != nil {
		t.Fatal(err)
	}
	cmd := launch(t, []string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "",
		"--cluster-enabled", "yes", "--cluster-node-timeout", "60000", "--logfile", filepath.Join(folder, "redis.log")})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		os.RemoveAll(folder)
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	client := redis.NewClient(&redis.Options{Addr: address, DisableIdentity: true})
	defer client.Close()
	awaitPing(t, client)
	return address
}

// freePort finds a port whose cluster bus port (10000 higher, the default of
// redis.conf's cluster-port) is possible too.
func freePort(t testing.TB) int {
	t.Helper()
	for {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := listener.Addr().(*net.TCPAddr).Port
		listener.Close()
		if port+10000 <= 65535 {
			return port
		}
	}
}

func awaitCluster(t testing.TB, address string) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address, DisableIdentity: true})
	defer client.Close()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		info, _ := client.ClusterInfo(context.Background()).Result()
		if strings.Contains(info, "cluster_state:ok") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("cluster is not ok within 2 minutes: %s", info)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// CopyData copies what the server has on its disk now, and returns where to.
func (s *Server) CopyData() string {
	s.t.Helper()
	copied := filepath.Join(s.folder, "copy")
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(s.folder, "appendonlydir"))); err != nil {
		s.t.Fatal(err)
	}
	return copied
}

// PutData replaces what a killed server has on its disk by a copy: it has lost
// what it wrote since.
func (s *Server) PutData(copied string) {
	s.t.Helper()
	files := filepath.Join(s.folder, "appendonlydir")
	if err := os.RemoveAll(files); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(copied, files); err != nil {
		s.t.Fatal(err)
	}
}
