package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestOpenSSHRunsACommand(t *testing.T) {
	c := startSSHD(t).dial(t, "root")
	out, err := c.Run(context.Background(), Command{Script: "cat; echo err >&2; exit 7"}, []byte("hello"))
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 7 || string(exit.Stderr) != "err\n" || string(out) != "hello" {
		t.Fatalf("%q %v", out, err)
	}
}

// What a host with latency costs. It prints and does not judge: the server's
// own view, which does not depend on the clock, is in
// TestNothingIsAskedThatIsNotNeeded.
func TestOpenSSHRoundTrips(t *testing.T) {
	server := startSSHD(t)
	const delay = 100 * time.Millisecond
	r := startRelay(t, fmt.Sprintf("127.0.0.1:%d", server.port), delay)
	config := server.config()
	config.Options = append(config.Options, "StrictHostKeyChecking=accept-new")
	began := time.Now()
	trips := func() float64 { return float64(time.Since(began)) / float64(2*delay) }

	c, err := Dial(context.Background(), Address{User: newUser(t, "trips", "/bin/bash"), Host: "127.0.0.1", Port: r.port}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Logf("Dial: %.2f round trips, and one for TCP, which the relay does not delay", trips())
	for _, size := range []int{10, 30 << 10, 100 << 10} {
		text := ": " + fmt.Sprintf("%x", randomBytes(size/2)) + "\necho done"
		began = time.Now()
		process, err := c.Start(context.Background(), Command{Script: text})
		if err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 5)
		io.ReadFull(process.Stdout, out)
		t.Logf("script of %d bytes: output after %.2f round trips", len(text), trips())
		if err := process.Wait(); err != nil || string(out) != "done\n" {
			t.Fatalf("%q %v", out, err)
		}
	}
}

// The login shell only ever sees one word between quotes and plain letters.
func TestFault31LoginShells(t *testing.T) {
	server := startSSHD(t)
	long := strings.Repeat("# it's a \"long\" one !history `x` $y \\\n", 3000)
	for _, shell := range []string{"bash", "dash", "zsh", "ksh", "fish", "tcsh"} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatalf("apt-get install %s", shell)
				}
				t.Skip(err)
			}
			c := server.dial(t, newUser(t, shell, path))
			script := "printf '%s\\n' \"it's !a\" '!!' '$x' 'a\\b'\ncat\nexit 3"
			for name, text := range map[string]string{"short": script, "long": long + script} {
				out, err := c.Run(context.Background(), Command{Script: text}, []byte("in!put"))
				var exit *ExitError
				if !errors.As(err, &exit) || exit.Code != 3 || string(out) != "it's !a\n!!\n$x\na\\b\nin!put" {
					t.Errorf("%s: %q %v", name, out, err)
				}
			}
		})
	}
}

func TestFault32NoiseOfTheLoginShell(t *testing.T) {
	server := startSSHD(t)
	user := newUser(t, "noise", "/bin/bash")
	// bash reads ~/.bashrc for commands that come over ssh
	writeFile(t, "/home/"+user+"/.bashrc", "echo welcome; echo to stderr >&2; set -xv; head -c 100000 /dev/zero\n", 0o644)
	c := server.dial(t, user)
	process, err := c.Start(context.Background(), Command{Script: "echo out; echo err >&2"})
	if err != nil {
		t.Fatal(err)
	}
	errText := make(chan []byte)
	go func() {
		text, _ := io.ReadAll(process.Stderr)
		errText <- text
	}()
	out, _ := io.ReadAll(process.Stdout)
	if text := <-errText; string(out) != "out\n" || string(text) != "err\n" {
		t.Errorf("%q %q", out, text)
	}
	if err := process.Wait(); err != nil {
		t.Error(err)
	}
	// sftp-server runs under the same shell, whose noise no client can bear
	var warned []string
	c2 := server.dial(t, user, func(config *Config) { config.Warn = func(m string) { warned = append(warned, m) } })
	content := bytes.Repeat([]byte("data"), 1000)
	path := "/home/" + user + "/upload"
	if err := c2.Upload(context.Background(), Upload{Content: bytes.NewReader(content), Size: int64(len(content)), Path: path}); err != nil {
		t.Fatal(err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "startup file") {
		t.Errorf("warnings: %q", warned)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
		t.Error("the fallback wrote something else")
	}
}

func TestLoginShellThatRefuses(t *testing.T) {
	server := startSSHD(t)
	c := server.dial(t, newUser(t, "nologin", "/usr/sbin/nologin"))
	_, err := c.Run(context.Background(), Command{Script: "echo no"}, nil)
	if !errors.Is(err, ErrNotStarted) || !strings.Contains(err.Error(), "This account is currently not available") {
		t.Fatal(err)
	}
	_, err = c.Run(context.Background(), Command{Script: "echo no", Root: true}, nil)
	if !errors.Is(err, ErrNotStarted) {
		t.Fatal(err)
	}
}
