package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed supervise.sh
var supervise string

// bootAll boots those of the hosts that do not run, side by side, and waits
// until all are ready.
func (l *Lab) bootAll(ctx context.Context, hosts []Host) error {
	return each(hosts, func(host *Host) error {
		start := time.Now()
		booted := host.supervisor() == 0
		if booted {
			if err := l.boot(ctx, *host); err != nil {
				return fmt.Errorf("%s: boot: %w", host.Name, err)
			}
		}
		state, err := l.waitReady(ctx, *host)
		if err != nil {
			return fmt.Errorf("%s: boot: %w", host.Name, err)
		}
		host.Running = true
		if booted {
			l.progress("%s: %s at %s, systemd says %s after %s", host.Name, host.Suite, host.Address, state, since(start))
		}
		return nil
	})
}

// boot sweeps what an earlier run of the host has left and starts it.
func (l *Lab) boot(ctx context.Context, host Host) error {
	if foreign(host) {
		return errors.New("a host of that name runs in another lab on this machine: choose another name")
	}
	if err := l.kill(host); err != nil {
		return err
	}
	if err := l.mount(host); err != nil {
		return err
	}
	if err := l.furnish(host); err != nil {
		return err
	}
	if err := makeCgroups(host.Name); err != nil {
		return err
	}
	return l.start(host)
}

// start starts the supervising shell in a session of its own, so that the host
// outlives this process and its terminal.
func (l *Lab) start(host Host) error {
	nspawn, err := lookPath("systemd-nspawn")
	if err != nil {
		return err
	}
	log, err := os.OpenFile(host.Log(), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := command(context.Background(), "sh", "-c", supervise, "provision-lab", strings.Join(cgroups(host.Name), " "),
		nspawn, "--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no", "--link-journal=no",
		"--resolv-conf=off", "--timezone=off", "--console=read-only",
		host.rootArgument(), "--network-bridge="+l.config.Bridge, "--machine="+host.Name)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // reaped if it ends before we do; the pid file and the log tell the rest
	return writeFile(filepath.Join(host.dir, "pid"), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644)
}

// mount lays the host's own files over its layers.
func (l *Lab) mount(host Host) error {
	lower := make([]string, len(host.Layers))
	for i, layer := range host.Layers {
		lower[i] = filepath.Join(l.config.Base, layer)
		if !exists(lower[i]) {
			return fmt.Errorf("%s is gone: throw the host away with `provision lab fresh %s`", lower[i], host.Name)
		}
	}
	return mountOverlay(host.Root(), filepath.Join(host.dir, "upper"), filepath.Join(host.dir, "work"), lower)
}

func mountOverlay(root, upper, work string, lower []string) error {
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", strings.Join(lower, ":"), upper, work)
	if err := syscall.Mount("overlay", root, "overlay", 0, options); err != nil {
		return fmt.Errorf("overlay on %s: %w (the file system of the lab's directory must be able to carry one: ext4, xfs, btrfs, tmpfs)", root, err)
	}
	return nil
}

// mountPoints lists where something is mounted, in the order of mounting.
func mountPoints() ([]string, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var points []string
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			points = append(points, unescapeMount(fields[4]))
		}
	}
	return points, nil
}

// unescapeMount undoes the octal escapes of proc_pid_mountinfo(5).
func unescapeMount(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// furnish writes what makes the host this host, all of it files that any
// Debian host has. What tasks have changed since the first boot stays.
func (l *Lab) furnish(host Host) error {
	root, err := os.OpenRoot(host.Root())
	if err != nil {
		return err
	}
	defer root.Close()
	const settings = "etc/default/lab-network"
	own := fmt.Sprintf("ADDRESS=%s/", host.Address)
	if before, err := root.ReadFile(settings); err != nil || !strings.HasPrefix(string(before), own) {
		if err := l.identify(root, host); err != nil { // its first boot: a clone has another's address
			return err
		}
	}
	// Last, for it says that the host is furnished.
	network := fmt.Sprintf("%s%d\nGATEWAY=%s\n", own, l.config.Network.Bits(), gateway(l.config.Network))
	return root.WriteFile(settings, []byte(network), 0o644)
}

// identify gives a host its name, its keys and its people's.
func (l *Lab) identify(root *os.Root, host Host) error {
	resolver, err := machineResolver()
	if err != nil {
		return err
	}
	hosts := "127.0.0.1\tlocalhost\n127.0.1.1\t" + host.Name + "\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	for path, text := range map[string]string{
		"etc/hostname":    host.Name + "\n",
		"etc/hosts":       hosts,
		"etc/resolv.conf": resolver,
		"etc/machine-id":  newMachineID() + "\n",
	} {
		if err := root.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := l.authorize(root); err != nil {
		return err
	}
	return copyKey(root, host.keyFile())
}

// machineResolver returns a resolv.conf that works in another network
// namespace: where this machine asks a resolver of its own on loopback,
// systemd-resolved keeps the servers behind it in a second file.
func machineResolver() (string, error) {
	data, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return "", err
	}
	if strings.Contains(string(data), "nameserver 127.") {
		if behind, err := os.ReadFile("/run/systemd/resolve/resolv.conf"); err == nil {
			return string(behind), nil
		}
	}
	return string(data), nil
}
