package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Host is a lab host, as its state directory and /proc show it.
type Host struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
	Suite   string     `json:"suite"`
	Layers  []string   `json:"layers"` // of its overlay, topmost first
	Running bool       `json:"-"`      // as far as the process table shows: it may still be booting

	dir string
}

// Log is the path of what the host has printed on its console since it was
// last started, reboots included.
func (h Host) Log() string { return filepath.Join(h.dir, "log") }

// Root is where the host's file system is mounted while it runs.
func (h Host) Root() string { return filepath.Join(h.dir, "root") }

func (h Host) keyFile() string { return filepath.Join(h.dir, "ssh_host_ed25519_key") }

// rootArgument is the nspawn argument that names this host and no other: a
// process is the host's if it bears it.
func (h Host) rootArgument() string { return "--directory=" + h.Root() }

// Hosts returns all hosts of the lab, by name, and none when there is no lab.
// It only reads a few small files and needs no lock and no privilege.
func (l *Lab) Hosts() ([]Host, error) {
	paths, err := filepath.Glob(filepath.Join(l.config.Dir, "hosts", "*", "host.json"))
	if err != nil {
		return nil, err
	}
	var hosts []Host
	for _, path := range paths {
		host, err := readHost(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, host)
	}
	slices.SortFunc(hosts, func(a, b Host) int { return compareNames(a.Name, b.Name) })
	return hosts, nil
}

// Host returns one host; ErrNoHost when the lab has none of that name.
func (l *Lab) Host(name string) (Host, error) {
	hosts, err := l.named([]string{name})
	if err != nil {
		return Host{}, err
	}
	return hosts[0], nil
}

// compareNames puts lab2 before lab10.
func compareNames(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func readHost(path string) (Host, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Host{}, err
	}
	var host Host
	if err := json.Unmarshal(data, &host); err != nil {
		return Host{}, fmt.Errorf("%s: %w", path, err)
	}
	host.dir = filepath.Dir(path)
	host.Running = host.supervisor() != 0
	return host, nil
}

func (h Host) save() error {
	data, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(h.dir, "host.json"), append(data, '\n'), 0o644)
}

// supervisor returns the process that keeps the host's nspawn running, 0 when
// there is none. A pid alone proves nothing, as pids are used again.
func (h Host) supervisor() int {
	data, err := os.ReadFile(filepath.Join(h.dir, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || !hasArgument(pid, h.rootArgument()) {
		return 0
	}
	return pid
}

// Leader returns the pid, on this machine, of the host's PID 1. It changes when
// the host reboots.
func (h Host) Leader() (int, error) {
	for _, nspawn := range children(h.supervisor()) {
		for _, pid := range children(nspawn) {
			if isInit(pid) {
				return pid, nil
			}
		}
	}
	return 0, fmt.Errorf("%s: not running", h.Name)
}

// CPU returns the processor time that the host has used since it was
// started, reboots included.
func (h Host) CPU() (time.Duration, error) { return processorTime(h.Name) }

// define returns the named hosts, those that do not exist yet made up with an
// address, a key and an empty overlay.
func (l *Lab) define(names []string, suite string) ([]Host, error) {
	if err := l.ensureIdentity(); err != nil {
		return nil, err
	}
	known, err := l.Hosts()
	if err != nil {
		return nil, err
	}
	var hosts []Host
	for _, name := range names {
		if i := indexOf(known, name); i >= 0 {
			host := known[i]
			if suite != "" && host.Suite != suite {
				return nil, fmt.Errorf("%s: runs %s, not %s: throw it away first with `provision lab fresh %s --suite %s`",
					name, host.Suite, suite, name, suite)
			}
			if !l.config.Network.Contains(host.Address) {
				return nil, fmt.Errorf("%s: has the address %s, outside of the lab's network %s: remove it or name its network",
					name, host.Address, l.config.Network)
			}
			hosts = append(hosts, host)
			continue
		}
		host, err := l.invent(name, newSuite(suite), known)
		if err != nil {
			return nil, err
		}
		known = append(known, host)
		hosts = append(hosts, host)
	}
	return hosts, l.pin(known)
}

// invent makes up a host that does not exist yet.
func (l *Lab) invent(name, suite string, known []Host) (Host, error) {
	address, err := freeAddress(l.config.Network, known)
	if err != nil {
		return Host{}, err
	}
	host := Host{Name: name, Address: address, Suite: suite, dir: filepath.Join(l.config.Dir, "hosts", name)}
	if err := os.MkdirAll(host.dir, 0o755); err != nil {
		return Host{}, err
	}
	if err := writeKey(host.keyFile()); err != nil {
		return Host{}, err
	}
	return host, l.renew(&host)
}

// renew gives the host, which must not run, an empty overlay over the newest
// layers of its suite.
func (l *Lab) renew(host *Host) error {
	for _, part := range []string{"upper", "work", "root"} {
		dir := filepath.Join(host.dir, part)
		if err := removeTree(dir); err != nil {
			return err
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	layers, err := l.layers(host.Suite)
	if err != nil {
		return err
	}
	host.Layers = layers
	return host.save()
}

// freeAddress returns the lowest address of the network that no host has. The
// first one is the bridge's.
func freeAddress(network netip.Prefix, hosts []Host) (netip.Addr, error) {
	for address := gateway(network).Next(); network.Contains(address.Next()); address = address.Next() {
		if !slices.ContainsFunc(hosts, func(h Host) bool { return h.Address == address }) {
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("lab network %s: no free address", network)
}

func gateway(network netip.Prefix) netip.Addr { return network.Addr().Next() }
