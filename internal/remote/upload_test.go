package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func randomBytes(size int) []byte {
	data := make([]byte, size)
	rand.Read(data)
	return data
}

func uploadOf(content []byte, path string) Upload {
	return Upload{Content: bytes.NewReader(content), Size: int64(len(content)), Path: path}
}

func checkUploaded(t *testing.T, path string, content []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes there, %d sent, %v", len(got), len(content), err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
}

func TestUpload(t *testing.T) {
	server := startSSHD(t)
	c := server.dial(t, "root", func(config *Config) { config.Warn = func(m string) { t.Errorf("warned: %s", m) } })
	content := randomBytes(5<<20 + 17)
	for name, there := range map[string][]byte{
		"new": nil, "empty": {}, "begun": content[:1<<20], "something else": []byte("something else"),
		"longer": append(bytes.Clone(content), 'x'), "complete": content,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "it's a file $x")
			if there != nil {
				writeFile(t, path, string(there), 0o644)
			}
			var steps []int64
			upload := uploadOf(content, path)
			upload.Progress = func(done int64) { steps = append(steps, done) }
			if err := c.Upload(context.Background(), upload); err != nil {
				t.Fatal(err)
			}
			checkUploaded(t, path, content)
			first := int64(0)
			if name == "begun" || name == "complete" {
				first = int64(len(there))
			}
			if steps[0] != first || steps[len(steps)-1] != upload.Size {
				t.Errorf("progress from %d to %d", steps[0], steps[len(steps)-1])
			}
		})
	}
}

func TestUploadRefused(t *testing.T) {
	c := startSSHD(t).dial(t, "root")
	dir := t.TempDir()
	os.Symlink("/etc/passwd", filepath.Join(dir, "link"))
	for path, want := range map[string]string{filepath.Join(dir, "link"): "symbolic link", filepath.Join(dir, "no", "dir"): "nonexistent", dir: "not a regular file", "/dev/full": "not a regular file"} {
		if err := c.Upload(context.Background(), uploadOf([]byte("x"), path)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	short := uploadOf([]byte("x"), filepath.Join(dir, "short"))
	short.Size = 2
	if err := c.Upload(context.Background(), short); !errors.Is(err, ErrUploadDamaged) {
		t.Error(err)
	}
}

func TestFault36NoSFTP(t *testing.T) {
	server := startSSHD(t, "# no Subsystem")
	var warned []string
	c := server.dial(t, "root", func(config *Config) { config.Warn = func(m string) { warned = append(warned, m) } })
	content := randomBytes(3 << 20)
	path := filepath.Join(t.TempDir(), "file")
	writeFile(t, path, string(content[:1000]), 0o600)
	if err := c.Upload(context.Background(), uploadOf(content, path)); err != nil {
		t.Fatal(err)
	}
	checkUploaded(t, path, content)
	if len(warned) != 1 || !strings.Contains(warned[0], "Subsystem sftp") {
		t.Errorf("%q", warned)
	}
}

func TestUploadAsRoot(t *testing.T) {
	server := startSSHD(t)
	var asked atomic.Int32
	c := server.dial(t, sudoUser(t, "upload", "ALL=(ALL) ALL"), asks("correct horse", &asked))
	content := randomBytes(3 << 20)
	path := filepath.Join(t.TempDir(), "file")
	upload := uploadOf(content, path)
	upload.Root = true
	if err := c.Upload(context.Background(), upload); err != nil {
		t.Fatal(err)
	}
	checkUploaded(t, path, content)
}

func TestUploadLocally(t *testing.T) {
	c, _ := Local(Config{})
	content := randomBytes(1 << 20)
	path := filepath.Join(t.TempDir(), "file")
	if err := c.Upload(context.Background(), uploadOf(content, path)); err != nil {
		t.Fatal(err)
	}
	checkUploaded(t, path, content)
}

// A lost connection leaves the beginning, and the next attempt goes on there.
func TestFault02UploadIsCutOff(t *testing.T) {
	server := startSSHD(t)
	content := randomBytes(20 << 20)
	path := filepath.Join(t.TempDir(), "file")
	r := startRelay(t, fmt.Sprintf("127.0.0.1:%d", server.port), 0)
	config := server.config()
	config.Options = append(config.Options, "StrictHostKeyChecking=accept-new")
	c, err := Dial(context.Background(), Address{User: "root", Host: "127.0.0.1", Port: r.port}, config)
	if err != nil {
		t.Fatal(err)
	}
	upload := uploadOf(content, path)
	upload.Progress = func(done int64) {
		if done > 12<<20 {
			r.cut()
		}
	}
	soon(t, func() {
		if err := c.Upload(context.Background(), upload); !errors.Is(err, ErrLost) {
			t.Error(err)
		}
	})
	first := int64(-1)
	upload.Progress = func(done int64) {
		if first < 0 {
			first = done
		}
	}
	if err := server.dial(t, "root").Upload(context.Background(), upload); err != nil {
		t.Fatal(err)
	}
	checkUploaded(t, path, content)
	if first < 8<<20 {
		t.Errorf("went on from %d", first)
	}
}
