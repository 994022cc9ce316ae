// Package labtest gives tests real Debian hosts. They are a lab of their own
// (state directory, bridge, network), so that tests leave the one that somebody
// works with alone; the bases are shared with it.
package labtest

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"provision/internal/lab"
)

// Open returns the lab for tests. A test that cannot have one as it is not run
// by root is skipped, except where the environment says CI=true: there nothing
// may be left out. With -short no test boots a host.
func Open(t testing.TB) *lab.Lab {
	t.Helper()
	if testing.Short() {
		t.Skip("boots hosts: not with -short")
	}
	if os.Geteuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("lab hosts need root")
	}
	config := Config()
	config.Progress = func(line string) { t.Log(line) }
	l, err := lab.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Config is where the lab for tests is.
func Config() lab.Config {
	return lab.Config{
		Dir:     lab.DefaultDir + "-test",
		Base:    filepath.Join(lab.DefaultDir, "base"),
		Bridge:  "plabtest0",
		Network: Network("test"),
	}
}

// Network is that of the lab of a name: tests have several, beside each other and in packages that are tested at
// the same time. It is of those that are for tests of networks, RFC 2544.
func Network(name string) netip.Prefix {
	labs := []string{"test", "readme", "first", "proof", "page", "pgf", "guide", "its", "destroy"}
	at := slices.Index(labs, name)
	if at < 0 {
		panic("labtest: there is no lab " + name)
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 19, 255 - byte(at), 0}), 24)
}

// Host returns a host of that name as if just installed, and removes it after
// the test. Packages whose tests run at the same time need names of their own.
func Host(t testing.TB, l *lab.Lab, name, suite string) lab.Host {
	t.Helper()
	begin(t, l, name)
	hosts, err := l.Up(t.Context(), []string{name}, suite)
	if err != nil {
		t.Fatal(err)
	}
	return hosts[0]
}

// Clone is Host from the checkpoint of another, which is removed later.
func Clone(t testing.TB, l *lab.Lab, name, from string) lab.Host {
	t.Helper()
	begin(t, l, name)
	host, err := l.Clone(t.Context(), name, from)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// begin removes what a test that was killed has left of a host, and after the test the host.
func begin(t testing.TB, l *lab.Lab, name string) {
	t.Helper()
	if err := l.Remove(t.Context(), present(t, l, name)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := l.Remove(context.Background(), present(t, l, name)...); err != nil {
			t.Error(err)
		}
	})
}

// present returns the name if the lab has such a host: a test that was killed
// has left it.
func present(t testing.TB, l *lab.Lab, name string) []string {
	t.Helper()
	hosts, err := l.Hosts()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range hosts {
		if host.Name == name {
			return []string{name}
		}
	}
	return nil
}
