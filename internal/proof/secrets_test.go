package proof

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// A secret is found in a process's arguments, in what systemd tells of a unit, and in a file that every account can
// read; what only its own reader can read is none.
func TestSecrets(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{"/etc/made": "made-on-the-host\n", "/etc/open": "token=correct-horse\n", "/etc/kept": "token=correct-horse\n", "/etc/plain": "none\n"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := proving(resource.File{Path: "/etc/open"}, resource.File{Path: "/etc/kept"}, resource.Secret{Path: "/etc/made"}, resource.File{Path: "/usr/local/bin/shop"}, resource.File{Path: "/etc/systemd/system/shop.service"})
	p.Task.Secrets = []string{"correct-horse", ""}
	p.bare = State{{"file", "/etc"}: "drwxr-xr-x 0:0"}
	p.installed = State{
		{"file", "/etc"}: "drwxr-xr-x 0:0", {"file", "/etc/open"}: "-rw-r--r-- 0:0 1 x", {"file", "/etc/plain"}: "-rw-r--r-- 0:0 1 x",
		{"file", "/etc/kept"}: "-rw-r----- 0:0 1 x", {"file", "/etc/made"}: "-rw------- 0:0 1 x",
	}
	p.Host = &stage{paper: paper{root: root}, said: "/sbin/init \n/bin/sh /usr/local/bin/shop made-on-the-host \n\nExecStart=/usr/sbin/sshd\nId=ssh.service\n\nExecStart={ argv[]=/bin/shop --token correct-horse }\nId=shop.service\n"}
	if err := p.secrets(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"shop.star:4: a secret is in the arguments of a process, which every account can read: /bin/sh /usr/local/bin/shop [secret]",
		"shop.star:5: a secret is in the unit shop.service, which systemctl show tells every account",
		"shop.star:1: every account can read /etc/open, and a secret is in it",
	}
	if got := texts(p.Faults); !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What a removal leaves and the task does not call data is told by its maker.
func TestLeaves(t *testing.T) {
	p := proving(resource.Command{Name: "x", Script: "date >/etc/left"}, resource.File{Path: "/etc/shop.conf"})
	p.leaves([]Difference{{Thing{"file", "/etc/left"}, "", "-"}, {Thing{"file", "/etc/shop.conf"}, "- old", ""}, {Thing{"user", "shop"}, "", "x:1"}}, "remove")
	want := []Fault{
		{At: recipe.Position{File: "shop.star", Line: 1}, Text: "remove leaves the host another: new file /etc/left: -", Hint: p.Faults[0].Hint},
		{At: recipe.Position{File: "shop.star", Line: 2}, Text: "remove leaves the host another: no longer file /etc/shop.conf: was - old"},
		{Text: "remove leaves the host another: new user shop: x:1"},
	}
	if !slices.Equal(p.Faults, want) || p.Faults[0].Hint == "" {
		t.Errorf("found %+v, want %+v", p.Faults, want)
	}
}
