package inventory

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
)

// An inventory may be Ansible's: what it is shows its name, and what is in it.

// form is how an inventory is written.
type form int

const (
	ours form = iota
	ansibleINI
	ansibleYAML
	ansibleJSON // as a program prints it
)

// ourKeys are those of hosts.yaml's top.
var ourKeys = []string{"recipients", "vars", "ssh", "groups", "hosts"}

// formOf says what a file is. Its tree is there where it was read for that.
func formOf(file string, data []byte) (form, *node, error) {
	end := filepath.Ext(file)
	switch {
	case end == ".ini" || end == ".cfg" || end != ".yaml" && end != ".yml" && end != ".json" && looksINI(data):
		return ansibleINI, nil, nil
	case end == ".json":
		root, err := parseJSON(file, data)
		if err == nil && root.get("_meta") != nil {
			return ansibleJSON, root, nil
		}
		if err == nil && !isAnsible(root) {
			return ours, nil, nil
		}
		return ansibleYAML, root, err
	}
	if root, err := parseYAML(file, data); err == nil && root != nil && !isAnsible(root) && root.pair("plugin") == nil {
		return ours, root, nil
	}
	root, err := parseForeign(file, data)
	if plugin := root.pair("plugin"); err == nil && plugin != nil {
		return ours, nil, &Error{Position: plugin.key.at, What: "plugin " + short(plugin.value.text), Problem: "is for Ansible, and no inventory by itself", Advice: writtenOut(file)}
	}
	if !isAnsible(root) {
		return ours, nil, nil // which says what is wrong, if something is
	}
	return ansibleYAML, root, err
}

// writtenOut is the hint for what Ansible alone makes an inventory of.
func writtenOut(file string) string {
	return "ansible-inventory -i " + file + " --list >hosts.json, then --inventory hosts.json"
}

// looksINI looks at the first line that says something: a section, or a host without the colon that YAML has
// there.
func looksINI(data []byte) bool {
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
			continue
		case iniSection.MatchString(text):
			return true
		}
		words, problem := shellWords(text, true)
		return problem == "" && len(words) > 0 && !strings.Contains(text, ": ") && !strings.HasSuffix(words[0], ":") &&
			words[0] != "---" && !strings.ContainsAny(text[:1], "{%!&*-")
	}
	return false
}

// isAnsible reports whether a tree is Ansible's: groups with hosts, children or vars stand at its top.
func isAnsible(root *node) bool {
	if root == nil || root.kind != kindMapping || len(root.pairs) == 0 {
		return false
	}
	if root.get(everyHost) != nil || root.get(ungrouped) != nil {
		return true
	}
	groups := false
	for _, entry := range root.pairs {
		if slices.Contains(ourKeys, entry.key.text) {
			return false
		}
		groups = groups || entry.value.get("hosts") != nil || entry.value.get("children") != nil
	}
	return groups
}

// readAnsible turns an inventory of Ansible's into a tree as hosts.yaml has it, and returns what a person
// should know of that.
func readAnsible(file string, as form, data []byte, root *node) (*node, []string, error) {
	a := newAnsible(file)
	switch as {
	case ansibleINI:
		a.ini(data)
	case ansibleYAML:
		a.ofYAML(root)
	case ansibleJSON:
		a.dynamic(root)
	}
	if len(a.errs) > 0 {
		return nil, nil, a.errs.result()
	}
	a.rest()
	a.folders()
	tree, err := a.tree()
	return tree, a.told, err
}

// parseForeign reads YAML, or JSON by its name, as others write it: any scalar is a key, and a value that is
// tagged !vault or !unsafe is kept as such.
func parseForeign(file string, data []byte) (*node, error) {
	if filepath.Ext(file) == ".json" {
		return parseJSON(file, data)
	}
	return parseYAMLAs(file, data, true)
}
