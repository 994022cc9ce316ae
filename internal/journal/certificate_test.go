package journal_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
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
	current := func() *x509.Certificate {
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
	first := current()
	if days := time.Until(first.NotAfter).Hours() / 24; days < 396 || days > 397 {
		t.Errorf("it is good for %.1f days", days)
	}
	if change := c.becomes(t, wanted); !change.Empty() {
		t.Errorf("a second time it wants %+v", change)
	}
	wanted.Names = append(wanted.Names, "other.example.org")
	c.becomes(t, wanted)
	if current().Equal(first) {
		t.Error("with another name it is the same")
	}
	for name, disturb := range map[string]func(){
		"no key": func() { os.Remove(wanted.Key) },
		"soon over": func() {
			c.do(t, run("age", `openssl x509 -in "`+wanted.Path+`" -signkey "`+wanted.Key+`" -days 29 -out "`+wanted.Path+`.new" && mv "`+wanted.Path+`.new" "`+wanted.Path+`"`))
		},
	} {
		before := current()
		disturb()
		c.becomes(t, wanted)
		if current().Equal(before) {
			t.Errorf("%s: it is not made anew", name)
		}
	}
	theirsStay(t, c, wanted)
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

// A run that dies while it makes a pair leaves half of one, which the next run takes away.
func TestCertificateOfARunThatDied(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.blocked(t, "sync", "*/key*/certificate")
	wanted := resource.Certificate{Path: m.root + "/it's.pem", Key: m.root + "/a key", Names: []string{"example.org"}}
	c := m.begin(t)
	change, err := wanted.Diff(c.ask(t, wanted.Probes()))
	if err != nil {
		t.Fatal(err)
	}
	ended := c.background(t, change.Steps...)
	eventually(t, "blocked", func() bool { return exists(m.dir + "/blocked") })
	c.kill(t)
	<-ended
	for _, process := range []string{"/parent", "/blocked"} {
		endProcess(t, m.dir+process)
	}
	if len(m.left(t, m.root)) == 0 {
		t.Fatal("it died before it had made anything")
	}
	m.begin(t).finish(t)
	if names := m.left(t, m.root); len(names) > 0 {
		t.Errorf("there is %q", names)
	}
}

// theirsStay fails when a pair that was not made here, or half of one, is not refused.
func theirsStay(t *testing.T, c *client, wanted resource.Certificate) {
	t.Helper()
	ourCertificate, ourKey := read(t, wanted.Path), read(t, wanted.Key)
	dir := t.TempDir()
	made := exec.Command("sh", "-ec", `new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $new -subj /CN=authority -keyout authority.key -out authority
openssl req $new -subj /CN=x -keyout bought.key -out bought.request
openssl req -new -key "$0" -subj /CN=x -out ours.request
for name in bought ours; do openssl x509 -req -in $name.request -CA authority -CAkey authority.key -CAcreateserial -out $name; done`, wanted.Key)
	made.Dir = dir
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bought := func(name string) string { return read(t, dir+"/"+name) }
	for name, pair := range map[string][2]string{
		"a bought pair":                    {bought("bought"), bought("bought.key")},
		"one that vouches for itself":      {bought("authority"), bought("authority.key")},
		"a bought key, alone":              {"", bought("bought.key")},
		"a bought key beside our own":      {ourCertificate, bought("bought.key")},
		"a bought certificate, alone":      {bought("bought"), ""},
		"what is no key":                   {ourCertificate, "x"},
		"a certificate bought for our key": {bought("ours"), ourKey},
	} {
		for i, path := range []string{wanted.Path, wanted.Key} {
			os.Remove(path)
			if pair[i] != "" {
				put(t, path, pair[i])
			}
		}
		if change, err := wanted.Diff(c.ask(t, wanted.Probes())); err == nil {
			t.Errorf("%s: is not refused: %+v", name, change)
		}
		gone := wanted
		gone.Absent = true
		if change, err := gone.Diff(c.ask(t, gone.Probes())); err == nil {
			t.Errorf("%s: goes: %+v", name, change)
		}
	}
	// What comes between the plan and its step is not overwritten either.
	os.Remove(wanted.Path)
	os.Remove(wanted.Key)
	change, err := wanted.Diff(c.ask(t, wanted.Probes()))
	if err != nil {
		t.Fatal(err)
	}
	put(t, wanted.Key, bought("bought.key"))
	if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, "was not made here") || read(t, wanted.Key) != bought("bought.key") {
		t.Errorf("said %q", failed.Output)
	}
	put(t, wanted.Path, ourCertificate)
	put(t, wanted.Key, ourKey)
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
