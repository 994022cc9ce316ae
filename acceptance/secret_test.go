package acceptance

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// TestFault39SecretsStayWhereTheyBelong plants markers as passwords: graphite's, encrypted
// in hosts.yaml and then given in a file, and sudo's; and takes those that the host makes
// itself. None may be in what is printed at -vvv or as JSON, in an argument or environment
// of any process on either side, or in a file of the host but those that are its holders.
func TestFault39SecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	host := boot(t, l, "bookworm", "labf39")[0]
	dir := t.TempDir()
	const secretFile = "/etc/provision/secrets/graphite-password"
	const first, second, sudo = "Marker-encrypted-7Q2x", "Marker-from-a-file-9Zp4", "Marker-of-sudo-3Kd8"
	host.feed(t, "chpasswd", "operator:"+sudo+"\n")
	inventory := filepath.Join(dir, "hosts.yaml")
	public, err := os.ReadFile(l.Identity() + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("recipients:\n  - %shosts:\n  labf39:\n    address: operator@%s\n    tasks: [graphite]\n", public, host.Address)
	if err := os.WriteFile(inventory, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	common := []string{"--inventory", inventory, "--key", l.Identity()}
	encrypt := command(t, append([]string{"secret", "encrypt", "graphite.password"}, common...)...)
	encrypt.Stdin = strings.NewReader(first)
	printed := finish(t, encrypt).exits(t, 0)
	reach := append([]string{"graphite", "-l", "labf39", "-K", "-i", l.Identity(), "-F", "none", "-o", "UserKnownHostsFile=" + l.KnownHosts()}, common...)

	watch := watchProcesses(t, first, second, sudo)
	outputs := printed.stdout + printed.stderr
	for _, more := range [][]string{
		{"plan", "-vvv"}, {"install", "-y", "-vvv"},
		{"install", "-y", "--json", "-vvv", "-e", "graphite.password=@" + filepath.Join(dir, "password")},
		{"journal"}, {"verify", "--json"},
	} {
		args := append(append([]string{more[0]}, reach...), more[1:]...)
		if more[0] == "journal" {
			args = append([]string{"journal"}, reach[1:]...)
		}
		ended := prompted(t, sudo, args...)
		if more[0] != "verify" { // which asks with the password of hosts.yaml, and that is no longer the host's
			ended.exits(t, 0)
		}
		if more[0] == "install" && len(more) == 3 && strings.TrimSpace(host.read(t, secretFile)) != first {
			t.Fatal("the password of hosts.yaml is not in force")
		}
		if more[0] == "journal" && !journalOfTwo.MatchString(ended.stdout) {
			t.Errorf("the journal tells\n%s", ended.stdout)
		}
		outputs += ended.stdout + ended.stderr
	}
	watch()

	if !strings.Contains(outputs, "carbon takes a metric") || !strings.Contains(outputs, `"event":"checked"`) || len(outputs) < 20_000 {
		t.Fatalf("only %d bytes of output were caught", len(outputs))
	}
	host.holdsSecretsOnlyIn(t, outputs, map[string]string{
		first:  "", // it was rotated: no kept copy either
		second: secretFile,
		sudo:   "",
		strings.TrimSpace(host.read(t, "/etc/graphite/secret_key")): "/etc/graphite/secret_key",
	})
	if got := strings.TrimSpace(host.read(t, secretFile)); got != second {
		t.Error("the password that was given is not in force")
	}
	file, err := os.ReadFile(inventory)
	if err != nil || strings.Contains(string(file), first) {
		t.Errorf("hosts.yaml holds it in plain text (%v)", err)
	}
}

// holdsSecretsOnlyIn looks for secrets in what was printed, in the host's log and in all its
// files: each may be in the one that is named, and there for nobody else.
func (m machine) holdsSecretsOnlyIn(t *testing.T, printed string, holders map[string]string) {
	t.Helper()
	logged := m.run(t, "journalctl -q --no-pager -o verbose")
	for marker, holder := range holders {
		for _, form := range forms(marker) {
			if at := strings.Index(printed, form); at >= 0 {
				t.Errorf("%.8s… is printed: %q", marker, printed[max(0, at-200):at])
			}
			if strings.Contains(logged, form) {
				t.Errorf("%.8s… is in the host's log", marker)
			}
		}
		for _, path := range m.filesWith(t, forms(marker)) {
			if path != holder {
				t.Errorf("%.8s… is in %s", marker, path)
			}
			if mode := m.run(t, "stat -c '%a %U' "+path); mode != "600 root\n" && mode != "600 _graphite\n" {
				t.Errorf("%s, which holds %.8s…, has %s", path, marker, mode)
			}
		}
	}
}

// journalOfTwo matches what the host remembers: who installed what, from where, each step,
// and how it ended.
var journalOfTwo = regexp.MustCompile(`(?s)run 000001  \S+  install graphite, plan [0-9a-f]{16}  by \S+@\S+: converged\n.*  write /etc/provision/secrets/graphite-password\n` +
	`.*run 000002  \S+  install graphite, plan [0-9a-f]{16}  by \S+@\S+: converged\n.*  write /etc/provision/secrets/graphite-password\n`)

// prompted runs the command on a terminal for its input alone, and answers its question;
// what it prints is all caught.
func prompted(t *testing.T, password string, args ...string) ended {
	t.Helper()
	master, slave := terminal(t)
	defer master.Close()
	defer slave.Close()
	c := command(t, args...)
	var stdout bytes.Buffer
	stderr := &prompt{asks: "sudo password: ", answer: func() {
		time.Sleep(100 * time.Millisecond) // until echo is off
		fmt.Fprintln(master, password)
	}}
	c.Stdin, c.Stdout, c.Stderr = slave, &stdout, stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ended := finish(t, c)
	ended.stdout, ended.stderr = stdout.String(), stderr.text.String()
	return ended
}

// prompt keeps what is written to it, and answers the first question in it.
type prompt struct {
	text   bytes.Buffer // not embedded: io.Copy would go around Write
	asks   string
	answer func()
}

// Write implements io.Writer.
func (p *prompt) Write(data []byte) (int, error) {
	n, err := p.text.Write(data)
	if p.answer != nil && strings.Contains(p.text.String(), p.asks) {
		go p.answer()
		p.answer = nil
	}
	return n, err
}

// forms are how a secret may be written: as it is, and in base64, wherever it begins in a
// group of three bytes.
func forms(secret string) []string {
	all := []string{secret}
	for shift := range 3 {
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		all = append(all, coded[4:len(coded)-4])
	}
	return all
}

// filesWith lists the host's files that hold one of the texts.
func (m machine) filesWith(t *testing.T, texts []string) []string {
	t.Helper()
	leader, err := m.Leader()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	root := fmt.Sprintf("/proc/%d/root", leader) // with what is mounted inside: /run, /tmp
	err = filepath.WalkDir(root+"/", func(path string, entry fs.DirEntry, err error) error {
		inside := strings.TrimPrefix(path, root)
		if entry != nil && entry.IsDir() && slices.Contains([]string{"/usr/share", "/usr/lib", "/var/cache/apt", "/proc", "/sys"}, inside) {
			return filepath.SkipDir
		}
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil // gone
		}
		for _, text := range texts {
			if strings.Contains(string(data), text) {
				found = append(found, inside)
				break
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unpacked is what the words of a command line hold in base64, also when it is compressed:
// scripts travel so.
func unpacked(data []byte) []byte {
	var all []byte
	for _, word := range coded.FindAll(data, -1) {
		plain, err := base64.StdEncoding.DecodeString(string(word))
		if err != nil {
			continue
		}
		if archive, err := gzip.NewReader(bytes.NewReader(plain)); err == nil {
			plain, _ = io.ReadAll(archive) // what there is, if it was cut off
		}
		all = append(append(all, 0), plain...)
	}
	return all
}

var coded = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)

// watchProcesses looks every few milliseconds, until the function that it returns is
// called, at the arguments and environments of all processes: a lab host's are among this
// machine's.
func watchProcesses(t *testing.T, markers ...string) func() {
	stop := make(chan struct{})
	var done sync.WaitGroup
	looks, processes, packed := 0, 0, 0
	done.Go(func() {
		told, seen := map[string]bool{}, map[string]bool{}
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			looks++
			entries, err := os.ReadDir("/proc")
			if err != nil {
				t.Error(err)
				return
			}
			for _, entry := range entries {
				if name := entry.Name(); name[0] < '0' || name[0] > '9' {
					continue
				}
				processes++
				for _, part := range []string{"cmdline", "environ"} {
					data, _ := os.ReadFile("/proc/" + entry.Name() + "/" + part) // gone by now, or one of the kernel's
					if seen[string(data)] {
						continue
					}
					seen[string(data)] = true
					if bytes.Contains(data, []byte("base64 -d")) {
						packed++
						data = append(data, unpacked(data)...)
					}
					for _, marker := range markers {
						for _, form := range forms(marker) {
							if strings.Contains(string(data), form) && !told[part+marker] {
								told[part+marker] = true
								t.Errorf("%.8s… is in the %s of process %s: %.100q", marker, part, entry.Name(), data)
							}
						}
					}
				}
			}
		}
	})
	return func() {
		close(stop)
		done.Wait()
		t.Logf("looked %d times, at %d processes, into %d packed scripts", looks, processes, packed)
		if packed == 0 {
			t.Error("no script was seen on its way")
		}
	}
}
