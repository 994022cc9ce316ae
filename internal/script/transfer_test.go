package script_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"provision/internal/script"
)

// An account puts a link in the place of its file and back, as fast as it can: root reads what is
// theirs or nothing, and never what the link leads to.
func TestDeliverReadsNothingBehindALinkThatComesInBetween(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	theirs, victim := filepath.Join(dir, "theirs"), filepath.Join(dir, "victim")
	for _, err := range []error{
		os.WriteFile(victim, []byte("root's"), 0o600), os.Mkdir(theirs, 0o755), os.WriteFile(theirs+"/file", []byte("theirs"), 0o644),
		os.Symlink(victim, theirs+"/link"), os.Chown(theirs, 65534, 65534),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				if err := unix.Renameat2(unix.AT_FDCWD, theirs+"/file", unix.AT_FDCWD, theirs+"/link", unix.RENAME_EXCHANGE); err != nil {
					stopped <- err
					return
				}
			}
		}
	}()
	text, got := script.Deliver(theirs+"/file"), 0
	for range 400 {
		out, _ := exec.Command("/bin/sh", "-c", text).Output() // whether it is refused is chance
		if strings.Contains(string(out), "root's") {
			t.Error("root gave away what is its own")
			break
		}
		if strings.Contains(string(out), "theirs") {
			got++
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Skip(err) // a file system that cannot exchange names
	}
	if got == 0 {
		t.Error("nothing was ever delivered: the test shows nothing")
	}
}
