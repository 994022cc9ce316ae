package lab

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func testLab(t *testing.T) *Lab {
	t.Helper()
	l, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOpenChecksConfig(t *testing.T) {
	tests := map[string]struct {
		config Config
		want   string // of the error; empty = none
	}{
		"defaults":       {},
		"relative":       {Config{Dir: "lab"}, "absolute path"},
		"IPv6":           {Config{Network: netip.MustParsePrefix("fd00::/64")}, "must be IPv4"},
		"no room":        {Config{Network: netip.MustParsePrefix("198.18.0.0/31")}, "room for hosts"},
		"bridge":         {Config{Bridge: "br/0"}, `lab bridge "br/0"`},
		"bridge is long": {Config{Bridge: "abcdefghijklmnop"}, "1 to 15"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Open(test.config)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("Open = %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("Open = %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestCheckWanted(t *testing.T) {
	tests := []struct {
		names []string
		suite string
		ok    bool
	}{
		{[]string{"lab1", "lab12", "lab-ab", "labtest90"}, "", true},
		{Names(3), "trixie", true},
		{[]string{"lab"}, "", false},
		{[]string{"web1"}, "", false},
		{[]string{"lab1", "lab1"}, "", false},
		{[]string{"lab1234567890"}, "", false}, // vb-NAME would not fit into an interface's name
		{[]string{"lab../x"}, "", false},
		{[]string{"lab1-"}, "", false},
		{[]string{"lab1\n"}, "", false},
		{[]string{"lab1"}, "buster", false},
	}
	for _, test := range tests {
		if err := checkWanted(test.names, test.suite); (err == nil) != test.ok {
			t.Errorf("checkWanted(%q, %q) = %v, want ok = %v", test.names, test.suite, err, test.ok)
		}
	}
}

func TestFreeAddress(t *testing.T) {
	address := netip.MustParseAddr
	tests := map[string]struct {
		network string
		taken   []string
		want    string // empty = none is free
	}{
		"the first is the bridge's": {"198.18.0.0/24", nil, "198.18.0.2"},
		"the next":                  {"198.18.0.0/24", []string{"198.18.0.2"}, "198.18.0.3"},
		"a gap":                     {"198.18.0.0/24", []string{"198.18.0.2", "198.18.0.4"}, "198.18.0.3"},
		"another network's":         {"198.19.7.0/24", []string{"198.18.0.2"}, "198.19.7.2"},
		"full, as .7 is broadcast":  {"198.18.0.0/29", []string{"198.18.0.2", "198.18.0.3", "198.18.0.4", "198.18.0.5", "198.18.0.6"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var hosts []Host
			for _, taken := range test.taken {
				hosts = append(hosts, Host{Address: address(taken)})
			}
			got, err := freeAddress(netip.MustParsePrefix(test.network), hosts)
			if test.want == "" {
				if err == nil {
					t.Errorf("freeAddress = %s, want an error", got)
				}
				return
			}
			if err != nil || got != address(test.want) {
				t.Errorf("freeAddress = %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestHostsOfNoLab(t *testing.T) {
	l := testLab(t)
	hosts, err := l.Hosts()
	if err != nil || len(hosts) != 0 {
		t.Errorf("Hosts = %v, %v, want none", hosts, err)
	}
	if entries, err := os.ReadDir(l.config.Dir); err != nil || len(entries) != 0 {
		t.Errorf("Hosts has written %v, %v", entries, err)
	}
}

// TestDefine needs neither root nor a base: a host is a few files.
func TestDefine(t *testing.T) {
	l := testLab(t)
	made, err := l.define([]string{"lab10", "lab2"}, "trixie")
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.define([]string{"lab2", "lab3"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if again[0].Address != made[1].Address || again[0].Suite != "trixie" {
		t.Errorf("lab2 became %+v, was %+v", again[0], made[1])
	}
	if again[1].Suite != DefaultSuite {
		t.Errorf("lab3 has suite %s, want %s", again[1].Suite, DefaultSuite)
	}
	if _, err := l.define([]string{"lab2"}, "bookworm"); err == nil || !strings.Contains(err.Error(), "provision lab fresh lab2") {
		t.Errorf("define with another suite = %v, want an error that names fresh", err)
	}
	hosts, err := l.Hosts()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, host := range hosts {
		names = append(names, host.Name)
		if host.Running {
			t.Errorf("%s is said to run", host.Name)
		}
	}
	if want := []string{"lab2", "lab3", "lab10"}; !slices.Equal(names, want) {
		t.Errorf("hosts are %v, want %v", names, want)
	}
	known, err := os.ReadFile(l.KnownHosts())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range hosts {
		if !strings.Contains(string(known), host.Name+","+host.Address.String()+" ssh-ed25519 ") {
			t.Errorf("known_hosts has no key of %s:\n%s", host.Name, known)
		}
	}
	if info, err := os.Stat(l.Identity()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("identity: %v, %v, want mode 0600", info.Mode(), err)
	}
}

func TestAnotherProcessWithThePidIsNotTheHost(t *testing.T) {
	l := testLab(t)
	hosts, err := l.define([]string{"lab1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	pid := []byte(strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(filepath.Join(hosts[0].dir, "pid"), pid, 0o644); err != nil {
		t.Fatal(err)
	}
	host, err := l.Host("lab1")
	if err != nil {
		t.Fatal(err)
	}
	if host.Running {
		t.Error("a host runs whose pid has gone to another process")
	}
}

func TestMergeSeed(t *testing.T) {
	tests := map[string]struct {
		have     seedState
		packages []string
		want     []string
		done     bool
	}{
		"first":           {seedState{}, []string{"nginx", "curl"}, []string{"curl", "nginx"}, false},
		"there":           {seedState{[]string{"curl", "nginx"}, true}, []string{"nginx"}, []string{"curl", "nginx"}, true},
		"there and old":   {seedState{[]string{"curl", "nginx"}, false}, []string{"nginx"}, []string{"curl", "nginx"}, false},
		"one more":        {seedState{[]string{"curl"}, true}, []string{"nginx"}, []string{"curl", "nginx"}, false},
		"only the lists":  {seedState{}, nil, nil, false},
		"lists are fresh": {seedState{nil, true}, nil, nil, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, done := mergeSeed(test.have, test.packages)
			if !slices.Equal(got, test.want) || done != test.done {
				t.Errorf("mergeSeed = %q, %v, want %q, %v", got, done, test.want, test.done)
			}
		})
	}
}

func TestUnescapeMount(t *testing.T) {
	if got := unescapeMount(`/a\040b\134c`); got != `/a b\c` {
		t.Errorf("unescapeMount = %q", got)
	}
}
