package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/lab"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/run"
	"provision/tasks"
)

// defaultInventory is read when it is there and --inventory is not given.
const defaultInventory = "hosts.yaml"

// selection says which hosts, and with which variables.
type selection struct {
	hosts     []string
	limit     []string
	inventory string
	extra     []string
	local     bool
}

func (s *selection) register(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringArrayVarP(&s.hosts, "hosts", "H", nil, "hosts, ad hoc: user@host:port, with commas between")
	f.StringArrayVarP(&s.limit, "limit", "l", nil, "hosts of the inventory: names, groups, globs, !exclusions")
	f.StringVar(&s.inventory, "inventory", "", "the inventory (default hosts.yaml, when there is one)")
	f.StringArrayVarP(&s.extra, "extra-var", "e", nil, "task.variable=value; @FILE for a secret's value")
	f.BoolVar(&s.local, "local", false, "this machine, without SSH")
}

// known are the variables of all tasks.
func known() inventory.Known {
	k := inventory.Known{}
	for _, task := range tasks.All() {
		k[task.Name] = task.Variables
	}
	return k
}

// open reads the inventory, and adds the lab's hosts as the group lab.
func (s selection) open() (*inventory.Inventory, error) {
	path := s.inventory
	if path == "" {
		path = defaultInventory
	}
	keys := &inventory.Keys{}
	if home, err := os.UserHomeDir(); err == nil {
		for _, file := range inventory.DefaultKeyFiles(home) {
			if err := keys.Add(file); err != nil {
				continue // a key that cannot be used decrypts nothing, and that is said then
			}
		}
	}
	inv, err := inventory.Load(path, known(), keys)
	if errors.Is(err, fs.ErrNotExist) && s.inventory == "" {
		inv, err = &inventory.Inventory{}, nil
	}
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

// openLab opens the machine's lab, where PROVISION_LAB_DIR says.
func openLab(progress func(string)) (*lab.Lab, error) {
	return lab.Open(lab.Config{Dir: os.Getenv("PROVISION_LAB_DIR"), Progress: progress})
}

// choose returns the hosts that the flags name. With neither -H nor -l they are those of
// the inventory that have the named tasks.
func (s selection) choose(named []recipe.Task) ([]inventory.Host, error) {
	switch {
	case s.local && (len(s.hosts) > 0 || len(s.limit) > 0):
		return nil, usage(errors.New("--local: excludes -H and -l"), "")
	case len(s.hosts) > 0 && len(s.limit) > 0:
		return nil, usage(errors.New("-H and -l: name hosts in two ways"), "use -H for hosts that are in no inventory, -l for those that are")
	}
	inv, err := s.open()
	if err != nil {
		return nil, err
	}
	switch {
	case s.local:
		name, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		return []inventory.Host{{Name: name, Address: inventory.Address{Host: "localhost"}}}, nil
	case len(s.hosts) > 0:
		return inv.AdHoc(s.hosts)
	case len(s.limit) > 0:
		return inv.Select(s.limit)
	}
	var hosts []inventory.Host
	for _, host := range inv.Hosts() {
		if hasAll(host.Tasks, named) && (len(named) > 0 || len(host.Tasks) > 0) {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return nil, usage(errors.New("no hosts"), "name one with -H root@HOST, or write it into hosts.yaml (see hosts.example.yaml)")
	}
	return hosts, nil
}

func hasAll(has []string, wanted []recipe.Task) bool {
	for _, task := range wanted {
		if !slices.Contains(has, task.Name) {
			return false
		}
	}
	return true
}

// findTasks returns the tasks of that name.
func findTasks(names []string) ([]recipe.Task, error) {
	var found []recipe.Task
	var all []string
	for _, task := range tasks.All() {
		all = append(all, task.Name)
	}
	for _, name := range names {
		at := slices.Index(all, name)
		if at < 0 {
			err := fmt.Errorf("%q: no such task", name)
			if near := recipe.Nearest(name, all); near != "" {
				return nil, usage(err, "did you mean "+near+"?")
			}
			return nil, usage(err, "provision list")
		}
		found = append(found, tasks.All()[at])
	}
	return found, nil
}

// work pairs every chosen host with what it should be: the named tasks, or without any
// those that the inventory gives it.
func (f *flags) work(io console, names []string) ([]run.Work, error) {
	named, err := findTasks(names)
	if err != nil {
		return nil, err
	}
	var extra []inventory.Extra
	for _, text := range f.selection.extra {
		e, err := inventory.ParseExtra(text, known())
		if err != nil {
			return nil, err
		}
		extra = append(extra, e)
	}
	hosts, err := f.selection.choose(named)
	if err != nil {
		return nil, err
	}
	config, err := f.connection.config(io)
	if err != nil {
		return nil, err
	}
	var all []run.Work
	for _, host := range hosts {
		its := named
		if len(its) == 0 {
			if its, err = findTasks(host.Tasks); err != nil {
				return nil, err
			}
		}
		if len(its) == 0 {
			return nil, usage(fmt.Errorf("%s: no task", host.Name), "name one: provision list; or give the host tasks in hosts.yaml")
		}
		values := map[string]recipe.Values{}
		for name := range known() {
			if values[name], err = host.Values(name, known(), extra); err != nil {
				return nil, err
			}
		}
		target := f.target(host, config)
		all = append(all, run.Work{
			Target:    target,
			Blueprint: run.Blueprint{Tasks: its, Values: values, Address: target.Address.Host},
		})
	}
	return all, nil
}

// target says how a host is reached. A lab host brings its own key and known_hosts, so
// that it works without any file of the user's.
func (f *flags) target(host inventory.Host, config remote.Config) run.Target {
	target := run.Target{
		Name:    host.Name,
		Address: remote.Address{User: host.Address.User, Host: host.Address.Host, Port: host.Address.Port},
		Config:  config,
		Local:   f.selection.local,
	}
	if slices.Contains(host.Groups, "lab") && strings.HasPrefix(host.Name, "lab") {
		if l, err := openLab(nil); err == nil {
			target.Config.KnownHosts = l.KnownHosts()
			if len(target.Config.Identities) == 0 {
				target.Config.Identities = []string{l.Identity()}
			}
		}
	}
	return target
}
