package acceptance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	pairContent = "/srv/page/files"
	copyWithin  = 4 * time.Second // two of failover.content_every
)

// writes lets a host's own web server write a file, with the host's name in it.
func (p pair) writes(t *testing.T, on int, name string) {
	t.Helper()
	p.asOwner(t, on, fmt.Sprintf("echo %s >%s/%s", p.hosts[on].Name, pairContent, name))
}

func (p pair) asOwner(t *testing.T, on int, script string) {
	t.Helper()
	p.hosts[on].feed(t, "setpriv --reuid www-data --regid www-data --clear-groups sh -e", script)
}

// content is a file of a host's, "" where it is not there.
func (p pair) content(t *testing.T, on int, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.hosts[on].Root(), pairContent, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// has sees that a host has now what the one that writes wrote, or that itself did.
func (p pair) has(t *testing.T, on int, name string) {
	t.Helper()
	if p.content(t, on, name) == "" {
		t.Errorf("%s has not %s", p.hosts[on].Name, name)
	}
}

// contentFollows sees that what is written and removed where the address is, comes to the other host
// within the interval; and that what is written on the other is gone within it, and comes nowhere.
func (p pair) contentFollows(t *testing.T, from int) {
	t.Helper()
	other := 1 - from
	p.writes(t, from, "stays") // of an empty directory nothing is copied
	p.asOwner(t, from, "cd "+pairContent+"\nmkdir -p a/b\necho x >a/b/one\nln -sfn /etc/shadow link")
	p.writes(t, other, "stray")
	began := time.Now()
	eventually(t, "what is written on "+p.hosts[from].Name+" is on the other host", copyWithin, func() bool {
		return p.content(t, other, "a/b/one") == "x" && p.content(t, other, "stray") == ""
	})
	t.Logf("what was written on %s was on the other host after %s", p.hosts[from].Name, time.Since(began).Round(10*time.Millisecond))
	if to, err := os.Readlink(filepath.Join(p.hosts[other].Root(), pairContent, "link")); to != "/etc/shadow" {
		t.Errorf("a link came as %q: %v", to, err)
	}
	if p.content(t, from, "stray") != "" {
		t.Error("what was written on the other host came to the one that has the address")
	}
	p.asOwner(t, from, "rm -r "+pairContent+"/a "+pairContent+"/link")
	began = time.Now()
	eventually(t, "what is removed on "+p.hosts[from].Name+" is gone on the other host", copyWithin, func() bool { return p.content(t, other, "a/b/one") == "" })
	t.Logf("what was removed on %s was gone on the other host after %s", p.hosts[from].Name, time.Since(began).Round(10*time.Millisecond))
}

// emptinessIsNotCopied sees that a disk that is not mounted takes nothing from the other host, and that
// the other host says why.
func (p pair) emptinessIsNotCopied(t *testing.T, from int) {
	t.Helper()
	p.asOwner(t, from, "find "+pairContent+" -mindepth 1 -delete")
	p.writes(t, from, "kept")
	eventually(t, "a file is copied", copyWithin, func() bool { return p.content(t, 1-from, "kept") != "" })
	p.asOwner(t, from, "rm "+pairContent+"/kept")
	eventually(t, "the other host says that nothing is there", copyWithin, func() bool {
		return strings.Contains(p.hosts[1-from].run(t, "journalctl -q -o cat -n 3 -u provision-failover-copy"), "is empty")
	})
	p.has(t, 1-from, "kept")
	p.writes(t, from, "kept")
}

// oneOfBothIsLeft sees that a file that both hosts wrote apart from each other is, when they are one
// again, that of the one with the address, and that the other's is kept.
func (p pair) oneOfBothIsLeft(t *testing.T, on int, name string) {
	t.Helper()
	eventually(t, "both have what was written where the address is", copyWithin, func() bool { return p.content(t, 1-on, name) == p.hosts[on].Name })
	if is := p.content(t, on, name); is != p.hosts[on].Name {
		t.Errorf("%s, which has the address, has what %s wrote", p.hosts[on].Name, is)
	}
	kept := strings.TrimSpace(p.hosts[1-on].run(t, "cat /var/lib/provision-failover/kept/*/"+name))
	if kept != p.hosts[1-on].Name {
		t.Errorf("of what was replaced, %q is kept", kept)
	}
}
