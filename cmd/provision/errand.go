package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/run"
)

// errand is work on hosts, and what goes with it.
type errand struct {
	work     []run.Work
	exports  []run.Exporter                       // the hosts of which that work may want to know something
	typed    []string                             // how each host is named on the command line, for one that runs it again
	listed   func(host string) bool               // whether the inventory has a host of a name
	known    int                                  // how many hosts a run without -l would be of
	secrets  []string                             // never shown
	plan     bool                                 // the plan is what was asked for
	drift    bool                                 // of it, what differs, of all hosts in one table
	jumps    func(host string) (remote.Way, bool) // what the inventory knows of jump hosts
	question string                               // what is asked before the changes
	asks     bool                                 // what agree decides, somebody has to look at

	// agree decides whether the changes that were planned are made; nil is yes. It gives
	// up when stop is closed.
	agree func(stop <-chan struct{}) bool

	// deliver sends somewhere what was found on the hosts; nil sends nothing.
	deliver func(ctx context.Context, results []run.Result) error

	// pending is the code for a host whose changes were not made; nil is exitGood. It is asked
	// when the host is finished.
	pending func() int
}

// pendingCode is the code for a host whose changes were not made.
func (e errand) pendingCode() int {
	if e.pending == nil {
		return exitGood
	}
	return e.pending()
}

// work pairs every chosen host with what it should be: the named tasks, or without any
// those that the inventory gives it.
func (f *flags) work(io console, names []string) (errand, error) {
	all, err := f.selection.tasks()
	if err != nil {
		return errand{}, err
	}
	named, err := all.find(names)
	if errors.Is(err, errNoTask) {
		return errand{}, f.meantHosts(names, err)
	}
	if err != nil {
		return errand{}, err
	}
	extra, err := f.selection.extras()
	if err != nil {
		return errand{}, err
	}
	unasked := sync.OnceValues(func() (*inventory.Keys, error) { return f.selection.openKeys(nil) })
	read := map[string]bool{} // the tasks whose variables some host needs
	e, err := f.errand(io, named, extra, func(host inventory.Host) (run.Blueprint, error) {
		blueprint, err := f.blueprint(all, host, named, extra, unasked)
		for name := range blueprint.Values {
			base, _ := recipe.SplitInstance(name)
			read[name], read[base] = true, true
		}
		return blueprint, err
	})
	if err != nil {
		return errand{}, err
	}
	for _, x := range extra {
		if !read[x.Task] {
			return errand{}, usage(fmt.Errorf("-e %s.%s: no host gets a task that reads it", x.Task, x.Variable), "provision list "+x.Task)
		}
	}
	return e, nil
}

// blueprint is what a host should be. While the run goes on nobody is asked for a passphrase: unasked opens
// what can be opened without.
func (f *flags) blueprint(all catalogue, host inventory.Host, named []recipe.Task, extra []inventory.Extra, unasked func() (*inventory.Keys, error)) (run.Blueprint, error) {
	its, err := named, error(nil)
	if len(its) == 0 {
		if its, err = all.find(host.Tasks); err != nil {
			return run.Blueprint{}, err
		}
	}
	if len(its) == 0 {
		return run.Blueprint{}, usage(fmt.Errorf("%s: no task", host.Name), "name one: provision list; or give the host tasks in hosts.yaml")
	}
	blueprint := run.Blueprint{Given: slices.Concat(catalogue(its).names(), host.Tasks), Upgrade: f.run.upgrade, Remembering: f.remembering(host)}
	blueprint.Whole = len(named) == 0
	if blueprint.Tasks, err = all.whole(its); err != nil {
		return blueprint, err
	}
	if blueprint.Values, err = all.valuesOf(host, blueprint.Tasks, extra); err != nil {
		return blueprint, err
	}
	if blueprint.Others, err = all.besides(host, blueprint.Tasks); err != nil {
		return blueprint, err
	}
	blueprint.Drains, err = all.drains(host, blueprint.Tasks, blueprint.Others, blueprint.Values)
	blueprint.ValuesOf = func(task recipe.Task) (map[string]recipe.Values, error) {
		keys, err := unasked()
		if err != nil {
			return nil, err
		}
		return all.valuesOf(host.Decrypting(keys), []recipe.Task{task}, nil)
	}
	return blueprint, err
}

// valuesOf returns the variables of a host that its tasks read. Others are left alone: they
// may be encrypted for somebody else.
func (c catalogue) valuesOf(host inventory.Host, its []recipe.Task, extra []inventory.Extra) (map[string]recipe.Values, error) {
	names, err := c.read(its)
	if err != nil {
		return nil, err
	}
	values := map[string]recipe.Values{}
	for _, name := range names {
		if values[name], err = host.Values(name, c.known(), extra); err != nil {
			return nil, err
		}
	}
	for _, task := range its {
		if task.Check == nil {
			continue
		}
		if variable, err := task.Check(values[task.Name]); err != nil {
			return nil, host.Refusal(task.Name, variable, extra, err)
		}
	}
	return values, nil
}

// bare pairs every chosen host with nothing: for what needs a connection and no task.
func (f *flags) bare(io console) (errand, error) {
	if !f.selection.named() {
		return errand{}, usage(errors.New("no hosts"), "name them: -H root@HOST, -l GROUP, or -l all")
	}
	return f.errand(io, nil, nil, func(inventory.Host) (run.Blueprint, error) { return run.Blueprint{}, nil })
}

// errand chooses the hosts, decides what each should be, and reads all that is needed to
// connect to them. Whatever is wrong on this side is refused here.
func (f *flags) errand(io console, named []recipe.Task, extra []inventory.Extra, blueprint func(inventory.Host) (run.Blueprint, error)) (errand, error) {
	keys, err := f.selection.openKeys(f.passphrase)
	if err != nil {
		return errand{}, err
	}
	inv, err := f.selection.open(keys)
	if err != nil {
		return errand{}, err
	}
	all, err := f.selection.tasks()
	if err != nil {
		return errand{}, err
	}
	jumps := func(name string) (remote.Way, bool) {
		host, known := inv.JumpHost(name)
		return wayTo(host), known
	}
	silent := lost{}
	hosts, err := f.selection.choose(inv, named, f.byFacts(io, jumps, silent))
	if err != nil {
		return errand{}, err
	}
	if f.selection.list {
		return errand{}, f.listHosts(io, hosts, silent)
	}
	e := errand{typed: f.selection.typed(hosts), listed: inv.Has, known: f.selection.knows(inv, named, len(hosts)), jumps: jumps}
	near := neighbours{catalogue: all, hosts: inv.Hosts(), chosen: hosts, adHoc: f.selection.adHoc(), named: named, extra: extra, found: new(sync.Map)}
	for _, host := range hosts {
		wanted, err := blueprint(host)
		if err != nil {
			return errand{}, err
		}
		e.secrets = append(e.secrets, wanted.Secrets()...)
		wanted.Host, wanted.Address = all.listed(host), host.Address.Host
		wanted.Peers = near.of(host)
		if err := near.place(wanted.Drains, f.target); err != nil {
			return errand{}, err
		}
		target := f.target(host)
		target.Lost = silent[host.Name].Err
		e.work = append(e.work, run.Work{Target: target, Blueprint: wanted})
	}
	if e.exports, err = near.exporters(f.target); err != nil {
		return errand{}, err
	}
	for _, secret := range keys.Secrets() { // of variables that are no secrets by their type
		e.secrets = append(e.secrets, secret.Reveal())
	}
	return e, f.connect(io, &e)
}

// connect completes the targets with how they are reached.
func (f *flags) connect(io console, e *errand) error {
	login, err := f.login()
	if err != nil {
		return err
	}
	config := login.config
	e.secrets = append(e.secrets, login.passwords...)
	for i := range e.exports { // one that cannot be reached is no matter of this run's
		e.complete(&e.exports[i].Target, config)
	}
	for i := range e.work {
		for k := range e.work[i].Blueprint.Drains {
			drain := &e.work[i].Blueprint.Drains[k]
			for at := range drain.Out.At {
				e.complete(&drain.Out.At[at], config)
			}
			for at := range drain.In.At {
				e.complete(&drain.In.At[at], config)
			}
		}
	}
	checked := map[string]bool{}
	for i := range e.work {
		target := &e.work[i].Target
		e.complete(target, config)
		if !target.Local {
			name, err := target.Config.HostName(target.Address)
			if err != nil {
				return err
			}
			e.work[i].Blueprint.Address = name
		}
		files := strings.Join(target.Config.Identities, "\n")
		if target.Local || checked[files] {
			continue
		}
		checked[files] = true
		if err := target.Config.Check(target.Address); err != nil {
			return f.labRefusal(target.Config, err)
		}
	}
	return nil
}

// complete says how a host is reached, which has only what is its own.
func (e *errand) complete(target *run.Target, config remote.Config) {
	own := target.Config
	target.Config = config
	target.Config.JumpHost = e.jumps
	// What the command line says goes first, as with ssh.
	target.Config.Options = slices.Concat(config.Options, own.Options)
	target.Config.Identities = slices.Concat(config.Identities, own.Identities)
}

// target says where a host is, and what is its own of the way there.
func (f *flags) target(host inventory.Host) run.Target {
	way := wayTo(host)
	if len(f.selection.hosts) == 0 { // the address is the inventory's, and not what was typed
		if f.connection.sets("User") {
			way.Address.User = ""
		}
		if f.connection.sets("Port") {
			way.Address.Port = 0
		}
	}
	target := run.Target{Name: host.Name, Address: way.Address, Local: f.selection.local, Hint: labHint(host)}
	target.Config.Options, target.Config.Identities = way.Options, way.Identities
	return target
}

// wayTo is how a host is reached, as far as the inventory says. A lab host (no others are added
// to the inventory) brings its own key and known_hosts, so that it works without any file of
// the user's; and this key alone, for ssh offers those of an agent before it, and a server
// hears six.
func wayTo(host inventory.Host) remote.Way {
	way := remote.Way{Address: host.Address}
	if jump := host.Jump(); jump != "" {
		way.Options = []string{"ProxyJump=" + jump}
	}
	if file := host.Identity(); file != "" {
		way.Identities = []string{file}
	}
	if host.Added || host.AsAdded && len(way.Identities) == 0 && host.Jump() == "" {
		if l, err := openLab(nil); err == nil {
			way.Options = []string{"IdentitiesOnly=yes", "GlobalKnownHostsFile=none", "UserKnownHostsFile=" + asOnePath(l.KnownHosts())}
			way.Identities = []string{l.Identity()}
		}
	}
	return way
}

// asOnePath is a path as ssh_config has it: in quotes, as spaces end it, and with % doubled.
func asOnePath(path string) string { return `"` + strings.ReplaceAll(path, "%", "%%") + `"` }
