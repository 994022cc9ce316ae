package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// basePackages is all that a base has beyond debootstrap's minimum, and on
// purpose: a task that works here brings what it needs itself.
const basePackages = "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,ca-certificates"

//go:embed base.sh
var baseScript string

// ensureBase builds the base of a suite, unless it is there. A base appears
// under its name only when it is whole.
func (l *Lab) ensureBase(ctx context.Context, suite string) error {
	base := filepath.Join(l.config.Base, suite)
	if exists(base) {
		return nil
	}
	lock, err := l.lockBase(ctx, suite)
	if err != nil {
		return err
	}
	defer lock.Close()
	if exists(base) {
		return nil // another process built it while we waited
	}
	building := base + ".building"
	if err := removeTree(building); err != nil {
		return err
	}
	start := time.Now()
	found := l.inspect().archives
	l.progress("base %s: debootstrap from %s, once, about a minute", suite, found.main)
	if err := l.debootstrap(ctx, lock, suite, building, found.main); err != nil {
		return fmt.Errorf("base %s: %w", suite, err)
	}
	settings, err := command(ctx, "apt-config", "dump").Output()
	if err != nil && !errors.Is(err, exec.ErrNotFound) { // not Debian, and so with no settings to carry over
		return fmt.Errorf("base %s: apt-config dump: %w", suite, err)
	}
	err = inRoot(ctx, lock, building, "/bin/sh", "-c", baseScript, "base.sh",
		suite, found.main, found.security, aptSettings(string(settings)))
	if err != nil {
		return fmt.Errorf("base %s: %w", suite, err)
	}
	if err := unmountBelow(building); err != nil {
		return err
	}
	if err := os.Rename(building, base); err != nil {
		return err
	}
	l.progress("base %s: built in %s", suite, since(start))
	return nil
}

// lockBase locks the base of one suite. The lock is handed on to the programs
// that build it: when we die, the next one waits for them to end.
func (l *Lab) lockBase(ctx context.Context, suite string) (*os.File, error) {
	return l.lockFile(ctx, filepath.Join(l.config.Base, suite+".lock"))
}

func (l *Lab) debootstrap(ctx context.Context, lock *os.File, suite, dir, mirror string) error {
	args := []string{"--variant=minbase", "--include=" + basePackages, suite, dir, mirror}
	// A release newer than this machine's debootstrap: all since 2007 are done by the same script.
	const scripts = "/usr/share/debootstrap/scripts"
	if !exists(filepath.Join(scripts, suite)) {
		args = append(args, filepath.Join(scripts, "sid"))
	}
	return runBuild(command(ctx, "debootstrap", args...), lock)
}

// inRoot runs a command with its root directory at dir, where names resolve as
// they do on this machine.
func inRoot(ctx context.Context, lock *os.File, dir string, args ...string) error {
	resolver, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.WriteFile("etc/resolv.conf", resolver, 0o644); err != nil {
		return err
	}
	defer root.Remove("etc/resolv.conf")
	cmd := command(ctx, args[0], args[1:]...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: dir}
	return runBuild(cmd, lock)
}

// runBuild runs a program with all it starts in a process group of its own, so
// that cancelling ends all of it, and lets it share the lock.
func runBuild(cmd *exec.Cmd, lock *os.File) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	// High up, as shell scripts, debootstrap among them, take 3 to 9 for themselves.
	cmd.ExtraFiles = make([]*os.File, 20)
	cmd.ExtraFiles[19] = lock
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	// Not the arguments: one of them is a whole script.
	return fmt.Errorf("%s: %w%s", filepath.Base(cmd.Path), err, indented(tail(string(output), 15)))
}

// ownsBases says whether the bases are this lab's, not only lent to it.
func (l *Lab) ownsBases() bool { return l.config.Base == filepath.Join(l.config.Dir, "base") }

// removeBases removes what ensureBase and Seed have made.
func (l *Lab) removeBases(ctx context.Context) error {
	if !l.ownsBases() {
		return nil
	}
	for _, suite := range Suites() {
		lock, err := l.lockBase(ctx, suite)
		if err != nil {
			return err
		}
		defer lock.Close()
		base := filepath.Join(l.config.Base, suite)
		for _, path := range []string{base, base + ".building", base + ".seed", base + ".lock"} {
			if err := removeTree(path); err != nil {
				return err
			}
		}
	}
	_ = os.Remove(l.config.Base) // stays if another's files are in it
	return nil
}

// removeTree removes a directory with all that is in it. Nothing may be mounted
// there: removing what is under /proc and /sys would reach this machine.
func removeTree(dir string) error {
	if err := unmountBelow(dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// unmountBelow undoes the mounts on the directory and below it, the latest first.
func unmountBelow(dir string) error {
	mounts, err := mountPoints()
	if err != nil {
		return err
	}
	for i := len(mounts) - 1; i >= 0; i-- {
		if mounts[i] != dir && !strings.HasPrefix(mounts[i], dir+"/") {
			continue
		}
		if err := syscall.Unmount(mounts[i], syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", mounts[i], err)
		}
	}
	return nil
}
