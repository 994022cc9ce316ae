// Package lab makes throwaway Debian hosts on this machine: real systemd, sshd
// and apt in a systemd-nspawn container each, over an overlay of a debootstrapped
// base, with a network namespace and an address of their own on a bridge.
//
// A lab is its state directory: what hosts there are is read from it, and
// whether they run from /proc, so a lab survives the process that made it, and
// what a crash leaves behind is swept by the next command.
//
//	Dir/lock                 one command at a time changes a lab
//	Dir/identity             the private key that every host lets in
//	Dir/known_hosts          the hosts' keys, made by us
//	Dir/hosts/NAME/          host.json, pid, log, ssh key, upper and work of the overlay, root
//	Base/SUITE               a debootstrapped system, never written to once it is there
//	Base/SUITE.seed/N        packages and lists laid over it, see Seed
package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// DefaultDir is where a lab lives when Config.Dir is empty.
const DefaultDir = "/var/lib/provision-lab"

// DefaultSuite is the Debian release of a host when none is asked for.
const DefaultSuite = "bookworm"

// Suites lists the Debian releases that a lab host can run.
func Suites() []string { return []string{"bookworm", "trixie"} }

// ErrNoHost says that the lab has no host of that name.
var ErrNoHost = errors.New("no such lab host")

// Config says where a lab is and what it may use. The zero value is the
// machine's one lab.
type Config struct {
	Dir            string       // state directory; empty = DefaultDir
	Base           string       // directory of the bases, which several labs may share; empty = Dir/base
	Network        netip.Prefix // of the bridge, IPv4; zero = 198.18.0.0/24, from the range for tests (RFC 2544)
	Bridge         string       // name of the bridge; empty = plab0
	Mirror         string       // Debian archive; empty = the one in this machine's apt sources
	SecurityMirror string       // Debian security archive; empty = the machine's, and none if it has none
	Progress       func(string) // told what takes its time, a line each, from several goroutines; may be nil
}

// Lab is a set of throwaway hosts. Its methods may be called by several
// processes at once: they wait for each other.
type Lab struct {
	config Config
}

// Open returns the lab that config describes. It touches nothing.
func Open(config Config) (*Lab, error) {
	if config.Dir == "" {
		config.Dir = DefaultDir
	}
	if !filepath.IsAbs(config.Dir) {
		return nil, fmt.Errorf("lab directory %q: must be an absolute path", config.Dir)
	}
	if config.Base == "" {
		config.Base = filepath.Join(config.Dir, "base")
	}
	if config.Network == (netip.Prefix{}) {
		config.Network = netip.MustParsePrefix("198.18.0.0/24")
	}
	config.Network = config.Network.Masked()
	if !config.Network.Addr().Is4() || config.Network.Bits() > 29 {
		return nil, fmt.Errorf("lab network %s: must be IPv4 with room for hosts, /29 or larger", config.Network)
	}
	if config.Bridge == "" {
		config.Bridge = "plab0"
	}
	if !bridgeName.MatchString(config.Bridge) {
		return nil, fmt.Errorf("lab bridge %q: must be 1 to 15 letters and digits", config.Bridge)
	}
	if config.Progress == nil {
		config.Progress = func(string) {}
	}
	return &Lab{config: config}, nil
}

// The kernel takes interface names of up to 15 bytes (IFNAMSIZ), and nspawn
// names a host's end on the bridge vb-NAME: twelve are left. The prefix keeps
// us from ever touching a container that is not ours.
var (
	bridgeName = regexp.MustCompile(`^[a-z][a-z0-9]{0,14}$`)
	hostName   = regexp.MustCompile(`^lab[a-z0-9-]{0,8}[a-z0-9]$`)
)

// Names returns lab1 to labN.
func Names(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("lab%d", i+1))
	}
	return names
}

// Identity is the path of the private key that root, admin and operator let in.
func (l *Lab) Identity() string { return filepath.Join(l.config.Dir, "identity") }

// KnownHosts is the path of the known_hosts file with every host's key, under
// its name and its address.
func (l *Lab) KnownHosts() string { return filepath.Join(l.config.Dir, "known_hosts") }

// Up makes sure that the named hosts exist and run, and returns them in that
// order once sshd answers and systemd has settled. An empty suite means
// whatever an existing host has, and DefaultSuite for a new one; a host that
// exists with another suite is an error.
func (l *Lab) Up(ctx context.Context, names []string, suite string) ([]Host, error) {
	if err := checkWanted(names, suite); err != nil {
		return nil, err
	}
	if err := l.Prepare(ctx); err != nil {
		return nil, err
	}
	if err := l.networkFree(); err != nil { // before the minute that a base takes
		return nil, err
	}
	known, err := l.Hosts()
	if err != nil {
		return nil, err
	}
	// Before the lock, so that others can use the lab in the minute that takes.
	if slices.ContainsFunc(names, func(name string) bool { return indexOf(known, name) < 0 }) {
		if err := l.ensureBase(ctx, newSuite(suite)); err != nil {
			return nil, err
		}
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := l.ensureNetwork(ctx); err != nil {
		return nil, err
	}
	hosts, err := l.define(names, suite)
	if err != nil {
		return nil, err
	}
	return hosts, l.bootAll(ctx, hosts)
}

// Fresh throws away what is on the host and boots it anew, with the same
// address and host key. A non-empty suite changes the host's Debian release.
func (l *Lab) Fresh(ctx context.Context, name, suite string) (Host, error) {
	host, err := l.Host(name)
	if err != nil {
		return Host{}, err
	}
	if suite == "" {
		suite = host.Suite
	}
	if err := checkWanted([]string{name}, suite); err != nil {
		return Host{}, err
	}
	if err := l.Prepare(ctx); err != nil {
		return Host{}, err
	}
	if err := l.ensureBase(ctx, suite); err != nil {
		return Host{}, err
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return Host{}, err
	}
	defer unlock()
	if err := l.ensureNetwork(ctx); err != nil {
		return Host{}, err
	}
	// Nobody misses what is on it, so it need not shut down cleanly.
	if err := l.kill(host); err != nil {
		return Host{}, err
	}
	host.Suite = suite
	if err := l.renew(&host); err != nil {
		return Host{}, err
	}
	hosts := []Host{host}
	err = l.bootAll(ctx, hosts)
	return hosts[0], err
}

// Down powers off the named hosts, all when none is named. They keep what is
// on them; Up boots them again.
func (l *Lab) Down(ctx context.Context, names ...string) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	hosts, err := l.named(names)
	if err != nil {
		return err
	}
	return each(hosts, func(host *Host) error { return l.powerOff(ctx, *host) })
}

// Remove throws away the named hosts for good, with their addresses and keys.
func (l *Lab) Remove(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	hosts, err := l.named(names)
	if err != nil {
		return err
	}
	return l.remove(hosts)
}

// Destroy throws away all hosts, the bridge, the NAT rule, the keys and, unless
// keepBase or when they are another lab's, the bases. IP forwarding stays as it is: others may use it by now.
func (l *Lab) Destroy(ctx context.Context, keepBase bool) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	hosts, err := l.Hosts()
	if err != nil {
		return err
	}
	if err := l.remove(hosts); err != nil {
		return err
	}
	if err := l.removeNetwork(ctx); err != nil {
		return err
	}
	return l.removeState(ctx, keepBase)
}

func (l *Lab) named(names []string) ([]Host, error) {
	all, err := l.Hosts()
	if err != nil || len(names) == 0 {
		return all, err
	}
	var hosts []Host
	for _, name := range names {
		i := indexOf(all, name)
		if i < 0 {
			return nil, fmt.Errorf("%s: %w", name, ErrNoHost)
		}
		hosts = append(hosts, all[i])
	}
	return hosts, nil
}

func indexOf(hosts []Host, name string) int {
	return slices.IndexFunc(hosts, func(h Host) bool { return h.Name == name })
}

func checkWanted(names []string, suite string) error {
	for i, name := range names {
		if !hostName.MatchString(name) {
			return fmt.Errorf("lab host %q: a name is lab and then 1 to 9 lower-case letters, digits or dashes", name)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("lab host %q: named twice", name)
		}
	}
	if suite != "" && !slices.Contains(Suites(), suite) {
		return fmt.Errorf("suite %q: not one of %v", suite, Suites())
	}
	return nil
}

func newSuite(suite string) string {
	if suite == "" {
		return DefaultSuite
	}
	return suite
}

func (l *Lab) progress(format string, args ...any) {
	l.config.Progress(fmt.Sprintf(format, args...))
}

func since(start time.Time) string {
	return time.Since(start).Round(100 * time.Millisecond).String()
}
