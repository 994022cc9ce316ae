package main

import (
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"testing"

	"provision/internal/inventory"
	"provision/internal/remote"
)

// Of a lab host that is not up it is said how it is had, and of no other host.
func TestLabHint(t *testing.T) {
	unknown := fmt.Errorf("web1: %w", &net.DNSError{Name: "lab7", IsNotFound: true})
	refused := fmt.Errorf("web1: %w", remote.ErrUnreachable)
	of := func(name, address string, added bool) inventory.Host {
		return inventory.Host{Name: name, Address: inventory.Address{Host: address}, Added: added}
	}
	for _, c := range []struct {
		host inventory.Host
		err  error
		want string
	}{
		{of("lab7", "lab7", false), unknown, "provision lab up lab7"},
		{of("lab7", "lab7", false), refused, ""},
		{of("lab1", "198.18.0.2", true), refused, "provision lab up lab1"},
		{of("lab1", "198.18.0.2", true), remote.ErrAuthentication, ""},
		{of("labdb", "labdb", false), unknown, ""},
		{of("web1", "web1", false), unknown, ""},
	} {
		got := ""
		if hint := labHint(c.host); hint != nil {
			got = hint(c.err)
		}
		if got != c.want {
			t.Errorf("%s, %v: %q, want %q", c.host.Name, c.err, got, c.want)
		}
	}
}

// The lab's key is root's: who cannot read it is told so, and of his own key what is wrong with that.
func TestLabRefusal(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PROVISION_LAB_DIR", dir)
	unreadable := fmt.Errorf("the identity file cannot be read: %w", fs.ErrPermission)
	f := parsed(t, "exec", "-H", "lab1", "--", "true")
	for file, want := range map[string]string{filepath.Join(dir, "identity"): "the lab's hosts are root's: sudo provision exec …", "/home/me/key": ""} {
		if got := hintOf(f.labRefusal(remote.Config{Identities: []string{file}}, unreadable)); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}
