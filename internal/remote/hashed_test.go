package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"
)

// hashedHosts is a file of known hosts whose names are hashed, five lines a host.
func hashedHosts(t testing.TB, hosts int) string {
	key := ed25519Signer(t).PublicKey()
	var text strings.Builder
	for range 5 {
		for host := range hosts {
			text.WriteString(line(knownhosts.HashHostname(fmt.Sprintf("web%d", host)), key))
		}
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	writeFile(t, file, text.String(), 0o600)
	return file
}

// Lines with hashed names are found, each for the one that is meant, however many ask at once and how often, and also
// those that come later.
func TestHashedNames(t *testing.T) {
	const hosts = 20
	file := hashedHosts(t, hosts)
	var files knownFiles
	read := func() *knownFile { return files.read([]string{file}, func(string) {})[0] }
	ask := func(lines int) {
		t.Helper()
		known := read()
		var asking sync.WaitGroup
		for host := range 3 * hosts {
			asking.Go(func() {
				host %= hosts
				found := known.about(fmt.Sprintf("web%d", host), "")
				if len(found) != lines {
					t.Errorf("web%d has %d lines, want %d", host, len(found), lines)
				}
				for _, one := range found {
					if (one.line-1)%hosts != host {
						t.Errorf("line %d is web%d's", one.line, host)
					}
				}
			})
		}
		asking.Wait()
	}
	ask(5)
	if found := read().about("web1.example.org", ""); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for host := range hosts {
		text = append(text, line(knownhosts.HashHostname(fmt.Sprintf("web%d", host)), ed25519Signer(t).PublicKey())...)
	}
	writeFile(t, file, string(text), 0o600)
	ask(6)
}

// BenchmarkHashedNames is what looking up 1,000 hosts costs among 5,000 lines with hashed names: in the order of a run,
// the same host for the algorithms to ask for, and for the key that is shown.
func BenchmarkHashedNames(b *testing.B) {
	file := hashedHosts(b, 1000)
	for b.Loop() {
		known := new(knownFiles).read([]string{file}, func(string) {})
		for host := range 1000 {
			keys := hostKeys{settings: settings{host: fmt.Sprintf("web%d", host), port: 22}, known: known}
			keys.algorithms()
			if _, err := keys.judge(known[0].lines[host].key); err != nil {
				b.Fatal(err)
			}
		}
	}
}
