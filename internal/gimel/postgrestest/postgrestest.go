// Package postgrestest starts real PostgreSQL servers for tests.
package postgrestest

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL of one test, on a Unix socket in its own folder.
type Server struct {
	t        testing.TB
	programs string
	folder   string
	account  *syscall.Credential
	command  *exec.Cmd
}

// Start runs a server until the test ends. Without PostgreSQL the test is
// skipped, or fails where CI=true.
func Start(t testing.TB) *Server {
	t.Helper()
	// Debian keeps its programs by version, out of the path.
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is good
	if len(found) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("needed in CI: postgresql")
		}
		t.Skip("PostgreSQL is not installed")
	}
	slices.Sort(found)
	// Not t.TempDir(): a socket's path may have 107 bytes (unix(7)).
	folder, err := os.MkdirTemp("", "gimel-pg")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, programs: filepath.Dir(found[len(found)-1]), folder: folder}
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(folder)
	})
	if os.Getuid() == 0 { // as whom it refuses to run
		s.becomes("postgres")
	}
	if output, err := s.run("initdb", "-D", s.data(), "-A", "trust", "-U", "gimel", "--no-sync", "-E", "UTF8", "--locale=C").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	s.Restart()
	return s
}

func (s *Server) becomes(name string) {
	s.t.Helper()
	account, err := user.Lookup(name)
	if err != nil {
		s.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(account.Uid) // a number on Linux
	gid, _ := strconv.Atoi(account.Gid)
	s.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(s.folder, uid, gid); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

func (s *Server) run(program string, args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(s.programs, program), args...)
	command.Dir = s.folder
	// A test that is killed leaves no server behind.
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.account, Pdeathsig: syscall.SIGQUIT}
	return command
}

// URL is the server's database for gimel.
func (s *Server) URL() string { return "host=" + s.folder + " user=gimel dbname=postgres" }

// Restart starts the server again after Kill, over the same data.
func (s *Server) Restart() {
	s.t.Helper()
	s.command = s.run("postgres", "-D", s.data(), "-k", s.folder, "-c", "listen_addresses=", "-c", "shared_buffers=16MB")
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for {
		connection, err := pgx.Connect(context.Background(), s.URL())
		if err == nil {
			connection.Close(context.Background())
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("PostgreSQL does not answer within 2 minutes: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill ends the server at once, without a checkpoint, as a crash does; SIGQUIT
// takes its children too.
func (s *Server) Kill() {
	if s.command == nil {
		return
	}
	_ = s.command.Process.Signal(syscall.SIGQUIT)
	_ = s.command.Wait()
	s.command = nil
}

// Connect is a connection that the test's end closes.
func (s *Server) Connect() *pgx.Conn {
	s.t.Helper()
	connection, err := pgx.Connect(context.Background(), s.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { connection.Close(context.Background()) })
	return connection
}
