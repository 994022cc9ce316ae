package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAnsible reads each inventory of testdata/ansible, and holds what it is as hosts.yaml, and what a person is
// told, against the text beside it.
func TestAnsible(t *testing.T) {
	inventories, err := filepath.Glob("testdata/ansible/*/*[hy]*")
	if err != nil || len(inventories) == 0 {
		t.Fatalf("%q, %v", inventories, err)
	}
	for _, file := range inventories {
		if base := filepath.Base(file); base == "group_vars" || base == "host_vars" {
			continue
		}
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			inv, err := Load(file, known(), nil)
			if err != nil {
				t.Fatalf("%v", err)
			}
			got := string(inv.YAML())
			again, err := Parse("hosts.yaml", []byte(got), known(), nil)
			if err != nil {
				t.Errorf("what it was made to is refused: %v", err)
			} else if twice := string(again.YAML()); twice != got {
				t.Errorf("what it was made to becomes something else: %s", cmp.Diff(got, twice))
			}
			for _, line := range inv.Told {
				got += "# " + line + "\n"
			}
			compare(t, filepath.Dir(file)+".txt", got)
		})
	}
}

// What is refused of Ansible's, by the file's name, with the first thing that is told of it.
func TestAnsibleRefused(t *testing.T) {
	var told strings.Builder
	for _, one := range []struct{ name, text string }{
		{"hosts", "web1 ansible_user={{ me }}\n"},
		{"hosts", "web1 ansible_host=\"{{ lookup('env', 'X') }}\"\n"},
		{"hosts", "web1 ansible_port=70000\n"},
		{"hosts", "web1 ansible_port=22x\n"},
		{"hosts", "web1:0\n"},
		{"hosts", "web1 ansible_user='root;id'\n"},
		{"hosts", "web1 ansible_host='a;b'\n"},
		{"hosts", "web1 ansible_host=-oProxyCommand=x\n"},
		{"hosts", "web1 ansible_user=a ansible_user=b\n"},
		{"hosts", "web1 ansible_user=a\n[g]\nweb1 ansible_user=b\n"},
		{"hosts", "web1 ansible_host=10.0.0.1\nweb2 ansible_host=10.0.0.1\n"},
		{"hosts", "web1 ansible_user = a\n"},
		{"hosts", "web1 'x\n"},
		{"hosts", "[web\nweb1\n"},
		{"hosts", "[we b]\nweb1\n"},
		{"hosts", "[web:hosst]\nweb1\n"},
		{"hosts", "[web:vars]\nansible_user=a\n"},
		{"hosts", "[web:vars]\nansible_user\n[web]\nweb1\n"},
		{"hosts", "[web]\nweb1\n[all-web:children]\nwbe\n"},
		{"hosts", "[a:children]\nb\n[b:children]\na\n[b]\nweb1\n"},
		{"hosts", "[web1]\nweb1\n"},
		{"hosts", "[web]\n"},
		{"hosts", "[web]\nweb[1:99999]\n"},
		{"hosts", "[web]\nweb[3:1]\n"},
		{"hosts", "[web]\nweb[01:100]\n"},
		{"hosts", "[web]\nweb[1:9:0]\n"},
		{"hosts", "[web]\nw[1:2000]-[1:2000]\n"},
		{"hosts", "[web]\n2001:db8::1\n"},
		{"hosts", "[web]\nweb1\x00\n"},
		{"hosts", "[web]\nweb1 ansible_user=\xff\n"},
		{"hosts", "web1 ansible_ssh_common_args='-o ProxyCommand=\"nc -x proxy %h %p\"'\n"},
		{"hosts", "web1 ansible_ssh_common_args='-o ProxyJump=-oProxyCommand=x'\n"},
		{"hosts", "web1 ansible_ssh_common_args='rm -rf'\n"},
		{"hosts", "[web]\nweb1\nweb2\n[web:vars]\nansible_ssh_common_args=-J web1\n"},
		{"hosts.yml", "all:\n  hosts:\n    web1:\n      ansible_user: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        61\n"},
		{"hosts.yml", "all:\n  hosts:\n    web1:\n    web1:\n"},
		{"hosts.yml", "all:\n  hosts: [web1]\n"},
		{"hosts.yml", "all:\n  host:\n    web1:\n"},
		{"hosts.yml", "all:\n  hosts:\n    web1: {ansible_user: [a]}\n"},
		{"hosts.yml", "all:\n  hosts:\n    web1: {<<: *x}\n"},
		{"hosts.yml", "all:\n  hosts:\n    web1: {<<: {a: 1, a: 2}, ansible_user: !vault x}\n"},
		{"hosts.yml", "all:\n  vars: {a: &u root}\n  hosts:\n    web1: {<<: [*u]}\n"},
		{"hosts.yml", "all:\n  hosts: &h\n    web1:\nweb:\n  hosts: *h\n"},
		{"hosts.yml", "all:\n  vars: {a: &u [root]}\n  hosts:\n    web1: {ansible_user: *u}\n"},
		{"hosts.yml", "web:\n  hosts:\n    web1: {ansible_port: 22.5}\n"},
		{"aws_ec2.yml", "plugin: amazon.aws.aws_ec2\nregions: [eu-north-1]\n"},
		{"hosts.json", `{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": {"ansible_port": 0}}}}`},
		{"hosts.json", `{"web": {"hosts": ["a"]}, "web": {"hosts": ["b"]}, "_meta": {"hostvars": {}}}`},
		{"hosts.json", `{"web": {"hosts": "a"}, "_meta": {"hostvars": {}}}`},
		{"hosts.json", `{"web": {"hosts": ["a", 3]}, "_meta": {"hostvars": {}}}`},
		{"hosts.json", `{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {`},
		{"hosts.json", `{"web": {"children": ["none"]}, "_meta": {"hostvars": {}}}`},
		{"hosts.json", `{"_meta": {"hostvars": {}}}`},
	} {
		file := filepath.Join(t.TempDir(), one.name)
		if err := os.WriteFile(file, []byte(one.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Load(file, known(), nil)
		if err == nil {
			t.Errorf("%q is not refused", one.text)
			continue
		}
		for _, e := range each(t, err) {
			if e.Advice == "" {
				t.Errorf("%v: no hint", e)
			}
		}
		told.WriteString(strings.TrimRight(one.text, "\n") + "\n=> " + strings.ReplaceAll(err.Error()+"\n   hint: "+hintOf(err), filepath.Dir(file)+"/", "") + "\n\n")
	}
	compare(t, "testdata/ansible/refused.txt", strings.ToValidUTF8(strings.ReplaceAll(told.String(), "\x00", "<NUL>"), "?"))
}

// What merges bring to the mappings of a small file has a bound.
func TestAnsibleMergesAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("all:\n  vars:\n    many: &many\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "      v%d: 1\n", i)
	}
	text.WriteString("  hosts:\n")
	for i := range mostMerged/1000 + 1 {
		fmt.Fprintf(&text, "    web%d: {<<: *many}\n", i)
	}
	file := filepath.Join(t.TempDir(), "hosts.yml")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, known(), nil); err == nil || !strings.Contains(err.Error(), "more than 100000 entries by merges") || !strings.Contains(hintOf(err), "ansible-inventory -i ") {
		t.Errorf("%v, hint %q", err, hintOf(err))
	}
}

// Thousands of hosts in hundreds of groups take no longer than they are many.
func TestAnsibleLarge(t *testing.T) {
	var text strings.Builder
	for n := range 40 {
		fmt.Fprintf(&text, "[g%d]\nweb[0001:1999:%d]\n[all%d:children]\ng%d\n[g%d:vars]\nansible_user=u\n", n, n+1, n, n, n)
	}
	file := filepath.Join(t.TempDir(), "hosts.ini")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	inv, err := Load(file, known(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); len(inv.Hosts()) != 1999 || took > 2*time.Minute {
		t.Errorf("%d hosts in %s", len(inv.Hosts()), took)
	} else {
		t.Log(took)
	}
}

// Whatever an inventory in INI form is, it is read or refused with its place, and what it becomes is a good
// hosts.yaml.
func FuzzAnsibleINI(f *testing.F) {
	for _, seed := range []string{
		"web1\n[g]\nweb[01:03:2] ansible_user=a # x\n[o:children]\ng\n[o:vars]\nansible_port=22\n",
		"a:22 ansible_host=\"'::1'\" ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p x@y -p 3\" -Jz'\n",
		"[a:children]\nb\n[b:children]\na\n", "[a:b[:1]", "a['", "x[a:F]y[0:1]\n", "[g:vars]\nansible_group_priority=-1\n[g]\nall\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a := newAnsible("hosts")
		a.limit = 100
		a.ini(data)
		if len(a.errs) > 0 {
			placed(t, string(data), a.errs.result())
			return
		}
		tree, err := a.tree()
		if err != nil {
			placed(t, string(data), err)
			return
		}
		inv, err := decode("hosts", tree, known(), nil)
		if err != nil {
			return // as hosts.yaml would be
		}
		if again, err := Parse("hosts.yaml", inv.YAML(), known(), nil); err != nil {
			t.Errorf("%v of\n%s", err, inv.YAML())
		} else if string(again.YAML()) != string(inv.YAML()) {
			t.Errorf("%s\n%s", inv.YAML(), again.YAML())
		}
	})
}
