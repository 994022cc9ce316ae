package inventory

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folders reads the variables of groups and hosts that stand in files of their names, in group_vars and
// host_vars beside an inventory: NAME, NAME.yml, NAME.yaml or NAME.json, the first that there is, or all files
// of a directory NAME in the order of their names (ansible.builtin.host_group_vars).
func (a *ansible) folders() {
	beside := filepath.Dir(a.file)
	for _, g := range append(a.inOrder(), a.implied()...) {
		for _, file := range variableFiles(filepath.Join(beside, "group_vars"), g.name) {
			a.variables(g.file, "group "+g.name, file)
		}
	}
	for _, name := range a.order.hosts {
		for _, file := range variableFiles(filepath.Join(beside, "host_vars"), name) {
			a.variables(a.hosts[name].file, "host "+name, file)
		}
	}
}

// implied are the groups that are there of themselves, and named nowhere.
func (a *ansible) implied() []*ansibleGroup {
	if _, named := a.groups[everyHost]; named {
		return nil
	}
	g := a.group(everyHost, Position{a.file, 1, 1})
	g.declared = true
	return []*ansibleGroup{g}
}

// mostVariableFiles is the most files of one group or host.
const mostVariableFiles = 100

func variableFiles(folder, name string) []string {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return nil
	}
	path := filepath.Join(folder, name)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filesBelow(path, 0)
	}
	for _, end := range []string{"", ".yml", ".yaml", ".json"} {
		if info, err := os.Stat(path + end); err == nil && !info.IsDir() {
			return []string{path + end}
		}
	}
	return nil
}

// filesBelow are the files of a directory and of those in it, without what is hidden or an editor's copy.
func filesBelow(path string, depth int) []string {
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil || depth > 4 {
		return nil
	}
	var files []string
	for _, entry := range entries {
		name := entry.Name()
		file := filepath.Join(path, name)
		info, err := os.Stat(file) // which follows a link
		switch {
		case err != nil || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~"):
		case info.IsDir():
			files = append(files, filesBelow(file, depth+1)...)
		case slices.Contains([]string{"", ".yml", ".yaml", ".json"}, filepath.Ext(name)) && len(files) < mostVariableFiles:
			files = append(files, file)
		}
	}
	return files
}

// variables reads a file of variables. Of several files of one host a later one wins; a file that is encrypted
// as a whole is told.
func (a *ansible) variables(vars map[string]*node, what, file string) {
	data, err := readFile(file)
	if err == nil && bytes.HasPrefix(data, []byte(vaultHeader)) {
		a.told = append(a.told, file+": is encrypted by ansible-vault, and not read: if it says how "+what+" is reached, that is not known here")
		return
	}
	var root *node
	if err == nil {
		root, err = parseForeign(file, data)
	}
	switch err := err.(type) {
	case nil:
	case *Error:
		a.errs = append(a.errs, err)
		return
	case Errors:
		a.errs = append(a.errs, err...)
		return
	}
	if root == nil || root.kind == kindNull || !a.mapping(root, what) {
		return
	}
	own := map[string]*node{}
	for _, entry := range root.pairs {
		a.set(own, what, entry.key.text, entry.value)
	}
	for name, value := range own {
		vars[name] = value
	}
}
