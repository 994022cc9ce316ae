package run

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/tasks"
)

// shipped are the tasks that ship, by name.
func shipped() inventory.Known {
	known := inventory.Known{}
	for _, task := range tasks.All() {
		known[task.Name] = task
	}
	return known
}

// whole are tasks with those that they need, these before them.
func whole(known inventory.Known, names []string) []recipe.Task {
	var all []recipe.Task
	for _, name := range names {
		for _, task := range append(whole(known, known[name].Needs), known[name]) {
			if !slices.ContainsFunc(all, func(one recipe.Task) bool { return one.Name == task.Name }) {
				all = append(all, task)
			}
		}
	}
	return all
}

// exampleHost is a host of a task's example, with what builds of it can see.
type exampleHost struct {
	Blueprint
	known     Known
	exporters *exporters
}

// exampleHosts are those of a task's example.
func exampleHosts(t *testing.T, known inventory.Known, name string) []exampleHost {
	t.Helper()
	inv, err := inventory.Load("../../tasks/examples/"+name+"/hosts.yaml", known, nil)
	if err != nil {
		t.Fatal(err)
	}
	exported := kept{}
	var hosts []exampleHost
	for _, host := range inv.Hosts() {
		b := Blueprint{Tasks: whole(known, host.Tasks), Values: map[string]recipe.Values{}, Host: recipe.Listed{Name: host.Name, Address: host.Address.Host, Groups: host.Groups}}
		b.Host.Tasks = namesOf(b.Tasks)
		for task := range known {
			if b.Values[task], err = host.Values(task, known, nil); err != nil && slices.Contains(b.Host.Tasks, task) {
				t.Fatal(err)
			}
		}
		certificate, err := os.ReadFile("../../tasks/testdata/" + host.Name + ".pem")
		if err == nil {
			exported[copied(host.Name)] = Known{Said: map[string]string{"secure_metrics.certificate": string(certificate), "failover.certificate": string(certificate)}}
		}
		platform := recipe.Platforms()[0]
		hosts = append(hosts, exampleHost{b, Known{Platform: platform, Said: map[string]string{recipe.Addresses: "192.0.2.1", recipe.Interface: "eth0"}}, &exporters{last: exported}})
	}
	for i := range hosts {
		hosts[i].Peers = func(task string) ([]recipe.Peer, error) {
			var peers []recipe.Peer
			for _, host := range hosts {
				if slices.Contains(host.Host.Tasks, task) {
					peers = append(peers, recipe.Peer{Listed: host.Host, Vars: host.Values[task]})
				}
			}
			return peers, nil
		}
	}
	return hosts
}

// other is a host that differs from this one in one thing that builds can see, or in none.
func (h exampleHost) other(random *rand.Rand, all inventory.Known) (exampleHost, string) {
	h.Values, h.known.Said = maps.Clone(h.Values), maps.Clone(h.known.Said)
	platform, listed := &h.known.Platform, &h.Host
	changes := []func() string{
		func() string { return "nothing" },
		func() string { listed.Name += "x"; return "name" },
		func() string { listed.Address = "192.0.2.99"; return "address" },
		func() string { listed.Groups = []string{"others"}; return "groups" },
		func() string {
			listed.Tasks = append([]string{"firewall", "graphite", "statsd"}, listed.Tasks...)
			return "tasks"
		},
		func() string { h.Address = "198.51.100.9"; return "the way there" },
		func() string { platform.Hostname += "x"; return "hostname" },
		func() string { platform.CPUs++; return "CPUs" },
		func() string { platform.MemoryMB *= 2; return "memory" },
		func() string { platform.Arch = "arm64"; return "arch" },
		func() string { platform.System = recipe.Platforms()[2].System; return "release" },
		func() string { h.known.Said[recipe.Addresses] = "192.0.2.77 2001:db8::1"; return "addresses" },
		func() string { h.known.Said[recipe.Interface] = "ens3"; return "interface" },
		func() string { h.exporters = &exporters{last: kept{}}; return "exports" },
		func() string {
			peers := h.Peers
			h.Peers = func(task string) ([]recipe.Peer, error) {
				all, err := peers(task)
				return append(all, recipe.Peer{Listed: recipe.Listed{Name: "web9", Address: "192.0.2.9"}, Vars: h.Values[task]}), err
			}
			return "peers"
		},
	}
	if at := random.IntN(2 * len(changes)); at < len(changes) {
		return h, changes[at]()
	}
	task := h.Tasks[random.IntN(len(h.Tasks))]
	if len(task.Uses) > 0 && random.IntN(3) == 0 { // one whose variables it reads
		task = all[task.Uses[random.IntN(len(task.Uses))]]
	}
	if len(task.Variables) == 0 || h.Values[task.Name] == nil {
		return h, "nothing"
	}
	v := task.Variables[random.IntN(len(task.Variables))]
	values := maps.Clone(h.Values[task.Name])
	values[v.Name] = varied(random, v, values[v.Name])
	if task.Check != nil {
		if _, err := task.Check(values); err != nil {
			return h, "nothing"
		}
	}
	h.Values[task.Name] = values
	return h, task.Name + "." + v.Name
}

// varied is another value of a variable, as far as one is found that it may have.
func varied(random *rand.Rand, v recipe.Variable, now any) any {
	var raw []any
	for _, choice := range v.Choices {
		raw = append(raw, choice)
	}
	switch now := now.(type) {
	case bool:
		return !now
	case int:
		raw = append(raw, now+1, now-1)
	case string, recipe.Secret:
		raw = append(raw, "other", "/srv/other", "other.example.org", "https://other.example.org/", "192.0.2.55", "10m", "64mb", "")
	case []string:
		raw = append(raw, []any{}, []any{"10.9.0.0/16"}, []any{"other.example.org"}, []any{"/other"})
	}
	for range 20 {
		if len(raw) == 0 {
			break
		}
		if value, err := v.Decode(raw[random.IntN(len(raw))]); err == nil && !reflect.DeepEqual(value, now) {
			return value
		}
	}
	return v.Zero()
}

// What hosts with the tasks that ship share is what each of them would have got by itself: hosts of their
// examples, and such as differ from these in one thing.
func TestHostsOfShippedTasksGetWhatEachWould(t *testing.T) {
	known, batches := shipped(), 10
	if testing.Short() {
		batches = 2
	}
	for name := range known {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			shares := 0
			for _, first := range exampleHosts(t, known, name) {
				for range batches {
					shared := new(alike)
					first.prepare(&first.known, first.exporters, shared)
					for range 12 { // fewer than are kept
						host, differs := first.other(random, known)
						if host.gets(t, shared, differs) {
							shares++
						}
					}
				}
			}
			if shares == 0 {
				t.Error("no two hosts share a build")
			}
		})
	}
}

// gets compares what a host shares with what it would get by itself, and reports whether it shares anything.
func (h exampleHost) gets(t *testing.T, shared *alike, differs string) (shares bool) {
	t.Helper()
	if len(differs)%5 == 0 { // some were never asked
		want, got := h.prepare(nil, h.exporters, nil), h.prepare(nil, h.exporters, shared)
		if !reflect.DeepEqual(got.probes, want.probes) || fmt.Sprint(got.failed, got.unknown) != fmt.Sprint(want.failed, want.unknown) {
			t.Errorf("another in %s, never asked: it is asked %v (%v, %v), and by itself %v (%v, %v)", differs, got.probes, got.failed, got.unknown, want.probes, want.failed, want.unknown)
		}
	}
	builds := 0
	h.Tasks = slices.Clone(h.Tasks)
	for i, task := range h.Tasks {
		h.Tasks[i].Build = func(in recipe.Input) (recipe.Recipe, error) {
			builds++
			return task.Build(in)
		}
	}
	got := h.prepare(&h.known, h.exporters, shared)
	of := builds
	want := h.prepare(&h.known, h.exporters, nil)
	if !reflect.DeepEqual(got.probes, want.probes) || fmt.Sprint(got.failed, got.unknown) != fmt.Sprint(want.failed, want.unknown) {
		t.Errorf("another in %s: it is asked %v (%v, %v), and by itself %v (%v, %v)", differs, got.probes, got.failed, got.unknown, want.probes, want.failed, want.unknown)
	}
	if (got.asking == nil) != (want.asking == nil) || got.asking == nil {
		return false
	}
	if !reflect.DeepEqual(got.asking.given, want.asking.given) || !reflect.DeepEqual(got.asking.exports, want.asking.exports) {
		t.Errorf("another in %s: builds are told %v %v, and by itself %v %v", differs, got.asking.given, got.asking.exports, want.asking.given, want.asking.exports)
	}
	ours, its := got.asking.guessed, want.asking.guessed
	if (ours == nil) != (its == nil) || ours != nil && (!reflect.DeepEqual(ours.Recipe, its.Recipe) || !reflect.DeepEqual(ours.wants(), its.wants())) {
		t.Errorf("another in %s: it gets another recipe than by itself", differs)
	}
	return of == 0
}
