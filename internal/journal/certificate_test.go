package journal_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/resource"
)

// A pair that is good for its names, is made anew when it has to be, and whose key is root's.
func TestCertificate(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	wanted := resource.Certificate{
		Path: m.root + "/it's.pem", Key: m.root + "/a key", Group: "daemon",
		Names: []string{strings.Repeat("long.", 14) + "example.org", "*.example.org", "10.0.0.7", "fd00::a:0:1"},
	}
	read := func() *x509.Certificate {
		t.Helper()
		pair, err := tls.LoadX509KeyPair(wanted.Path, wanted.Key)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range wanted.Names {
			if err := certificate.VerifyHostname(strings.Replace(name, "*", "any", 1)); err != nil {
				t.Error(err)
			}
		}
		return certificate
	}
	c.becomes(t, wanted)
	first := read()
	if days := time.Until(first.NotAfter).Hours() / 24; days < 396 || days > 397 {
		t.Errorf("it is good for %.1f days", days)
	}
	if change := c.becomes(t, wanted); !change.Empty() {
		t.Errorf("a second time it wants %+v", change)
	}
	wanted.Names = append(wanted.Names, "other.example.org")
	c.becomes(t, wanted)
	if read().Equal(first) {
		t.Error("with another name it is the same")
	}
	for name, disturb := range map[string]func(){
		"no key":      func() { os.Remove(wanted.Key) },
		"another key": func() { m.write(t, wanted.Key, "x") },
		"soon over": func() {
			c.do(t, run("age", `openssl x509 -in "`+wanted.Path+`" -signkey "`+wanted.Key+`" -days 29 -out "`+wanted.Path+`.new" && mv "`+wanted.Path+`.new" "`+wanted.Path+`"`))
		},
	} {
		before := read()
		disturb()
		c.becomes(t, wanted)
		if read().Equal(before) {
			t.Errorf("%s: it is not made anew", name)
		}
	}
	os.Chmod(wanted.Key, 0o644)
	c.becomes(t, wanted)
	wanted.Absent = true
	c.becomes(t, wanted)
	c.finish(t)
	if names := m.left(t, m.root); len(names) > 0 {
		t.Errorf("there is %q", names)
	}
	if found := m.copiesOf(t, "-----BEGIN PRIVATE"); len(found) > 0 {
		t.Errorf("copies of the key are left: %q", found)
	}
	wanted.Absent, wanted.Path, wanted.Key = false, m.root+"/theirs/c", m.root+"/theirs/k"
	m.write(t, m.root+"/theirs/x", "")
	os.Chown(m.root+"/theirs", nobody, nobody)
	c = m.begin(t)
	change, err := wanted.Diff(c.ask(t, wanted.Probes()))
	if err != nil {
		t.Fatal(err)
	}
	if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, "others than root can write there") {
		t.Errorf("said %q", failed.Output)
	}
}
