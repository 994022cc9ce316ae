package script_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/internal/script"
)

// answered joins fields as a host does.
func answered(fields ...string) []byte {
	return []byte(strings.Join(append(append([]string{"\x01host\x01", "debian", "12", "bookworm", "amd64", "web1", "0-3,6", "2015084"}, fields...), "\x01end\x01", ""), "\x00"))
}

// everything asks one question of each kind.
var everything = []recipe.Probe{
	{Key: recipe.PathKey("/a"), Digest: true}, {Key: recipe.ContentKey("/a")}, {Key: recipe.TreeKey("/a")}, {Key: recipe.FilesKey("/a")}, {Key: recipe.PackageKey("p")}, {Key: recipe.CandidateKey("p")}, {Key: recipe.RemovalKey("p")}, {Key: recipe.ListsKey()},
	{Key: recipe.UnitKey("u.service")}, {Key: recipe.UnitKey("v.timer")}, {Key: recipe.UserKey("u"), Digest: true}, {Key: recipe.UserKey("v")}, {Key: recipe.GroupKey("g")},
	{Key: recipe.CommandKey("c"), Script: "true"}, {Key: recipe.PendingKey("u.service")},
}

func TestParseAnswer(t *testing.T) {
	answer, err := script.ParseAnswer(everything, answered(
		"\x01paths\x01", "/a", "f", "4755", "root", "adm", "",
		"\x01trees\x01", "/a", "/a/b\n/a/c\\040d", "17",
		"\x01digests\x01", "abc  /a",
		"\x01packages\x01", "p\tamd64\tii \t1.2-3\np\ti386\trc \t1.1\nq\tall\trc \t1\nr\ti386\tii \t1\ns\t\tun \t\n",
		"\x01candidates\x01", "p\t1:2~3\n",
		"\x01removals\x01", "p\tp along +comes other \nq\tq \n",
		"\x01lists\x01", "1000", "4600",
		"\x01units\x01", "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=yes\n\nNeedDaemonReload=no\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n",
		"\x01users\x01", "u:x:999:998:The U, of x:/home/u:/bin/sh\nv:x:1000:7::/:/bin/sh", "g:x:998:a,b\n",
		"\x01passwords\x01", "u", "abc  -",
		"\x01groups\x01", "g:x:998:a,b\n",
		"\x01commands\x01", "c", "7", "out\nput",
		"\x01contents\x01", "/a", "4755 root adm", "", "dGV4dAA=", "/long", "644 root root", "1048577", "",
		"\x01pending\x01", "u.service", "restart",
	))
	if err != nil {
		t.Fatal(err)
	}
	if want := (recipe.Platform{System: recipe.System{Release: 12, Codename: "bookworm", Arch: "amd64"}, Hostname: "web1", CPUs: 5, MemoryMB: 1967}); answer.Platform != want || answer.Distro != "debian" {
		t.Errorf("platform %s %+v", answer.Distro, answer.Platform)
	}
	if answer.System != "debian 12" {
		t.Errorf("system %q", answer.System)
	}
	facts := answer.Facts
	if got, want := facts.Path("/a"), (recipe.Path{Type: recipe.PathFile, Mode: 0o4755, Owner: "root", Group: "adm", SHA256: "abc"}); got != want {
		t.Errorf("path %+v", got)
	}
	if got := facts.Tree("/a"); !slices.Equal(got.Mounts, []string{"/a/b", `/a/c\040d`}) || got.Kilobytes != 17 {
		t.Errorf("tree %+v", got)
	}
	if got := facts.Package("p"); got != (recipe.Package{Status: "ii", Version: "1.2-3"}) {
		t.Errorf("package %+v", got)
	}
	if got := facts.Candidate("p"); got.Version != "1:2~3" {
		t.Errorf("candidate %+v", got)
	}
	if got := facts.Removal("p"); !slices.Equal(got.Along, []string{"along", "other"}) || !slices.Equal(got.Comes, []string{"comes"}) {
		t.Errorf("removal %+v", got)
	}
	if got := facts.Lists(); got != (recipe.Lists{Known: true, Age: time.Hour}) {
		t.Errorf("lists %+v", got)
	}
	if got := facts.Unit("u.service"); got != (recipe.Unit{Load: "loaded", Active: "active", State: "enabled", NeedReload: true}) {
		t.Errorf("unit %+v", got)
	}
	if got := facts.Unit("v.timer"); got != (recipe.Unit{Load: "not-found", Active: "inactive"}) {
		t.Errorf("unit %+v", got)
	}
	if got := facts.User("u"); got != (recipe.User{Exists: true, UID: 999, Group: "g", Home: "/home/u", Shell: "/bin/sh", Comment: "The U, of x", Password: "abc"}) {
		t.Errorf("user %+v", got)
	}
	if got := facts.User("v"); got.Group != "7" || got.Password != "" {
		t.Errorf("user of a group without a name %+v", got)
	}
	if got := facts.Group("g"); got.GID != 998 || len(got.Members) != 2 || !got.Exists {
		t.Errorf("group %+v", got)
	}
	if got := facts.Command("c"); got != (recipe.Command{Exit: 7, Output: "out\nput"}) {
		t.Errorf("command %+v", got)
	}
	if got := facts.Content("/a"); string(got.Bytes) != "text\x00" || got.Size != 0 {
		t.Errorf("content %+v", got)
	}
	if got := facts.Content("/long"); len(got.Bytes) > 0 || got.Size != 1<<20+1 {
		t.Errorf("content %+v", got)
	}
	if got := facts.Pending("u.service"); got.Action != recipe.Restart {
		t.Errorf("pending %+v", got)
	}
}

func TestWhatIsNotMentionedIsNotThere(t *testing.T) {
	answer, err := script.ParseAnswer(everything, answered())
	if err != nil {
		t.Fatal(err)
	}
	for _, probe := range everything {
		fact, ok := answer.Facts[probe.Key]
		if !ok || fact.Value == nil || fact.Until != "" {
			t.Errorf("%s: %+v", probe.Key, fact)
		}
	}
	if answer.Facts.Command("c").Exit == 0 {
		t.Error("a guard that was not asked says that nothing is to be done")
	}
}

func TestParseAnswerRefuses(t *testing.T) {
	for name, fields := range map[string][]string{
		"a mode":         {"\x01paths\x01", "/a", "f", "rwx", "root", "root", ""},
		"a path cut off": {"\x01paths\x01", "/a", "f", "644", "root", "root"},
		"a tree":         {"\x01trees\x01", "/a", "", ""},
		"a digest":       {"\x01digests\x01", "abc"},
		"a package":      {"\x01packages\x01", "p ii"},
		"lists":          {"\x01lists\x01", "x", "1"},
		"no systemd":     {"\x01units\x01", "sh: 12: systemctl: not found\n"},
		"one unit of 2":  {"\x01units\x01", "LoadState=loaded\nActiveState=active\n"},
		"a user":         {"\x01users\x01", "u:x:999\n", ""},
		"a group":        {"\x01groups\x01", "g:x:y:\n"},
		"a command":      {"\x01commands\x01", "c", "x", "y"},
		"content":        {"\x01contents\x01", "/a", "644 root root", "", "%%%"},
		"pending":        {"\x01pending\x01", "u"},
		"a stranger":     {"\x01news\x01", "x"},
	} {
		if answer, err := script.ParseAnswer(everything, answered(fields...)); err == nil {
			t.Errorf("%s: %+v", name, answer)
		}
	}
}

// Whatever a host says, the parser returns: an error, or a fact for each probe.
func FuzzParseAnswer(f *testing.F) {
	f.Add(answered())
	f.Add(answered("\x01paths\x01", "/a", "l", "777", "root", "root", "\x01end\x01"))
	f.Add(answered("\x01units\x01", "LoadState=loaded\n\nLoadState=loaded\n", "\x01users\x01", "\n"))
	f.Add(answered("\x01lists\x01", "9223372036854775807", "-9223372036854775808"))
	f.Add([]byte("\x01end\x01"))
	f.Add([]byte("\x01commands\x01\x00c\x00"))
	f.Fuzz(func(t *testing.T, output []byte) {
		answer, err := script.ParseAnswer(everything, output)
		if err != nil {
			return
		}
		for _, probe := range everything {
			if fact, ok := answer.Facts[probe.Key]; !ok || fact.Value == nil || fact.Until != "" {
				t.Errorf("%s: %+v", probe.Key, fact)
			}
		}
	})
}
