package journal_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// The kernel's side is a file here, for this machine's own stays as it is.
func TestSysctlAndHostname(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withEtc(t)
	m.write(t, m.dir+"/somaxconn", "128\n")
	m.write(t, m.dir+"/hostname", "before\n")
	m.setup += "mount --bind " + m.dir + "/somaxconn /proc/sys/net/core/somaxconn && mount --bind " + m.dir + "/hostname /proc/sys/kernel/hostname || exit 99\n"
	m.fake(t, "hostname", `printf '%s\n' "$1" >/proc/sys/kernel/hostname`)
	c := m.begin(t)
	sysctl := resource.Sysctl{Name: "net.core.somaxconn", Value: "4096"}
	c.becomes(t, sysctl)
	if got := read(t, m.dir+"/somaxconn") + read(t, m.dir+"/etc/sysctl.d/90-net.core.somaxconn.conf"); got != "4096\nnet.core.somaxconn = 4096\n" {
		t.Errorf("there is %q", got)
	}
	sysctl.Absent = true
	c.becomes(t, sysctl)
	c.becomes(t, resource.Hostname{Name: "web-1"})
	if got := read(t, m.dir+"/hostname") + read(t, m.dir+"/etc/hostname"); got != "web-1\nweb-1\n" {
		t.Errorf("there is %q", got)
	}
	c.becomes(t, resource.Hostname{Absent: true})
	c.finish(t)
	// What the kernel refuses fails, and says why.
	m.setup += "mount -o remount,bind,ro /proc/sys/net/core/somaxconn\n"
	c = m.begin(t)
	change, err := resource.Sysctl{Name: "net.core.somaxconn", Value: "1"}.Diff(c.ask(t, resource.Sysctl{Name: "net.core.somaxconn", Value: "1"}.Probes()))
	if err != nil {
		t.Fatal(err)
	}
	if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, "Read-only") || exists(m.dir+"/etc/sysctl.d/90-net.core.somaxconn.conf") {
		t.Errorf("said %q", failed.Output)
	}
}

func TestModule(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withEtc(t)
	m.setup += "mount -t tmpfs tmpfs /sys/module || exit 99\n"
	m.fake(t, "modprobe", `[ "$1" = -- ] && mkdir "/sys/module/$(echo "$2" | tr - _)"`)
	c := m.begin(t)
	module := resource.Module{Name: "br-netfilter"}
	if change := c.becomes(t, module); len(change.Steps) != 2 {
		t.Errorf("steps %v", change.Steps)
	}
	module.Absent = true
	c.becomes(t, module)
	module.Absent = false
	if change := c.becomes(t, module); len(change.Steps) != 1 {
		t.Errorf("it stayed loaded: %v", change.Steps)
	}
	if got := read(t, m.dir+"/etc/modules-load.d/br-netfilter.conf"); got != "br-netfilter\n" {
		t.Errorf("there is %q", got)
	}
}

func TestTimezone(t *testing.T) {
	t.Parallel()
	if !exists("/usr/share/zoneinfo/Europe/Berlin") {
		t.Skip("no tzdata here")
	}
	m := newMachine(t)
	m.withEtc(t)
	c := m.begin(t)
	c.do(t, recipe.MakeLink{Path: "/etc/localtime", Target: "/usr/share/zoneinfo/Etc/UTC"}, file("/etc/timezone", "Etc/UTC\n"))
	c.becomes(t, resource.Timezone{Name: "Europe/Berlin"})
	if got := read(t, m.dir+"/etc/timezone"); got != "Europe/Berlin\n" {
		t.Errorf("there is %q", got)
	}
	c.becomes(t, resource.Timezone{Absent: true})
	if exists(m.dir+"/etc/localtime") || exists(m.dir+"/etc/timezone") {
		t.Error("it is still there")
	}
}

// The file is there whole, root's alone, and is made anew for another size; what another account may
// have put in its place is not.
func TestSwapFile(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, name := range []string{"mkswap", "swaplabel"} {
		if out, err := exec.Command("cp", "/usr/sbin/"+name, m.dir+"/sbin/").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	m.fake(t, "swapoff", "exit 1")
	c := m.begin(t)
	path := m.root + "/it's swap"
	for _, megabytes := range []int{1, 2, 2} {
		c.becomes(t, resource.Swap{Path: path, Megabytes: megabytes}.Items()[0].Resource)
		if stat, err := os.Stat(path); err != nil || stat.Mode() != 0o600 || stat.Size() != int64(megabytes)<<20 {
			t.Errorf("%v, %v", stat, err)
		}
	}
	items := resource.Swap{Path: path, Absent: true}.Items()
	c.becomes(t, items[len(items)-1].Resource)
	if exists(path) {
		t.Error("it is still there")
	}
	other := m.root + "/dump"
	if err := os.WriteFile(other, []byte("dear\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	makes := resource.Swap{Path: other, Megabytes: 1}.Items()[0].Resource
	change, err := makes.Diff(c.ask(t, makes.Probes()))
	if err != nil {
		t.Fatal(err)
	}
	if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, "is no swap file") || read(t, other) != "dear\n" {
		t.Errorf("said %q, and there is %q", failed.Output, read(t, other))
	}
	theirs := m.root + "/theirs"
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chown(theirs, nobody, nobody)
	change, err = resource.Swap{Path: theirs + "/swap", Megabytes: 1}.Items()[0].Resource.Diff(recipe.Facts{recipe.CommandKey("make the swap file " + theirs + "/swap"): {Value: recipe.Command{Exit: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, "others than root can write there") || exists(theirs+"/swap") {
		t.Errorf("said %q", failed.Output)
	}
}
