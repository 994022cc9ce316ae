package acceptance

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/report"
	want "provision/internal/resource"
	"provision/internal/run"
)

// The destination's file system is full, for a file and for an upload: it is named, and the
// old file is whole.
func TestFault04DiskFull(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf04")
	f.run(t, "mkdir /etc/small && mount -t tmpfs -o size=64k tmpfs /etc/small && echo old >/etc/small/file && chmod 600 /etc/small/file")
	full := f.install(t, change{}, want.File{Path: "/etc/small/file", Content: strings.Repeat("0123456789abcde\n", 32<<10)}).is(t, engine.StatusFailed)
	full.says(t, "the file system at /etc/small is full")
	for _, user := range []string{"root", "operator"} { // over SFTP, and through sudo and cat
		f.target.Address.User = user
		f.install(t, change{}, artifactOf(t, "/etc/small/file", randomContent(512<<10))).is(t, engine.StatusFailed).says(t, "the file system at /etc/small is full")
		if got := f.run(t, "cat /etc/small/file; stat -c %a /etc/small/file; ls -A /etc/small"); got != "old\n600\nfile\n" {
			t.Errorf("as %s: what is there: %q", user, got)
		}
	}
	f.clean(t)
}

// artifactOf is a release's file with that content.
func artifactOf(t *testing.T, path string, content []byte) want.Artifact {
	t.Helper()
	source := filepath.Join(t.TempDir(), "artifact")
	if err := os.WriteFile(source, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return want.Artifact{Path: path, Artifact: recipe.Artifact{Source: source, Size: int64(len(content)), SHA256: recipe.Digest(content)}}
}

func randomContent(size int) []byte {
	content := make([]byte, size)
	rand.Read(content) // never fails (crypto/rand, since Go 1.24)
	return content
}

// The host's clock is set back between two runs: the second is the later one all the same,
// and is what a rollback takes back.
func TestFault26ClockSetBack(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf26")
	file := func(content string) want.File { return want.File{Path: "/etc/clock.conf", Content: content} }
	f.install(t, change{}, file("1\n")).is(t, engine.StatusChanged)
	// The lab's hosts share a clock; what a run sees of it is date(1), and the times of files.
	f.feed(t, "cat >/usr/sbin/date; chmod 755 /usr/sbin/date", "#!/bin/sh\nexec /bin/date -d '1999-01-01 00:00:00 UTC' \"$@\"\n")
	f.install(t, change{}, file("2\n")).is(t, engine.StatusChanged)
	f.run(t, "touch -d 1998-01-01 /var/lib/provision/runs/000002 /var/lib/provision/runs/000002/* /etc/clock.conf")
	if log := f.read(t, "/var/lib/provision/runs/000002/journal"); !strings.HasPrefix(log, "1999-01-01T") {
		t.Fatalf("the clock was not set back:\n%s", log)
	}
	back := f.runs(t, run.Rollback("fault"), change{}, func(*recipe.Recipe) {}).is(t, engine.StatusChanged)
	if diff := back.plan.Changes()[0].Change.Diff; diff == nil || string(diff.Before) != "2\n" || string(diff.After) != "1\n" {
		t.Errorf("the rollback shows %+v", diff)
	}
	if got := f.read(t, "/etc/clock.conf"); got != "1\n" {
		t.Errorf("rolled back to %q", got)
	}
	f.clean(t)
}

// What a step prints is not text: the bytes arrive as they are, a terminal and JSON get
// nothing that could steer them.
func TestFault27OutputThatIsNoText(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf27")
	o := f.install(t, change{}, once("print", `printf 'a\033]0;title\007b\033[2Jc\377\376d\r\n'; exit 3`)).is(t, engine.StatusFailed)
	const raw = "a\x1b]0;title\x07b\x1b[2Jc\xff\xfed"
	if !strings.Contains(o.printed(), raw) {
		t.Errorf("arrived as %q", o.printed())
	}
	var terminal, lines bytes.Buffer
	human := report.NewTerminal(&terminal, report.Options{Verbosity: 3})
	machine := report.NewJSON(&lines, nil, func(engine.Status) int { return 0 })
	for _, e := range o.events {
		human.Event(e)
		machine.Event(e)
	}
	for name, text := range map[string]string{"terminal": terminal.String(), "JSON": lines.String()} {
		if strings.ContainsAny(text, "\x1b\x07") || !utf8.ValidString(text) || !strings.Contains(text, "print") {
			t.Errorf("%s: %q", name, text)
		}
	}
	if kept := base64.StdEncoding.EncodeToString([]byte(raw)); !strings.Contains(lines.String(), `"raw":"`+kept+`"`) {
		t.Errorf("JSON has not kept the bytes:\n%s", lines.String())
	}
	f.clean(t)
}

// A step prints a gigabyte, half of it on each of its streams: all is read, little is kept.
func TestFault28MuchOutputOfAStep(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf28")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o := f.install(t, change{}, once("shout", "l=$(head -c 4000 /dev/zero | tr '\\0' x); (yes $l | head -c 500000000) & yes $l | head -c 500000000 >&2; wait"))
	o.is(t, engine.StatusChanged)
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 128<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
	t.Logf("1 GB in %s", o.elapsed.Round(time.Millisecond))
	f.clean(t)
}

// /tmp cannot be executed from, and root's shell has an umask of 077.
func TestFault33And34NoexecAndUmask(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf33")
	f.run(t, "mount -o remount,noexec /tmp; mount -t tmpfs -o noexec tmpfs /var/tmp; for f in .profile .bashrc; do { echo umask 077; cat /root/$f; } >/root/new; mv /root/new /root/$f; done")
	f.install(t, change{}, want.Directory{Path: "/etc/umask"}, want.File{Path: "/etc/umask/file", Content: "x\n"}, netbase,
		artifactOf(t, "/etc/umask/app", []byte("#!/bin/sh\n")), once("say", "umask >/etc/umask/umask")).is(t, engine.StatusChanged)
	if got := f.run(t, "stat -c '%a %n' /etc/umask /etc/umask/* /etc/services; cat /etc/umask/umask"); got != "755 /etc/umask\n755 /etc/umask/app\n644 /etc/umask/file\n644 /etc/umask/umask\n644 /etc/services\n0022\n" {
		t.Errorf("modes:\n%s", got)
	}
	f.clean(t)
}

// The root is mounted read-only, with a /var of its own or without: one error, and no change
// before it.
func TestFault35ReadOnlyRoot(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf35")
	f.run(t, "mount -t tmpfs tmpfs /srv")
	for _, frozen := range []string{"/etc /usr", "/var"} {
		f.run(t, "for d in "+frozen+"; do mount --bind $d $d && mount -o remount,bind,ro $d || exit; done")
		o := f.install(t, change{}, want.File{Path: "/srv/first", Content: "x\n"}, want.File{Path: "/etc/second", Content: "x\n"}).is(t, engine.StatusFailed)
		o.says(t, "Read-only file system")
		if strings.Count(o.Err.Error(), "Read-only") != 1 {
			t.Errorf("said more than once: %v", o.Err)
		}
		if got := f.run(t, "ls -A /srv /var/lib/provision/runs 2>/dev/null || :"); got != "" && got != "/srv:\n" {
			t.Errorf("with %s read-only: changed all the same: %q", frozen, got)
		}
	}
}

// A link where a file is to be is refused before any change, never followed.
func TestFault38LinkAtTheDestination(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf38")
	f.run(t, "echo precious >/etc/precious && ln -s precious /etc/link")
	o := f.install(t, change{}, want.File{Path: "/etc/first", Content: "x\n"}, want.File{Path: "/etc/link", Content: "new\n"}).is(t, engine.StatusFailed)
	o.says(t, "/etc/link: is a link to precious, not a file: remove it, or manage its target")
	if got := f.run(t, "cat /etc/precious; readlink /etc/link; ls /etc/first /var/lib/provision 2>&1 | grep -c 'No such'"); got != "precious\nprecious\n2\n" {
		t.Errorf("what is there:\n%s", got)
	}
}
