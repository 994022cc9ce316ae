package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"provision/internal/inventory"
	"provision/internal/recipe"
)

// defaultInventory is read when it is there and --inventory is not given.
const defaultInventory = "hosts.yaml"

// selection says which hosts, and with which variables.
type selection struct {
	hosts     []string
	limit     []string
	inventory string
	extra     []string
	keys      []string
	local     bool
	list      bool                      // say which hosts these are, and do nothing
	tasks     func() (catalogue, error) // that there are
	sshHosts  func() ([]string, error)  // those of ssh_config
	tell      func(string)              // of how an inventory was read
}

// hostFlags say which hosts are meant.
func (s *selection) hostFlags() *pflag.FlagSet {
	f := newFlagSet()
	f.StringArrayVarP(&s.hosts, "hosts", "H", nil, "`HOSTS`, ad hoc: user@host:port, with commas between")
	f.StringArrayVarP(&s.limit, "limit", "l", nil, "`HOSTS` of the inventory: names, groups, globs, !exclusions, @failed, @unreachable and @notbegun of past runs, @FILE; task=NAME and facts (release=12) narrow these")
	f.BoolVar(&s.local, "local", false, "this machine, without SSH")
	f.BoolVar(&s.list, "list-hosts", false, "say which hosts these are, and do nothing")
	return f
}

// inventoryFlags say where hosts and variables are written.
func (s *selection) inventoryFlags() *pflag.FlagSet {
	f := newFlagSet()
	f.StringVar(&s.inventory, "inventory", "", "the inventory `FILE`, also Ansible's, or ssh_config (default $PROVISION_INVENTORY, or hosts.yaml where there is one)")
	f.StringArrayVar(&s.keys, "key", nil, "private key `FILE` for its secrets, of age or ssh (default ~/.config/provision/age.key and those of ~/.ssh)")
	return f
}

// variableFlags set variables of tasks.
func (s *selection) variableFlags() *pflag.FlagSet {
	f := newFlagSet()
	f.StringArrayVarP(&s.extra, "extra-var", "e", nil, "set `TASK.VARIABLE=VALUE`, a secret from =@FILE, =@- (standard input) or =@env:NAME")
	return f
}

// extras reads -e.
func (s selection) extras() ([]inventory.Extra, error) {
	all, err := s.tasks()
	if err != nil {
		return nil, err
	}
	var extra []inventory.Extra
	for _, text := range s.extra {
		e, err := inventory.ParseExtra(text, all.known())
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(extra, func(x inventory.Extra) bool { return x.Task == e.Task && x.Variable == e.Variable }) {
			return nil, usage(fmt.Errorf("-e %s.%s: is given twice", e.Task, e.Variable), "give it once")
		}
		extra = append(extra, e)
	}
	return extra, nil
}

// named reports whether the command line says which hosts are meant.
func (s selection) named() bool { return len(s.hosts) > 0 || len(s.limit) > 0 || s.local }

// adHoc reports whether the hosts are of no inventory.
func (s selection) adHoc() bool { return len(s.hosts) > 0 || s.local }

// namedInventory is the file that was named, by the command line or the environment.
func (s selection) namedInventory() string {
	return cmp.Or(s.inventory, os.Getenv("PROVISION_INVENTORY"))
}

// path is the inventory's file.
func (s selection) path() string { return cmp.Or(s.namedInventory(), defaultInventory) }

// openKeys reads the private keys for secrets: those that are named, or the usual ones.
func (s selection) openKeys(passphrase func(string) ([]byte, error)) (*inventory.Keys, error) {
	keys := &inventory.Keys{Passphrase: passphrase}
	for _, file := range s.keys {
		if err := keys.Add(file); errors.Is(err, fs.ErrNotExist) {
			return nil, usage(err, "age-keygen -o "+file+" makes one")
		} else if err != nil {
			return nil, err
		}
	}
	if home, err := os.UserHomeDir(); err == nil && len(s.keys) == 0 {
		for _, file := range inventory.DefaultKeyFiles(home) {
			if err := keys.Add(file); err != nil {
				continue // a key that cannot be used decrypts nothing, and that is said then
			}
		}
	}
	return keys, nil
}

// ofSSH is the name of the inventory that ssh_config is.
const ofSSH = "ssh_config"

// load reads the inventory: a file, what a program prints, or the hosts of ssh_config; none where none is named
// and there is none.
func (s selection) load(all catalogue, keys inventory.Decrypter) (*inventory.Inventory, error) {
	var inv *inventory.Inventory
	var err error
	if s.path() == ofSSH {
		var names []string
		if names, err = s.sshHosts(); err == nil {
			inv, err = inventory.OfNames(ofSSH, names)
		}
	} else {
		inv, err = inventory.Load(s.path(), all.known(), keys)
	}
	if errors.Is(err, fs.ErrNotExist) && s.namedInventory() == "" {
		return &inventory.Inventory{}, nil
	}
	if err != nil {
		return nil, err
	}
	for _, text := range inv.Told {
		if s.tell != nil {
			s.tell(text)
		}
	}
	return inv, nil
}

// open reads the inventory, and adds the lab's hosts as the group lab.
func (s selection) open(keys inventory.Decrypter) (*inventory.Inventory, error) {
	all, err := s.tasks()
	if err != nil {
		return nil, err
	}
	inv, err := s.load(all, keys)
	if err != nil {
		return nil, err
	}
	hosts, err := labHosts()
	if err != nil {
		return nil, err
	}
	return inv.With("lab", hosts...), nil
}

func labHosts() ([]inventory.Host, error) {
	l, err := openLab(nil)
	if err != nil {
		return nil, err
	}
	found, err := l.Hosts()
	if err != nil {
		return nil, err
	}
	var hosts []inventory.Host
	for _, host := range found {
		hosts = append(hosts, inventory.Host{
			Name:    host.Name,
			Address: inventory.Address{User: "root", Host: host.Address.String()},
		})
	}
	return hosts, nil
}

// choose returns the hosts that the flags name. With neither -H nor -l they are those of
// the inventory that have the named tasks. What -l says of facts is asked.
func (s selection) choose(inv *inventory.Inventory, named []recipe.Task, ask asker) ([]inventory.Host, error) {
	switch {
	case s.local:
		name, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		hosts, err := inv.AdHoc([]string{"localhost"})
		if err == nil {
			hosts[0].Name = name
		}
		return hosts, err
	case len(s.hosts) > 0:
		return inv.AdHoc(s.hosts)
	case len(s.limit) > 0:
		hosts, err := s.limitedTo(inv, ask)
		return hosts, s.notBooted(err)
	}
	hosts := thoseWith(inv, named)
	if len(hosts) == 0 && len(inv.Hosts()) > 0 && len(named) > 0 {
		return nil, usage(errors.New("no hosts"), fmt.Sprintf("%s gives none of its hosts these tasks: say which, -l GROUP or -l all", s.path()))
	}
	if len(hosts) == 0 && len(inv.Hosts()) > 0 {
		return nil, usage(errors.New("no tasks"), fmt.Sprintf("%s gives none of its hosts any: write tasks: [nginx] for one, or name tasks and hosts here", s.path()))
	}
	if len(hosts) == 0 {
		return nil, usage(errors.New("no hosts"), "name one with -H root@HOST, or write it into hosts.yaml: provision list nginx shows one")
	}
	return hosts, nil
}

// thoseWith are the hosts of an inventory that have the named tasks, or any.
func thoseWith(inv *inventory.Inventory, named []recipe.Task) []inventory.Host {
	var hosts []inventory.Host
	for _, host := range inv.Hosts() {
		if hasAll(host.Tasks, named) && (len(named) > 0 || len(host.Tasks) > 0) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// knows is how many hosts the inventory has for a command, of which some are chosen: as many without -l.
func (s selection) knows(inv *inventory.Inventory, named []recipe.Task, chosen int) int {
	if len(s.limit) == 0 {
		return chosen
	}
	return max(chosen, len(thoseWith(inv, named)))
}

// notBooted adds to the error of a name that lab up gives how such a host is had.
func (s selection) notBooted(err error) error {
	if err == nil {
		return nil
	}
	for term := range strings.SplitSeq(strings.Join(s.limit, ","), ",") {
		if up := labUp(term); up != "" && strings.Contains(err.Error(), strconv.Quote(term)) {
			return usage(err, up)
		}
	}
	return err
}

// typed returns how each of the chosen hosts is named on a command line.
func (s selection) typed(hosts []inventory.Host) []string {
	// AdHoc returns a host for each, in this order, and has refused what cannot be read.
	if names, err := inventory.Expand(s.hosts); err == nil && len(names) > 0 {
		return names
	}
	var names []string
	for _, host := range hosts {
		names = append(names, host.Name)
	}
	return names
}

func hasAll(has []string, wanted []recipe.Task) bool {
	for _, task := range wanted {
		if !slices.Contains(has, task.Name) {
			return false
		}
	}
	return true
}
