package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/report"
)

func newList(f *flags, io console) *cobra.Command {
	var wanted listFlags
	command := &cobra.Command{
		Use:   "list [TASK | HOST | kind:NAME]",
		Short: "what can be installed, and where; a task or a host in detail",
		Long: `Lists the tasks, and the hosts of the inventory. With a task it tells what the
task brings, and each of its variables with type and default. With a host, or
with -l or -H, it tells how the host is reached, what belongs on it, and each
variable that counts there with its value and where that comes from; nothing
is decrypted for that, and a secret is [secret].

With --kinds it lists the words that tasks of your own are made of, and with
kind:NAME it tells one of them, with an example. With --schema it prints the
JSON schema of hosts.yaml with the project's own tasks in it, for an editor.
With --hosts-yaml it prints an inventory from elsewhere, as one of Ansible's, as
a hosts.yaml.`,
		Example: `  provision list graphite
  provision list web1
  provision list -l metrics -e graphite.auth=false
  provision list kind:file
  provision list --schema >hosts.schema.json`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error { return f.list(io, args, wanted) },
	}
	command.Flags().BoolVar(&wanted.kinds, "kinds", false, "the words that own tasks are made of")
	command.Flags().BoolVar(&wanted.convert, "hosts-yaml", false, "an inventory from elsewhere as a hosts.yaml")
	f.connection.registerFile(command)
	command.Flags().BoolVar(&wanted.schema, "schema", false, "the JSON schema of hosts.yaml, for an editor")
	return command
}

// listFlags say what else than names is listed.
type listFlags struct{ kinds, schema, convert bool }

// list prints what is asked for.
func (f *flags) list(io console, args []string, wanted listFlags) error {
	switch {
	case (wanted.kinds || wanted.schema || wanted.convert) && len(args) > 0:
		return usage(errors.New("list: a name, and --kinds, --schema or --hosts-yaml"), "provision list "+args[0])
	case wanted.kinds:
		return f.listKinds(io)
	case len(args) == 1 && strings.HasPrefix(args[0], kindPrefix):
		return f.listKind(io, strings.TrimPrefix(args[0], kindPrefix))
	}
	all, err := f.selection.tasks()
	if err != nil {
		return err
	}
	if wanted.schema {
		_, err := io.out.Write(inventory.Schema(all.known()))
		return err
	}
	if wanted.convert {
		inv, err := f.selection.load(all, nil)
		if err == nil {
			_, err = io.out.Write(inv.YAML())
		}
		return err
	}
	switch found, err := all.find(args); {
	case f.selection.named() && len(args) > 0:
		return usage(errors.New("list: a name, and -H or -l"), "provision list "+args[0])
	case f.selection.named():
		return f.listChosen(io)
	case len(args) == 0:
		return f.listAll(io, all)
	case err == nil:
		return f.describeTasks(io, found)
	default:
		return f.listNamed(io, args[0], err)
	}
}

func describeTask(io console, task recipe.Task) error {
	return report.Task(io.out, report.Detect(io.out, os.Getenv), task)
}

func (f *flags) describeTasks(io console, found []recipe.Task) error {
	if f.output.json {
		return report.NewJSON(io.out, nil, nil).Tasks(found)
	}
	return describeTask(io, found[0])
}

// listAll prints the tasks, and the inventory's hosts where there is an inventory.
func (f *flags) listAll(io console, all catalogue) error {
	inv, err := f.selection.load(all, nil)
	if err != nil {
		return err
	}
	if f.output.json {
		return errors.Join(report.NewJSON(io.out, nil, nil).Tasks(all), f.nameHosts(io, inv.Hosts()))
	}
	if err := report.Tasks(io.out, report.Detect(io.out, os.Getenv), all); err != nil || len(inv.Hosts()) == 0 {
		return err
	}
	fmt.Fprintf(io.out, "\n%s\n", f.selection.path())
	table := tabwriter.NewWriter(io.out, 0, 4, 2, ' ', 0)
	for _, host := range inv.Hosts() {
		row := []string{"  " + host.Name, host.Address.String(), strings.Join(host.Groups, ","), strings.Join(host.Tasks, ",")}
		fmt.Fprintln(table, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return table.Flush()
}

// nameHosts prints the names of hosts, a line each.
func (f *flags) nameHosts(io console, hosts []inventory.Host) error {
	if f.output.json {
		lines := report.NewJSON(io.out, nil, nil)
		for _, host := range hosts {
			lines.Host(listing(host))
		}
		return lines.Close()
	}
	for _, host := range hosts {
		if _, err := fmt.Fprintln(io.out, host.Name); err != nil {
			return err
		}
	}
	return nil
}

// listing is what is told of a host without its variables.
func listing(host inventory.Host) report.HostListing {
	return report.HostListing{Name: host.Name, Address: host.Address.String(), Groups: host.Groups, Tasks: host.Tasks}
}

// listChosen tells of the hosts that the flags name.
func (f *flags) listChosen(io console) error {
	inv, err := f.selection.open(&inventory.Keys{})
	if err != nil {
		return err
	}
	hosts, err := f.selection.choose(inv, nil, asksNobody)
	if err != nil {
		return err
	}
	if f.selection.list {
		return f.nameHosts(io, hosts)
	}
	return f.describeHosts(io, hosts)
}

// listNamed tells of the hosts of a name, which is no task's: noTask says so where there are
// none either.
func (f *flags) listNamed(io console, name string, noTask error) error {
	inv, err := f.selection.open(&inventory.Keys{})
	if err != nil {
		return err
	}
	hosts, err := inv.Select([]string{name})
	switch hint := hintOf(err); {
	case err == nil:
		return f.describeHosts(io, hosts)
	case hintOf(noTask) == "provision list" && hint != "": // no task is near
		return usage(fmt.Errorf("%q: no such task, host or group", name), hint)
	}
	return noTask
}

// describeHosts tells all that the inventory says of hosts.
func (f *flags) describeHosts(io console, hosts []inventory.Host) error {
	extra, err := f.selection.extras()
	if err != nil {
		return err
	}
	all, err := f.selection.tasks()
	if err != nil {
		return err
	}
	lines := report.NewJSON(io.out, nil, nil)
	for i, host := range hosts {
		told, err := all.effective(host, extra)
		if err != nil {
			return err
		}
		if f.output.json {
			lines.Host(told)
			continue
		}
		if i > 0 {
			fmt.Fprintln(io.out)
		}
		if err := report.Host(io.out, report.Detect(io.out, os.Getenv), told); err != nil {
			return err
		}
	}
	return lines.Close()
}

// effective is a host with the variables that its tasks read.
func (c catalogue) effective(host inventory.Host, extra []inventory.Extra) (report.HostListing, error) {
	told := listing(host)
	for _, key := range inventory.LoginKeys() {
		if setting, set := host.Login[key]; set {
			told.Settings = append(told.Settings, report.HostSetting{Name: "ssh." + key, Value: setting.Value, Of: setting.Of, At: setting.String()})
		}
	}
	its, err := c.find(host.Tasks)
	if err != nil {
		return told, err
	}
	if its, err = c.whole(its); err != nil {
		return told, err
	}
	names, err := c.read(its)
	if err != nil {
		return told, err
	}
	for _, name := range names {
		variables, err := host.Effective(name, c.known(), extra)
		if err != nil {
			return told, err
		}
		for _, v := range variables {
			setting := report.HostSetting{Name: v.Name, Value: v.Value, Of: v.Of}
			switch {
			case v.Missing:
				setting.Of = "has to be set"
			case v.Of == "":
				setting.Of = "default"
			case v.Line > 0:
				setting.At = v.Position.String()
			}
			if v.Secret {
				setting.Value = report.Mark
			}
			told.Settings = append(told.Settings, setting)
		}
	}
	return told, nil
}
