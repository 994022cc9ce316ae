package inventory

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// What Ansible's variables say of how a host is reached, and what they are here. Their names, the old ones
// among them: ansible.builtin.ssh connection, and "Connecting to hosts: behavioral inventory parameters".
var ansibleNames = struct{ address, port, user, identity, arguments, connection, become, passwords, harmless []string }{
	address:    []string{"ansible_host", "ansible_ssh_host"},
	port:       []string{"ansible_port", "ansible_ssh_port"},
	user:       []string{"ansible_user", "ansible_ssh_user"},
	identity:   []string{"ansible_private_key_file", "ansible_ssh_private_key_file"},
	arguments:  []string{"ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"},
	connection: []string{"ansible_connection"},
	become:     []string{"ansible_become", "ansible_become_method", "ansible_become_user", "ansible_sudo", "ansible_sudo_user"},
	passwords: []string{"ansible_password", "ansible_ssh_pass", "ansible_ssh_password", "ansible_become_password", "ansible_become_pass",
		"ansible_sudo_pass", "ansible_su_pass", "ansible_ssh_private_key_passphrase", "ansible_private_key_passphrase"},
	// These make no difference here: no Python is needed, nor what speeds ssh up, nor another shell.
	harmless: []string{"ansible_group_priority", "ansible_pipelining", "ansible_ssh_pipelining", "ansible_shell_type", "ansible_shell_executable",
		"ansible_ssh_transfer_method", "ansible_scp_if_ssh", "ansible_ssh_retries", "ansible_interpreter_python_fallback", "ansible_os_family", "ansible_network_os"},
}

// viaSSH are the connections of Ansible's that are one by ssh.
var viaSSH = []string{"ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh", "ansible.netcommon.libssh"}

// entry is a host as hosts.yaml has it. It is not reached where the connection is none by ssh, which is told.
func (a *ansible) entry(host *ansibleHost) (*node, bool) {
	vars := a.varsOf(host)
	what := "host " + host.name
	if !groupName.MatchString(host.name) {
		a.refuse(host.at, fmt.Sprintf("host %q", host.name), "is not a name", "letters, digits, _ . and - only: give it one, with ansible_host beside")
		return nil, false
	}
	if value := a.plain(what, vars, ansibleNames.connection); value != nil && !slices.Contains(viaSSH, value.text) {
		a.told = append(a.told, fmt.Sprintf("%s: host %s is left out: its connection is %s, and none by ssh%s", value.at, host.name, short(value.text), aboutLocal(value.text)))
		return nil, false
	}
	entry, ssh := mapNode(host.at), mapNode(host.at)
	if value := a.plain(what, vars, ansibleNames.address); value != nil {
		text := value.text
		if strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "[") {
			text = "[" + text + "]"
		}
		entry.put("address", value.at, textNode(text, value.at))
	}
	if value := a.plain(what, vars, ansibleNames.port); value != nil {
		ssh.put(loginPort, value.at, numberOf(value))
	}
	if value := a.plain(what, vars, ansibleNames.user); value != nil {
		ssh.put(loginUser, value.at, textNode(value.text, value.at))
	}
	if value := a.plain(what, vars, ansibleNames.identity); value != nil {
		ssh.put(loginIdentity, value.at, textNode(fromHere(value.text), value.at))
	}
	a.arguments(what, vars, ssh)
	a.others(vars)
	if len(ssh.pairs) > 0 {
		ssh.at = ssh.pairs[0].value.at
		entry.put("ssh", ssh.at, ssh)
	}
	return entry, true
}

func aboutLocal(connection string) string {
	if strings.HasSuffix(connection, "local") {
		return "; --local is this machine"
	}
	return ""
}

// fromHere is the path of a key: Ansible gives it to ssh as it is, and so it is taken from where one is.
func fromHere(path string) string {
	if strings.HasPrefix(path, "~") {
		return path
	}
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// plain is the value of the first of some names, as a text; nil where there is none. What only Ansible can
// work out is refused.
func (a *ansible) plain(what string, vars map[string]*node, names []string) *node {
	for _, name := range names {
		value := vars[name]
		switch {
		case value == nil || value.kind == kindNull:
			continue
		case value.vaulted():
			a.refuse(value.at, what+": "+name, "is encrypted by ansible-vault", "write it in plain text: how a host is reached is no secret; passwords are not read from inventories")
		case value.alias:
			a.refuse(value.at, what+": "+name, "is an alias (*) of a list or mapping, which is not looked up", "write the value that it has")
		case strings.Contains(value.text, "{{") || strings.Contains(value.text, "{%"):
			a.refuse(value.at, what+": "+name, "is a Jinja expression, which only Ansible can work out", "write the value that it has")
		case value.kind == kindList || value.kind == kindMapping:
			a.refuse(value.at, what+": "+name, "want a string, found "+value.describe(), "one value, without brackets and without - in front")
		default:
			return value
		}
		return nil
	}
	return nil
}

// vaulted reports whether a value is for ansible-vault alone: by a tag of YAML's, or as ansible-inventory
// prints it.
func (n *node) vaulted() bool {
	return n.vault || strings.HasPrefix(n.text, vaultHeader) || n.get("__ansible_vault") != nil
}

// vaultHeader begins what ansible-vault has encrypted.
const vaultHeader = "$ANSIBLE_VAULT"

// numberOf is a value as a number, which some forms of an inventory have as text.
func numberOf(n *node) *node {
	if n.kind == kindString && whole.MatchString(n.text) {
		number := &node{kind: kindInt, text: n.text, at: n.at}
		fmt.Sscan(n.text, &number.whole)
		return number
	}
	return n
}

// others notes what is said besides of how a host is reached.
func (a *ansible) others(vars map[string]*node) {
	known := slices.Concat(ansibleNames.address, ansibleNames.port, ansibleNames.user, ansibleNames.identity, ansibleNames.arguments, ansibleNames.connection, ansibleNames.harmless)
	for name, value := range vars {
		switch {
		case slices.Contains(known, name) || strings.HasSuffix(name, "_interpreter"):
		case slices.Contains(ansibleNames.become, name) && slices.Contains([]string{"true", "True", "yes", "1", "sudo", "ansible.builtin.sudo", "root"}, value.text):
		default:
			a.note(name, value.at)
		}
	}
}

// whyUnread says what to do instead.
func whyUnread(name string) string {
	switch {
	case slices.Contains(ansibleNames.passwords, name):
		return "passwords are not taken from inventories; a key needs none, else --ask-password and -K ask"
	case slices.Contains(ansibleNames.become, name):
		return "all is done as root, by sudo where somebody else logs in"
	case strings.Contains(name, "host_key_checking") || strings.HasSuffix(name, "stricthostkeychecking"):
		return "host keys are always checked; -o StrictHostKeyChecking=accept-new takes new ones"
	case strings.HasSuffix(name, "timeout"):
		return "-o ConnectTimeout=SECONDS says how long to wait"
	}
	return ""
}
