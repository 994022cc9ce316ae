package script_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/internal/script"
)

// ask puts probes to this machine, through dash.
func ask(t *testing.T, probes ...recipe.Probe) recipe.Answer {
	t.Helper()
	answer, err := script.ParseAnswer(probes, output(t, probes...))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func output(t *testing.T, probes ...recipe.Probe) []byte {
	t.Helper()
	return run(t, script.Probe(probes))
}

func run(t *testing.T, text string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh")
	cmd.Stdin = strings.NewReader(text)
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		t.Fatal("the probe hangs")
	}
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return out
}

func path(name string) recipe.Probe { return recipe.Probe{Key: recipe.PathKey(name), Digest: true} }

func content(name string) recipe.Probe { return recipe.Probe{Key: recipe.ContentKey(name)} }

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

// owner is who a file of this test belongs to.
func owner(t *testing.T) (string, string) {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return me.Username, group.Name
}

var nasty = []string{
	"plain", "two words", "it's", `"quoted"`, "new\nline", "\n", "-n", "--", "*", "?", "[a]", "$(id)", "`id`", `back\slash`, `\0`,
	"\xff\xfe", "ends in newline\n", "%p", "#", "~", "(", "!", "\x01end\x01", "ü",
}

func TestProbeOfNastyNames(t *testing.T) {
	dir := t.TempDir()
	name, group := owner(t)
	var probes []recipe.Probe
	for _, base := range nasty {
		file := filepath.Join(dir, base)
		write(t, file, "content of "+base)
		probes = append(probes, path(file), content(file), path(file+" none"), content(file+" none"))
	}
	answer := ask(t, probes...)
	if len(answer.Facts) != len(probes) {
		t.Errorf("%d facts of %d probes", len(answer.Facts), len(probes))
	}
	for _, base := range nasty {
		file, text := filepath.Join(dir, base), []byte("content of "+base)
		want := recipe.Path{Type: recipe.PathFile, Mode: 0o640, Owner: name, Group: group, SHA256: recipe.Digest(text)}
		if got := answer.Facts.Path(file); got != want {
			t.Errorf("%q: %+v, want %+v", base, got, want)
		}
		if got := answer.Facts.Content(file); !bytes.Equal(got.Bytes, text) {
			t.Errorf("%q: content %q", base, got.Bytes)
		}
		if got := answer.Facts.Path(file + " none"); got != (recipe.Path{}) {
			t.Errorf("%q none: %+v", base, got)
		}
		if answer.Facts.Content(file+" none").Bytes != nil {
			t.Errorf("%q none has content", base)
		}
	}
}

func TestProbeOfEachTypeOfPath(t *testing.T) {
	dir := t.TempDir()
	name, group := owner(t)
	write(t, dir+"/file", "text")
	must(t, os.Mkdir(dir+"/directory", 0o755))
	must(t, os.Chmod(dir+"/directory", 0o755|os.ModeSetgid))
	must(t, os.Symlink(dir+"/file", dir+"/link"))
	must(t, os.Symlink("no\nwhere", dir+"/broken"))
	must(t, os.Symlink(dir+"/directory", dir+"/to directory"))
	must(t, os.Symlink("\x01units\x01", dir+"/evil"))
	must(t, syscall.Mkfifo(dir+"/fifo", 0o600))
	must(t, os.Chmod(dir+"/fifo", 0o600))
	for base, want := range map[string]recipe.Path{
		"file":         {Type: recipe.PathFile, Mode: 0o640, SHA256: recipe.Digest([]byte("text"))},
		"directory":    {Type: recipe.PathDirectory, Mode: 0o2755},
		"link":         {Type: recipe.PathLink, Mode: 0o777, Target: dir + "/file"},
		"broken":       {Type: recipe.PathLink, Mode: 0o777, Target: "no\nwhere"},
		"to directory": {Type: recipe.PathLink, Mode: 0o777, Target: dir + "/directory"},
		"evil":         {Type: recipe.PathLink, Mode: 0o777, Target: "\x01units\x01"},
		"fifo":         {Type: recipe.PathOther, Mode: 0o600},
	} {
		want.Owner, want.Group = name, group
		file := filepath.Join(dir, base)
		unfilled := path(file)
		unfilled.Unfill = map[string]string{"{{X}}": dir + "/file"}
		for _, probe := range []recipe.Probe{path(file), {Key: recipe.PathKey(file)}, unfilled} {
			answer := ask(t, probe, content(file))
			got, wanted := answer.Facts.Path(file), want
			switch {
			case len(probe.Unfill) > 0 && want.Type == recipe.PathFile:
				wanted.SHA256 = recipe.Digest([]byte("{{X}}\n"))
			case !probe.Digest:
				wanted.SHA256 = ""
			}
			if got != wanted {
				t.Errorf("%s: %+v, want %+v", base, got, wanted)
			}
			if has := answer.Facts.Content(file).Bytes != nil; has != (want.Type == recipe.PathFile) {
				t.Errorf("%s: has content: %v", base, has)
			}
		}
	}
}

func TestProbeOfATree(t *testing.T) {
	root := t.TempDir()
	must(t, os.Symlink("/proc", root+"/link"))
	write(t, root+"/file", "")
	trees := []recipe.Probe{}
	for _, name := range []string{"/proc", root, root + "/link", root + "/file", root + "/none"} {
		trees = append(trees, recipe.Probe{Key: recipe.TreeKey(name)})
	}
	facts := ask(t, trees...).Facts
	if got := facts.Tree("/proc"); !slices.Contains(got.Mounts, "/proc") {
		t.Errorf("/proc: %+v", got)
	}
	for _, probe := range trees[1:] {
		if got := facts.Tree(probe.Key.Name); len(got.Mounts) != 0 || got.Kilobytes > 100 {
			t.Errorf("%s: %+v", probe.Key.Name, got)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestProbeOfTheHost(t *testing.T) {
	command := func(name, text string) recipe.Probe {
		return recipe.Probe{Key: recipe.CommandKey(name), Script: text}
	}
	answer := ask(t,
		recipe.Probe{Key: recipe.PackageKey("dpkg")}, recipe.Probe{Key: recipe.PackageKey("no-such-package")},
		recipe.Probe{Key: recipe.CandidateKey("dpkg")}, recipe.Probe{Key: recipe.CandidateKey("no-such-package")},
		recipe.Probe{Key: recipe.UserKey("root")}, recipe.Probe{Key: recipe.UserKey("no-such-user")},
		recipe.Probe{Key: recipe.GroupKey("root")}, recipe.Probe{Key: recipe.GroupKey("no-such-group")},
		recipe.Probe{Key: recipe.ListsKey()}, recipe.Probe{Key: recipe.PendingKey("no-such.service")},
		command("yes", "true"), command("no", "exit 3"), command("says", "echo out; echo err >&2; echo more"),
		command("reads", "cat; echo done"), command("leaves", "cd /tmp; IFS=x; set -e; false"), command("after", `pwd; printf '%s' "$IFS"; false; echo on`),
		command("broken", "if then"), command("much", "yes | head -c 100000"), command("evil", `printf '\001end\001'`),
	)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Skip("no os-release here")
	}
	if !strings.Contains(string(release), "ID="+answer.Distro) || answer.Platform.Hostname != host || answer.Platform.Arch != runtime.GOARCH {
		t.Errorf("platform %s %+v", answer.Distro, answer.Platform)
	}
	facts := answer.Facts
	if got := facts.Package("dpkg"); !got.Installed() || got.Version == "" {
		t.Errorf("dpkg: %+v", got)
	}
	// One that is installed is a candidate itself, also without any list.
	if facts.Candidate("dpkg").Version == "" || facts.Candidate("no-such-package").Version != "" {
		t.Errorf("candidates: %+v, %+v", facts.Candidate("dpkg"), facts.Candidate("no-such-package"))
	}
	if got := facts.Package("no-such-package"); got != (recipe.Package{}) {
		t.Errorf("no such package: %+v", got)
	}
	if got := facts.User("root"); !got.Exists || got.UID != 0 || got.Home != "/root" {
		t.Errorf("root: %+v", got)
	}
	if facts.User("no-such-user").Exists || facts.Group("no-such-group").Exists || !facts.Group("root").Exists {
		t.Error("users and groups are mixed up")
	}
	if facts.Pending("no-such.service").Action != "" {
		t.Error("pending out of nothing")
	}
	for name, want := range map[string]recipe.Command{
		"yes": {}, "no": {Exit: 3}, "says": {Output: "out\nmore"}, "reads": {Output: "done"},
		"leaves": {Exit: 1}, "after": {Output: "/\n \t\non"}, "evil": {Output: "\x01end\x01"},
		"much": {Output: strings.Repeat("y\n", 511) + "y"},
	} {
		if got := facts.Command(name); got != want {
			t.Errorf("command %s: %+v, want %+v", name, got, want)
		}
	}
	if got := facts.Command("broken"); got.Exit == 0 {
		t.Errorf("a guard that is no sh: %+v", got)
	}
}

// The digest of a filled file is that of its template, and only then.
func TestUnfilledDigest(t *testing.T) {
	dir := t.TempDir()
	secrets := []string{"simple", `a.*b`, `\`, `\\1`, `&`, `a&b\&c`, "[x]", "^$", "(a|b)+", `"q"`, "it's", "$1", "%s", "/", " ", "\t\\t", "ü\xff", "{{KEY"}
	template := "first {{KEY}}{{KEY}}\n\n{{KEY}} mid {{KEY}}\n\tlast=\\n & {{KEY}}\n"
	for _, secret := range secrets {
		file, key := filepath.Join(dir, "file"), filepath.Join(dir, `key\x`)
		write(t, key, secret)
		probe := recipe.Probe{Key: recipe.PathKey(file), Digest: true, Unfill: map[string]string{"{{KEY}}": key}}
		digest := func(text string) string {
			write(t, file, text)
			return ask(t, probe).Facts.Path(file).SHA256
		}
		want := recipe.Digest([]byte(template))
		filled := strings.ReplaceAll(template, "{{KEY}}", secret)
		if secret != "{{KEY" && secret != " " && secret != "&" && secret != `\` {
			if got := digest(filled); got != want {
				t.Errorf("secret %q: the filled file's digest is %s, want %s", secret, got, want)
			}
		}
		if got := digest(template); got != "unfilled" {
			t.Errorf("secret %q: a file that was not filled in has digest %s", secret, got)
		}
		if got := digest(strings.ReplaceAll(template, "{{KEY}}", "another")); got == want {
			t.Errorf("secret %q: a file with another secret passes", secret)
		}
		if got := digest(filled + "drift\n"); got == want {
			t.Errorf("secret %q: a changed file passes", secret)
		}
		must(t, os.Remove(key))
		if got := digest(filled); got == want {
			t.Errorf("secret %q: passes without the secret", secret)
		}
	}
}

func TestUnfilledDigestOfSeveralSecrets(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a", "AAAA\n")
	write(t, dir+"/b", "BBBB")
	write(t, dir+"/one", "x AAAA BBBB\n")
	write(t, dir+"/two", "y BBBB\n")
	probe := func(name string) recipe.Probe {
		return recipe.Probe{Key: recipe.PathKey(dir + name), Digest: true, Unfill: map[string]string{"@A@": dir + "/a", "@B@": dir + "/b"}}
	}
	facts := ask(t, probe("/one"), path(dir+"/a"), probe("/two")).Facts
	for name, want := range map[string]string{"/one": "x @A@ @B@\n", "/two": "y @B@\n", "/a": "AAAA\n"} {
		if got := facts.Path(dir + name).SHA256; got != recipe.Digest([]byte(want)) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestSecretIsInNoArgumentOfTheProbe(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/key", "s3cret-text")
	write(t, dir+"/file", "s3cret-text\n")
	text := script.Probe([]recipe.Probe{{Key: recipe.PathKey(dir + "/file"), Unfill: map[string]string{"{{K}}": dir + "/key"}}})
	if strings.Contains(text, "s3cret") || bytes.Contains(output(t, recipe.Probe{Key: recipe.PathKey(dir + "/file"), Unfill: map[string]string{"{{K}}": dir + "/key"}}), []byte("s3cret")) {
		t.Error("the secret left the host")
	}
}

func TestAnswerThatBreaksOff(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/file", "text")
	probes := []recipe.Probe{
		path(dir + "/file"), path(dir + "/none"), content(dir + "/file"), {Key: recipe.PackageKey("dpkg")}, {Key: recipe.UserKey("root")},
		{Key: recipe.GroupKey("root")}, {Key: recipe.ListsKey()}, {Key: recipe.CommandKey("c"), Script: "echo x"},
	}
	whole := output(t, probes...)
	want, err := script.ParseAnswer(probes, whole)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) - 1 {
		got, err := script.ParseAnswer(probes, whole[:n])
		if err == nil {
			t.Fatalf("%d of %d bytes are taken for an answer: %+v", n, len(whole), got)
		}
	}
	if _, err := script.ParseAnswer(probes, nil); !errors.Is(err, script.ErrTruncated) {
		t.Errorf("nothing: %v", err)
	}
	if got, err := script.ParseAnswer(probes, whole); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v", err)
	}
}

// Of a template only its file is there to be asked for; it does not spoil the others' answers.
func TestProbeOfTemplateUnits(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/systemctl", `#!/bin/sh
case "$*" in
*bar@.service*foo@.service*) echo "foo@.service enabled-runtime enabled" ;;
*" -- a.service") printf 'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n' ;;
*) echo "Failed to get properties: Unit name $* is neither a valid invocation ID nor unit name." >&2; exit 1 ;;
esac
`)
	if err := os.Chmod(dir+"/systemctl", 0o755); err != nil {
		t.Fatal(err)
	}
	probes := []recipe.Probe{{Key: recipe.UnitKey("foo@.service")}, {Key: recipe.UnitKey("a.service")}, {Key: recipe.UnitKey("bar@.service")}}
	text := strings.Replace(script.Probe(probes), "PATH=", "PATH="+dir+":", 1)
	out, err := exec.Command("/bin/sh", "-c", text).Output()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := script.ParseAnswer(probes, out)
	if err != nil {
		t.Fatal(err)
	}
	for unit, want := range map[string]recipe.Unit{
		"a.service":    {Load: "loaded", Active: "active", State: "enabled"},
		"foo@.service": {Load: "loaded", Active: "inactive", State: "enabled-runtime"},
		"bar@.service": {Load: "not-found", Active: "inactive"},
	} {
		if got := answer.Facts.Unit(unit); got != want {
			t.Errorf("%s: %+v, want %+v", unit, got, want)
		}
	}
}
