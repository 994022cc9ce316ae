package lab

import (
	"crypto/rand"
	"encoding/hex"
	"os"
)

// user is a login of every lab host that the lab's key opens.
type user struct {
	name string
	home string
	id   int // user and group
}

// The two people of a host: admin may do everything with sudo, operator after
// giving the password `lab` (which sshd takes from operator as well).
var (
	admin    = user{"admin", "home/admin", 1000}
	operator = user{"operator", "home/operator", 1001}
)

// authorize lets the lab's key in.
func (l *Lab) authorize(root *os.Root) error {
	key, err := os.ReadFile(l.Identity() + ".pub")
	if err != nil {
		return err
	}
	for _, user := range []user{{"root", "root", 0}, admin, operator} {
		dir := user.home + "/.ssh"
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		file := dir + "/authorized_keys"
		if err := root.WriteFile(file, key, 0o600); err != nil {
			return err
		}
		for _, path := range []string{dir, file} {
			if err := root.Chown(path, user.id, user.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyKey gives the host its host key.
func copyKey(root *os.Root, from string) error {
	for _, part := range []struct {
		suffix string
		mode   os.FileMode
	}{{".pub", 0o644}, {"", 0o600}} {
		data, err := os.ReadFile(from + part.suffix)
		if err != nil {
			return err
		}
		if err := root.WriteFile("etc/ssh/ssh_host_ed25519_key"+part.suffix, data, part.mode); err != nil {
			return err
		}
	}
	return nil
}

// newMachineID makes a machine-id(5), without which systemd takes each boot
// for the first one.
func newMachineID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails, crypto/rand says
	return hex.EncodeToString(id)
}
