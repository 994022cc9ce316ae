package project

import (
	"reflect"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// What only some tasks ask is asked where it is read, and is made up until it is known.
func TestAskedFacts(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
def build(v, host):
    return [file("/etc/shop", " ".join([host.address] + host.tasks + host.addresses + [host.interface, host.virtualization, host.boot_id]))]
`)
	task := p.Tasks()[0]
	in := input(task, nil)
	content := func() string {
		r, err := task.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		return r.Items[0].Resource.(resource.File).Content
	}
	if got, want := content(), "web1.example.org nginx shop 192.0.2.1 eth0 kvm 00000000-0000-0000-0000-000000000000"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	says := map[string]recipe.Said{"addresses": {Text: "10.0.0.1 fd00::1"}, "interface": {}, "virtualization": {Text: "none"}, "boot_id": {Text: "x"}}
	in.Ask = func(question recipe.Probe, _ string) (recipe.Said, bool) {
		said, known := says[question.Key.Name]
		return said, known
	}
	if got, want := content(), "web1.example.org nginx shop 10.0.0.1 fd00::1  none x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	says["virtualization"] = recipe.Said{Problem: "ends with 127"}
	_, err := task.Build(in)
	if err == nil || recipe.Guessed(err) || err.Error() != "tasks/shop.star:2:108: host.virtualization: the host's answer ends with 127" {
		t.Errorf("%v", err)
	}
}

// Peers are those that a run knows, of the task itself or of another.
func TestPeers(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
variables = [var("port", int), var("names", list, default = []), var("token", secret)]

def build(v, host):
    others = [p for p in host.peers("nginx") if p.name != host.name]
    return [
        file("/etc/all", "".join(["%s %s %d %s\n" % (p.name, p.address, p.vars.port, ",".join(p.groups + p.vars.names)) for p in host.peers()])),
        file("/etc/others", ",".join([p.name for p in others])),
    ]
`)
	task := p.Tasks()[0]
	in := input(task, nil)
	var asked []string
	in.Peers = func(task string) ([]recipe.Peer, error) {
		asked = append(asked, task)
		return twoPeers(task)
	}
	r, err := task.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []recipe.Resource{
		resource.File{Path: "/etc/all", Content: "web1 web1.example.org 80 web,a\nweb2 10.0.0.2 81 \n"}, resource.File{Path: "/etc/others", Content: "web2"},
	}
	if got := listed(r); !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if want := []string{"nginx", "shop"}; !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for the peers of %q, want %q", asked, want)
	}
}

// What is made up before a host is asked says so of an error, and the host's own does not.
func TestGuessedFacts(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
def build(v, host):
    if host.cpus < 4:
        fail("%d processors are too few" % host.cpus)
    return [file("/etc/shop", "%d %d %s" % (min(host.cpus, 8), host.memory_mb // 2, host.hostname))]

def verify(v, host):
    return [runs("true") for x in range(host.release)] + [None]
`)
	task := p.Tasks()[0]
	in := input(task, nil)
	in.Guess = true
	if _, err := task.Build(in); !recipe.Guessed(err) {
		t.Errorf("it is an error before the host was asked: %v", err)
	}
	if _, err := task.Verify(in); err == nil || recipe.Guessed(err) {
		t.Errorf("it is none: %v", err)
	}
	in.Guess = false
	if _, err := task.Build(in); err == nil || recipe.Guessed(err) {
		t.Errorf("it is no error of the host's own: %v", err)
	}
	in.Host = recipe.HostOf(recipe.Listed{}, recipe.Platform{CPUs: 16, MemoryMB: 2048, Hostname: "web1"})
	r, err := task.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := (resource.File{Path: "/etc/shop", Content: "8 1024 web1"}); !reflect.DeepEqual(r.Items[0].Resource, want) {
		t.Errorf("%+v", r.Items[0].Resource)
	}
}
