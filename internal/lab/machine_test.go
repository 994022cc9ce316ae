package lab

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// able is a machine that lacks nothing.
func able() machine {
	return machine{
		system: "linux", root: true, debian: true, codename: "bookworm", overlay: true,
		programs: map[string]bool{"debootstrap": true, "systemd-nspawn": true, "ip": true, "nft": true, "apt-get": true},
		archives: archives{main: "http://mirror.example/debian"},
	}
}

func TestObstacles(t *testing.T) {
	tests := map[string]struct {
		change   func(*machine)
		want     []string // what the reasons say, in order
		packages []string
	}{
		"nothing missing":   {change: func(*machine) {}},
		"not Linux":         {change: func(m *machine) { m.system, m.root = "darwin", false }, want: []string{"needs Linux, this is darwin"}},
		"not root":          {change: func(m *machine) { m.root = false }, want: []string{"needs root"}},
		"no overlayfs":      {change: func(m *machine) { m.overlay = false }, want: []string{"needs overlayfs"}},
		"no mirror":         {change: func(m *machine) { m.archives = archives{} }, want: []string{"knows no Debian mirror"}},
		"package to be had": {change: func(m *machine) { m.programs["nft"] = false }, packages: []string{"nftables"}},
		"no apt": {
			change: func(m *machine) {
				m.debian, m.programs["apt-get"], m.programs["systemd-nspawn"], m.programs["debootstrap"] = false, false, false, false
			},
			want:     []string{"needs debootstrap, systemd-container, which can be installed for you only on Debian"},
			packages: []string{"debootstrap", "systemd-container"},
		},
		"several": {
			change: func(m *machine) { m.root, m.overlay = false, false },
			want:   []string{"needs root", "needs overlayfs"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := able()
			m.programs = maps.Clone(m.programs)
			test.change(&m)
			reasons := m.obstacles()
			if len(reasons) != len(test.want) {
				t.Fatalf("obstacles = %q, want %q", reasons, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(reasons[i], want) {
					t.Errorf("obstacle %q does not say %q", reasons[i], want)
				}
			}
			if got := m.packages(); !slices.Equal(got, test.packages) {
				t.Errorf("packages = %q, want %q", got, test.packages)
			}
		})
	}
}

// An image that was never booted has no machine-id, and without one nspawn makes no network card.
func TestMachineIDOfAnImage(t *testing.T) {
	const whole = "0123456789abcdef0123456789abcdef\n"
	path := filepath.Join(t.TempDir(), "machine-id")
	after := func() string {
		t.Helper()
		if err := ensureMachineID(path); err != nil {
			t.Fatal(err)
		}
		made, err := os.ReadFile(path)
		if err != nil || !regexp.MustCompile("^[0-9a-f]{32}\n$").Match(made) {
			t.Errorf("it is %q, %v", made, err)
		}
		return string(made)
	}
	after() // there is none
	for _, before := range []string{"", "uninitialized\n", whole} {
		if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		if made := after(); (made == before) != (before == whole) {
			t.Errorf("%q becomes %q", before, made)
		}
	}
}
