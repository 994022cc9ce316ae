package inventory

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// maxSize is the most that a hosts.yaml may be, in bytes: some ten thousand hosts.
const maxSize = 1 << 20

// Known is every task, by name. It is passed in, so that a task or a variable that there is
// not is refused with the nearest name that there is.
type Known map[string]recipe.Task

// tasks returns the names, sorted.
func (k Known) tasks() []string { return slices.Sorted(maps.Keys(k)) }

// task finds a task, or an instance of one; the hint says what was probably meant.
func (k Known) task(name string) (t recipe.Task, problem, hint string) {
	t, there, problem, hint := recipe.Find(name, func(name string) (recipe.Task, bool) {
		t, there := k[name]
		return t, there
	})
	if there || problem != "" {
		return t, problem, hint
	}
	name, instance, instances := strings.Cut(name, "@")
	hint = didYouMean(name, k.tasks())
	if near := recipe.Nearest(name, k.tasks()); near != "" && instances {
		hint = fmt.Sprintf("did you mean %q?", near+"@"+instance)
	}
	for _, t := range k {
		if slices.Contains(t.Formerly, name) {
			hint = fmt.Sprintf("it is called %s now: write that", t.Name)
		}
	}
	return t, fmt.Sprintf("there is no task %q", short(name)), hint
}

// variable finds "task.variable"; the hint says what was probably meant.
func (k Known) variable(key string) (v recipe.Variable, problem, hint string) {
	task, name, dotted := strings.Cut(key, ".")
	found, problem, hint := k.task(task)
	if problem != "" {
		if !dotted {
			hint = "a variable is written task.variable"
		}
		return v, problem, hint
	}
	var names, bare []string
	for _, v := range found.Variables {
		if dotted && v.Name == name {
			return v, "", ""
		}
		names, bare = append(names, task+"."+v.Name), append(bare, v.Name)
	}
	if !dotted {
		return v, "want task.variable, found the task alone", "one of " + strings.Join(names, ", ")
	}
	if len(names) == 0 {
		return v, fmt.Sprintf("task %s has no variables", task), "remove it"
	}
	hint = "provision list " + task
	if near := recipe.Nearest(name, bare); near != "" {
		hint = fmt.Sprintf("did you mean %q?", task+"."+near)
	} else if len(names) <= shownNames {
		hint = "one of " + strings.Join(names, ", ")
	}
	return v, fmt.Sprintf("task %s has no variable %q", task, name), hint
}

// Setting is a variable's value as the inventory has it, and where it stands.
type Setting struct {
	// Value is raw, as recipe.Variable.Decode wants it, or a Ciphertext.
	Value any
	Position
	Of string // whose it is: "all hosts", "group metrics", "host web1", "-e"
}

// Host is one host, with everything that its groups bring to it.
type Host struct {
	Name    string // in the inventory; of an ad hoc host its address without the user
	Address Address
	Groups  []string           // outermost first; without the implicit group all
	Tasks   []string           // those of its groups first, then its own
	Vars    map[string]Setting // by "task.variable"; what is nearest to the host wins
	Added   bool               // by With, not of the file: not in the group all
	AsAdded bool               // of the file, with the address of one that With added
	Login   map[string]Setting // of ssh:, by its keys; the same
	at      Position
	secrets Decrypter
}

// Inventory is a hosts.yaml that was read and found good. The zero value is an inventory
// without a file: it has no hosts, but takes ad hoc ones.
type Inventory struct {
	vars       map[string]Setting
	login      map[string]Setting
	groups     []group
	hosts      []Host
	recipients []string
	secrets    Decrypter

	Told []string // what a person should know of how it was read
}

type group struct {
	name     string
	at       Position
	hosts    []string        // those named in it
	children []string        // the groups named in it
	members  map[string]bool // its hosts and those of the groups in it
	tasks    []string
	vars     map[string]Setting
	login    map[string]Setting
	depth    int // 1 is in no other group
}

// Hosts returns the hosts of the group all, in the file's order.
func (inv *Inventory) Hosts() []Host {
	var all []Host
	for _, host := range inv.hosts {
		if !host.Added {
			all = append(all, host)
		}
	}
	return all
}

// Has reports whether there is a host of this name.
func (inv *Inventory) Has(name string) bool {
	return slices.ContainsFunc(inv.hosts, func(host Host) bool { return host.Name == name })
}

// Groups returns the groups' names in the file's order, without the implicit all.
func (inv *Inventory) Groups() []string {
	var names []string
	for _, g := range inv.groups {
		names = append(names, g.name)
	}
	return names
}

// Recipients returns the public keys for whom this inventory's secrets are encrypted.
func (inv *Inventory) Recipients() []string { return slices.Clone(inv.recipients) }

// Load reads an inventory from a file. Secrets stay encrypted until a host's Values are
// asked for; secrets may be nil, and then those Values are an error. A file that cannot
// be read is an *Error that wraps the reason: errors.Is(err, fs.ErrNotExist). One of
// Ansible's, also a program that prints one, is read as it is (foreign.go).
func Load(path string, known Known, secrets Decrypter) (*Inventory, error) {
	var data []byte
	var told []string
	var root *node
	as, err := ansibleJSON, error(nil)
	if IsProgram(path) {
		if data, told, err = runProgram(path, programTime); err == nil {
			root, err = parseJSON(path+" --list", data)
		}
	} else if data, err = readFile(path); err == nil {
		as, root, err = formOf(path, data)
	}
	if err != nil {
		return nil, err
	}
	if as == ours && root != nil {
		return decode(path, root, known, secrets)
	}
	if as == ours {
		return Parse(path, data, known, secrets)
	}
	root, more, err := readAnsible(path, as, data, root)
	if err != nil {
		return nil, err
	}
	inv, err := decode(path, root, known, secrets)
	if err != nil {
		return nil, err
	}
	inv.Told = append(told, more...)
	return inv, nil
}

// readFile reads what may be an inventory, and never more than an inventory has.
func readFile(path string) ([]byte, error) {
	refuse := func(problem, hint string, cause error) ([]byte, error) {
		return nil, &Error{Position: Position{File: path}, Problem: problem, Advice: hint, Cause: cause}
	}
	// Before it is opened: opening a FIFO would wait for a writer.
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse("no such file", "provision list nginx shows one to start from; or name a host: -H user@host", err)
	case err != nil:
		return refuse(reason(err), "ls -ld "+path+" shows whose it is", err)
	case info.IsDir():
		return refuse("is a directory", "name the file in it", nil)
	case !info.Mode().IsRegular():
		return refuse("is not a regular file", "ls -ld "+path+" shows what it is", nil)
	}
	most := int64(maxSize)
	if filepath.Ext(path) == ".json" { // what a program printed, which says much of each host
		most = maxProgramText
	}
	tooBig := fmt.Sprintf("larger than %d MiB", most>>20)
	if info.Size() > most {
		return refuse(tooBig, "this is hardly the file that was meant", nil)
	}
	file, err := os.Open(path)
	if err != nil {
		return refuse(reason(err), "ls -ld "+path+" shows whose it is", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return refuse(reason(err), "ls -ld "+path+" shows whose it is", err)
	}
	if int64(len(data)) > most {
		return refuse(tooBig, "this is hardly the file that was meant", nil)
	}
	return data, nil
}

// reason is an error without the path, which the message has already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// Parse reads an inventory. The name is the file's, for errors; these are an *Error, or
// Errors where there are several.
func Parse(name string, data []byte, known Known, secrets Decrypter) (*Inventory, error) {
	if len(data) > maxSize {
		return nil, &Error{Position: Position{File: name}, Problem: "larger than 1 MiB", Advice: "this is hardly the file that was meant"}
	}
	root, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	return decode(name, root, known, secrets)
}

// decode makes an inventory of a tree.
func decode(name string, root *node, known Known, secrets Decrypter) (*Inventory, error) {
	d := decoder{known: known}
	inv := d.inventory(name, root)
	if len(d.errs) == 0 {
		d.misnamed(inv)
		d.resolve(inv)
	}
	if err := d.errs.result(); err != nil {
		return nil, err
	}
	inv.secrets = secrets
	for i := range inv.hosts {
		inv.hosts[i].secrets = secrets
	}
	return inv, nil
}
