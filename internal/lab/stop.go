package lab

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// powerOff lets the host shut its services down, and kills it when that takes
// longer than half a minute.
func (l *Lab) powerOff(ctx context.Context, host Host) error {
	// systemd(1): SIGRTMIN+4 starts poweroff.target. SIGRTMIN is 34 with glibc.
	const powerOffSignal = syscall.Signal(34 + 4)
	if leader, err := host.Leader(); err == nil {
		start := time.Now()
		if err := syscall.Kill(leader, powerOffSignal); err == nil {
			for host.supervisor() != 0 && time.Since(start) < 30*time.Second && ctx.Err() == nil {
				time.Sleep(20 * time.Millisecond)
			}
		}
		if host.supervisor() != 0 {
			l.progress("%s: did not shut down within %s, killed", host.Name, since(start))
		} else {
			l.progress("%s: down after %s", host.Name, since(start))
		}
	}
	return l.kill(host)
}

// kill ends every process of the host and sweeps whatever it has left: control
// groups, its link on the bridge, its mount. For a host that does not run it
// finds nothing to do.
func (l *Lab) kill(host Host) error {
	// The supervisor first: it must not boot the host again.
	err := killAll(host.Name, func() []int { return withArgument(host.rootArgument()) })
	if err != nil {
		return err
	}
	if !foreign(host) {
		if err := l.sweep(host); err != nil {
			return err
		}
	}
	if err := unmountBelow(host.Root()); err != nil {
		return err
	}
	err = os.Remove(filepath.Join(host.dir, "pid"))
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// sweep removes what bears the host's name alone, which a running host of
// another lab might have as well.
func (l *Lab) sweep(host Host) error {
	// nspawn's end kills the host's PID 1 and with it all of the host; this is
	// for what was on its way into the groups.
	if err := killAll(host.Name, func() []int { return cgroupProcesses(host.Name) }); err != nil {
		return err
	}
	if err := removeCgroups(host.Name); err != nil {
		return err
	}
	return l.removeLink(context.Background(), host.Name)
}

// foreign says whether a host of that name, and of another lab, runs on this machine.
func foreign(host Host) bool {
	for _, pid := range withArgument("--machine=" + host.Name) {
		if !hasArgument(pid, host.rootArgument()) {
			return true
		}
	}
	return false
}

// remove kills the hosts and forgets them.
func (l *Lab) remove(hosts []Host) error {
	err := each(hosts, func(host *Host) error {
		if err := l.kill(*host); err != nil {
			return err
		}
		return removeTree(host.dir)
	})
	if err != nil {
		return err
	}
	left, err := l.Hosts()
	if err != nil {
		return err
	}
	return l.pin(left)
}

// removeState removes the lab's files, those that we know and no others.
func (l *Lab) removeState(ctx context.Context, keepBase bool) error {
	if !keepBase {
		if err := l.removeBases(ctx); err != nil {
			return err
		}
	}
	for _, name := range []string{"hosts", "identity", "identity.pub", "known_hosts", "lock"} {
		if err := removeTree(filepath.Join(l.config.Dir, name)); err != nil {
			return err
		}
	}
	_ = os.Remove(l.config.Dir) // stays if the bases or another's files are in it
	return nil
}
