package main

import (
	"errors"
	"io/fs"
	"net"
	"slices"
	"strings"

	"provision/internal/inventory"
	"provision/internal/remote"
)

// What is said of lab hosts that are not up, or are for root alone.

// labUp is the command that boots the host of a name that the lab gives, lab or lab1; "" for other names.
func labUp(name string) string {
	number, is := strings.CutPrefix(name, "lab")
	switch {
	case !is || strings.Trim(number, "0123456789") != "":
		return ""
	case number == "":
		return "provision lab up"
	}
	return "provision lab up " + name
}

// labHint says how a host is had that cannot be reached because it is not up: one of the lab, or one of whose name
// nothing but the lab may know.
func labHint(host inventory.Host) func(error) string {
	up := labUp(host.Address.Host)
	switch {
	case host.Added:
		return func(err error) string {
			if errors.Is(err, remote.ErrUnreachable) {
				return "provision lab up " + host.Name
			}
			return ""
		}
	case up == "":
		return nil
	}
	return func(err error) string {
		if unknown := new(net.DNSError); errors.As(err, &unknown) {
			return up
		}
		return ""
	}
}

// labRefusal completes the error of the lab's key that only root can read.
func (f *flags) labRefusal(config remote.Config, err error) error {
	l, failure := openLab(nil)
	if failure == nil && errors.Is(err, fs.ErrPermission) && slices.Contains(config.Identities, l.Identity()) {
		return usage(err, "the lab's hosts are root's: sudo "+strings.Join(f.typed.verb, " ")+" …")
	}
	return err
}
