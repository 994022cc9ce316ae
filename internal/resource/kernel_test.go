package resource_test

import (
	"reflect"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestSysctl(t *testing.T) {
	const file, live = "/etc/sysctl.d/90-net.ipv4.tcp_rmem.conf", "/proc/sys/net/ipv4/tcp_rmem"
	wanted := resource.Sysctl{Name: "net.ipv4.tcp_rmem", Value: "4096  131072 6291456"}
	gone := resource.Sysctl{Name: "net.ipv4.tcp_rmem", Absent: true}
	kernel := func(value string) []recipe.Effect {
		return one(found(live, recipe.Path{Type: recipe.PathFile, Mode: 0o644}), recipe.Known(recipe.ContentKey(live), recipe.Content{Bytes: []byte(value)}))
	}
	written := foundFile(file, "net.ipv4.tcp_rmem = 4096  131072 6291456\n", 0o644)
	check(t, []row{
		{name: "no such parameter", wanted: wanted, err: "there is no /proc/sys/net/ipv4/tcp_rmem"},
		{name: "none", wanted: wanted, found: kernel("1\t2\t3\n"), kind: recipe.Update, steps: "set net.ipv4.tcp_rmem; write " + file, deltas: "now 1 2 3→4096 131072 6291456"},
		{name: "now alone", wanted: wanted, found: kernel("4096\t131072\t6291456\n"), kind: recipe.Create, steps: "write " + file},
		{name: "after a boot alone", wanted: wanted, found: append(kernel("1\n"), written), kind: recipe.Update, steps: "set net.ipv4.tcp_rmem", deltas: "now 1→4096 131072 6291456"},
		{name: "same", wanted: wanted, found: append(kernel("4096\t131072\t6291456\n"), written)},
		{name: "gone, none", wanted: gone},
		{name: "gone, there", wanted: gone, found: one(written), kind: recipe.Delete, steps: "remove " + file},
	})
	vlan := resource.Sysctl{Name: "net.ipv4.conf.eth0/100.forwarding", Value: "1"}
	if key := vlan.Probes()[1].Key; key != recipe.PathKey("/proc/sys/net/ipv4/conf/eth0.100/forwarding") || vlan.Place() != "/etc/sysctl.d/90-net.ipv4.conf.eth0-100.forwarding.conf" {
		t.Errorf("%v in %s", key, vlan.Place())
	}
	if err := vlan.Validate(); err != nil {
		t.Error(err)
	}
}

func TestModule(t *testing.T) {
	const file = "/etc/modules-load.d/br_netfilter.conf"
	wanted := resource.Module{Name: "br_netfilter"}
	gone := resource.Module{Name: "br_netfilter", Absent: true}
	written := foundFile(file, "br_netfilter\n", 0o644)
	loaded := func(exit int) recipe.Effect {
		return recipe.Known(recipe.CommandKey("load module br_netfilter"), recipe.Command{Exit: exit})
	}
	check(t, []row{
		{name: "none", wanted: wanted, found: one(loaded(1)), kind: recipe.Update, steps: "load module br_netfilter; write " + file},
		{name: "loaded", wanted: wanted, found: one(loaded(0)), kind: recipe.Create, steps: "write " + file},
		{name: "written", wanted: wanted, found: one(loaded(1), written), kind: recipe.Update, steps: "load module br_netfilter"},
		{name: "same", wanted: wanted, found: one(loaded(0), written)},
		{name: "gone, there", wanted: gone, found: one(written), kind: recipe.Delete, steps: "remove " + file},
		{name: "gone, none", wanted: gone},
	})
}

func TestHostname(t *testing.T) {
	wanted := resource.Hostname{Name: "web1"}
	gone := resource.Hostname{Absent: true}
	now := func(name string) recipe.Effect {
		return recipe.Known(recipe.ContentKey("/proc/sys/kernel/hostname"), recipe.Content{Bytes: []byte(name + "\n")})
	}
	written := foundFile("/etc/hostname", "web1\n", 0o644)
	check(t, []row{
		{name: "another", wanted: wanted, found: one(now("debian"), foundFile("/etc/hostname", "debian\n", 0o644)), kind: recipe.Update, steps: "write /etc/hostname; set the hostname", deltas: "now debian→web1"},
		{name: "now alone", wanted: wanted, found: one(now("web1")), kind: recipe.Create, steps: "write /etc/hostname"},
		{name: "after a boot alone", wanted: wanted, found: one(now("debian"), written), kind: recipe.Update, steps: "set the hostname", deltas: "now debian→web1"},
		{name: "same", wanted: wanted, found: one(now("web1"), written)},
		{name: "gone, there", wanted: gone, found: one(now("web1"), written), kind: recipe.Delete, steps: "remove /etc/hostname"},
		{name: "gone, none", wanted: gone, found: one(now("web1"))},
	})
}

// What stood there is a zone, nothing, or what is neither and so never taken away.
func TestTimezoneThatStood(t *testing.T) {
	for _, row := range []struct {
		name   string
		found  recipe.Path
		before recipe.Before
	}{
		{"nothing", recipe.Path{}, recipe.Before{Nothing: true}},
		{"a zone", recipe.Path{Type: recipe.PathLink, Target: "../usr/share/zoneinfo/Asia/Tokyo"}, recipe.Before{Line: "Asia/Tokyo"}},
		{"a file", recipe.Path{Type: recipe.PathFile}, recipe.Before{}},
		{"a link to elsewhere", recipe.Path{Type: recipe.PathLink, Target: "/srv/zone"}, recipe.Before{}},
	} {
		facts := recipe.Facts{}
		facts.Apply(one(found("/etc/localtime", row.found)))
		if before := (resource.Timezone{Name: "UTC"}).Stood(facts); !reflect.DeepEqual(before, row.before) {
			t.Errorf("%s: %+v, want %+v", row.name, before, row.before)
		}
	}
}

func TestTimezone(t *testing.T) {
	const zone, link, name = "/usr/share/zoneinfo/Europe/Berlin", "/etc/localtime", "/etc/timezone"
	wanted := resource.Timezone{Name: "Europe/Berlin"}
	gone := resource.Timezone{Absent: true}
	there := foundFile(zone, "zone", 0o644)
	to := func(target string) recipe.Effect {
		return found(link, recipe.Path{Type: recipe.PathLink, Mode: 0o777, Target: target})
	}
	utc, berlin := foundFile(name, "Etc/UTC\n", 0o644), foundFile(name, "Europe/Berlin\n", 0o644)
	check(t, []row{
		{name: "no such zone", wanted: wanted, err: "there is no zone Europe/Berlin on the host"},
		{name: "a directory of zones", wanted: resource.Timezone{Name: "Europe"}, found: one(found("/usr/share/zoneinfo/Europe", recipe.Path{Type: recipe.PathDirectory})), err: "there is no zone Europe"},
		{name: "none", wanted: wanted, found: one(there), kind: recipe.Create, steps: "link " + link},
		{name: "another, Debian 12", wanted: wanted, found: one(there, to("/usr/share/zoneinfo/Etc/UTC"), utc), kind: recipe.Update, steps: "link " + link + "; write " + name, deltas: "target /usr/share/zoneinfo/Etc/UTC→" + zone},
		{name: "another, Debian 13", wanted: wanted, found: one(there, to("/usr/share/zoneinfo/Etc/UTC")), kind: recipe.Update, steps: "link " + link, deltas: "target /usr/share/zoneinfo/Etc/UTC→" + zone},
		{name: "same", wanted: wanted, found: one(there, to(zone), berlin)},
		{name: "same, as systemd links it", wanted: wanted, found: one(there, to("../usr/share/zoneinfo/Europe/Berlin"))},
		{name: "the name alone", wanted: wanted, found: one(there, to(zone), utc), kind: recipe.Update, steps: "write " + name},
		{name: "a copy", wanted: wanted, found: one(there, foundFile(link, "zone", 0o644)), err: "/etc/localtime: is a file, not a link"},
		{name: "gone, there", wanted: gone, found: one(to(zone), berlin), kind: recipe.Delete, steps: "remove " + link + "; remove " + name, deltas: "target " + zone + "→"},
		{name: "gone, none", wanted: gone},
	})
}

func TestKernelKindsThatAreRefused(t *testing.T) {
	for _, bad := range []recipe.Validator{
		resource.Sysctl{Name: "net.core.somaxconn"}, resource.Sysctl{Name: "net.core.somaxconn", Value: "1\n2"}, resource.Sysctl{Name: "net", Value: "1"},
		resource.Sysctl{Name: "net/core/x", Value: "1"}, resource.Sysctl{Name: "../x.y", Value: "1"}, resource.Sysctl{Name: "net..x", Value: "1"}, resource.Sysctl{Name: "net./x", Value: "1"},
		resource.Module{Name: ""}, resource.Module{Name: "-r"}, resource.Module{Name: "a b"}, resource.Module{Name: "../x"}, resource.Module{Name: "a.ko"},
		resource.Hostname{}, resource.Hostname{Name: "-a"}, resource.Hostname{Name: "a_b"}, resource.Hostname{Name: "a\nb"}, resource.Hostname{Name: "a..b"}, resource.Hostname{Name: strings.Repeat("a", 65)},
		resource.Timezone{}, resource.Timezone{Name: "../../etc/shadow"}, resource.Timezone{Name: "/x"}, resource.Timezone{Name: "Europe/"}, resource.Timezone{Name: "-x"}, resource.Timezone{Name: "a b"},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v: not refused", bad)
		}
	}
	for _, good := range []recipe.Validator{
		resource.Sysctl{Name: "vm.swappiness", Value: "10"}, resource.Module{Name: "nf-conntrack"}, resource.Hostname{Name: "web1.example.org"},
		resource.Timezone{Name: "America/Argentina/Buenos_Aires"}, resource.Timezone{Name: "Etc/GMT+1"}, resource.Timezone{Name: "UTC"},
	} {
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
}
