package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// sudoUser makes a user with a password and a sudoers rule.
func sudoUser(t *testing.T, name, rule string) string {
	t.Helper()
	needSSHD(t)
	if _, err := exec.LookPath("sudo"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("apt-get install sudo")
		}
		t.Skip(err)
	}
	user := newUser(t, name, "/bin/bash")
	setPassword(t, user, "correct horse")
	if rule != "" {
		file := filepath.Join("/etc/sudoers.d", user)
		writeFile(t, file, user+" "+rule+"\n", 0o440)
		t.Cleanup(func() { os.Remove(file) })
	}
	return user
}

// asks gives a password and counts how often it was asked for.
func asks(password string, count *atomic.Int32) func(*Config) {
	return func(config *Config) {
		config.SudoPassword = func(string) ([]byte, error) {
			count.Add(1)
			return []byte(password), nil
		}
	}
}

func TestSudoWithPassword(t *testing.T) {
	server := startSSHD(t)
	var asked atomic.Int32
	c := server.dial(t, sudoUser(t, "sudo", "ALL=(ALL) ALL"), asks("correct horse", &asked))
	binary := make([]byte, 3<<20)
	rand.Read(binary)
	for name, text := range map[string]string{"short": "", "long": ": " + fmt.Sprintf("%x", binary[:100<<10]) + "\n"} {
		asked.Store(0)
		out, err := c.Run(context.Background(), Command{Root: true, Script: text + "id -u; cat"}, binary)
		if err != nil || !bytes.Equal(out, append([]byte("0\n"), binary...)) {
			t.Errorf("%s: %d bytes of output, %v", name, len(out), err)
		}
		if asked.Load() != 1 {
			t.Errorf("%s: asked %d times", name, asked.Load())
		}
	}
	_, err := c.Run(context.Background(), Command{Root: true, Script: "echo only this >&2; exit 9"}, nil)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 9 || string(exit.Stderr) != "only this\n" {
		t.Errorf("%v: prompt and lecture must not be in the command's stderr", err)
	}
}

func TestFault17WrongSudoPassword(t *testing.T) {
	server := startSSHD(t)
	var asked atomic.Int32
	c := server.dial(t, sudoUser(t, "wrong", "ALL=(ALL) ALL"), asks("battery staple", &asked))
	_, err := c.Run(context.Background(), Command{Root: true, Script: "echo never"}, []byte("input that is no password\n"))
	if !errors.Is(err, ErrSudoPassword) || !errors.Is(err, ErrSudo) || Hint(err) == "" {
		t.Fatal(err)
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	if strings.Contains(err.Error(), "battery") {
		t.Error("the error holds the password")
	}
}

func TestFault18SudoNeedsNoPassword(t *testing.T) {
	server := startSSHD(t)
	var asked atomic.Int32
	c := server.dial(t, sudoUser(t, "free", "ALL=(ALL) NOPASSWD: ALL"), asks("correct horse", &asked))
	out, err := c.Run(context.Background(), Command{Root: true, Script: "id -u; cat"}, []byte("mine"))
	if err != nil || string(out) != "0\nmine" || asked.Load() != 0 {
		t.Fatalf("%q %v, asked %d times", out, err, asked.Load())
	}
}

func TestSudoThatIsNotToBe(t *testing.T) {
	server := startSSHD(t)
	var asked atomic.Int32
	t.Run("password needed, none there", func(t *testing.T) {
		c := server.dial(t, sudoUser(t, "need", "ALL=(ALL) ALL"))
		_, err := c.Run(context.Background(), Command{Root: true, Script: "echo never"}, nil)
		if !errors.Is(err, ErrSudoPasswordNeeded) || !strings.Contains(Hint(err), "-K") {
			t.Fatal(err)
		}
	})
	t.Run("not in sudoers", func(t *testing.T) {
		c := server.dial(t, sudoUser(t, "no", ""), asks("correct horse", &asked))
		_, err := c.Run(context.Background(), Command{Root: true, Script: "echo never"}, nil)
		if !errors.Is(err, ErrSudo) || !strings.Contains(err.Error(), "not in the sudoers file") {
			t.Fatal(err)
		}
	})
	t.Run("not installed", func(t *testing.T) {
		c := server.dial(t, newUser(t, "none", "/bin/bash"))
		c.transport = withoutSudo{c.transport}
		_, err := c.Run(context.Background(), Command{Root: true, Script: "echo never"}, nil)
		if !errors.Is(err, ErrSudo) || !strings.Contains(err.Error(), "not installed") {
			t.Fatal(err)
		}
	})
}

// withoutSudo is a host where sudo is not to be found.
type withoutSudo struct{ transport }

func (w withoutSudo) start(ctx context.Context, line string, followed bool) (stream, error) {
	return w.transport.start(ctx, strings.Replace(line, "exec sudo", "PATH=/nowhere; exec sudo", 1), followed)
}

// Root that a login shell other than bash asks for goes the same way.
func TestSudoFromOtherShells(t *testing.T) {
	server := startSSHD(t)
	for _, shell := range []string{"/usr/bin/fish", "/usr/bin/tcsh"} {
		if _, err := os.Stat(shell); err != nil {
			t.Logf("%v", err)
			continue
		}
		user := sudoUser(t, filepath.Base(shell), "ALL=(ALL) ALL")
		exec.Command("usermod", "-s", shell, user).Run()
		var asked atomic.Int32
		c := server.dial(t, user, asks("correct horse", &asked))
		out, err := c.Run(context.Background(), Command{Root: true, Script: "id -u; cat"}, []byte("mine"))
		if err != nil || string(out) != "0\nmine" || asked.Load() != 1 {
			t.Errorf("%s: %q %v, asked %d times", shell, out, err, asked.Load())
		}
	}
}
