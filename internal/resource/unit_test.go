package resource_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// composed converges a bare host to composites, one after the other, and returns the plans.
func composed(t *testing.T, host *model.Host, composites ...recipe.Composite) string {
	t.Helper()
	var plans []string
	for _, composite := range composites {
		var wanted recipe.Recipe
		wanted.AddAll(composite)
		wanted.Label("x")
		if err := wanted.Validate(); err != nil {
			t.Fatal(err)
		}
		plan, err := host.Converge(wanted)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, model.Text(plan))
	}
	return strings.Join(plans, "\n")
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("it is\n%s\nwant\n%s", got, want)
	}
}

func TestTimer(t *testing.T) {
	host := model.NewHost(recipe.Platform{})
	timer := resource.Timer{Name: "backup", Command: `echo "$(date +%F)" \\ >'a b'` + "\ntrue", OnCalendar: "Mon..Fri 03:00", User: "postgres", Persistent: true, Delay: "15min"}
	weekly, gone := timer, resource.Timer{Name: "backup", Absent: true}
	weekly.OnCalendar = "weekly"
	plans := composed(t, host, timer, weekly, gone)
	same(t, plans, `create file:/etc/systemd/system/backup.service — 0644 root:root
         write /etc/systemd/system/backup.service
create file:/etc/systemd/system/backup.timer — 0644 root:root
         note: restart backup.timer
         write /etc/systemd/system/backup.timer
update service:backup.timer [at boot: none → enabled] [state: inactive → running]
         enable backup.timer
         start backup.timer
         done: backup.timer

update file:/etc/systemd/system/backup.timer — content differs
         note: restart backup.timer
         write /etc/systemd/system/backup.timer
act    service:backup.timer — restart: to take in what changed
         restart backup.timer
         done: backup.timer

delete service:backup.timer — no longer wanted [state: active → stopped] [at boot: enabled → disabled]
         stop backup.timer
         disable backup.timer
delete file:/etc/systemd/system/backup.timer — no longer wanted
         remove /etc/systemd/system/backup.timer
delete file:/etc/systemd/system/backup.service — no longer wanted
         remove /etc/systemd/system/backup.service
`)
	items := timer.Items()
	same(t, items[0].Resource.(resource.File).Content, `[Unit]
Description=What backup.timer runs

[Service]
Type=oneshot
User=postgres
ExecStart=/bin/sh -c "echo \"$$(date +%%F)\" \\\\ >'a b'\ntrue"
`)
	same(t, items[1].Resource.(resource.File).Content, `[Unit]
Description=Runs backup.service

[Timer]
OnCalendar=Mon..Fri 03:00
Persistent=true
RandomizedDelaySec=15min

[Install]
WantedBy=timers.target
`)
	verify(t, items, ".service")
	if check := items[2].Resource.(resource.Service).Check; !strings.Contains(check, "systemd-analyze calendar -- 'Mon..Fri 03:00'") {
		t.Errorf("check %q", check)
	}
}

// A unit in /etc goes before a package's of the same name: sshd's next start would run the timer's command.
func TestTimerTakesNoUnitOfAPackage(t *testing.T) {
	timer := resource.Timer{Name: "ssh", Command: "true", OnCalendar: "daily"}
	there := recipe.Path{Type: recipe.PathFile, Mode: 0o644, Owner: "root", Group: "root"}
	for _, unit := range []string{"/usr/lib/systemd/system/ssh.service", "/lib/systemd/system/ssh.timer", "/usr/local/lib/systemd/system/ssh.service", "/etc/init.d/ssh"} {
		host := model.NewHost(recipe.Platform{})
		host.Facts[recipe.PathKey(unit)] = recipe.Fact{Value: there}
		converge := func(timer resource.Timer) error {
			var wanted recipe.Recipe
			wanted.AddAll(timer)
			wanted.Label("x")
			_, err := host.Converge(wanted)
			return err
		}
		if err := converge(timer); err == nil || !strings.Contains(err.Error(), unit+" is there") || !strings.Contains(err.Error(), "another name") {
			t.Errorf("%s: %v", unit, err)
		}
		if host.Facts.Path("/etc/systemd/system/ssh.service").Type != recipe.PathAbsent {
			t.Errorf("%s: a unit goes before it", unit)
		}
		if err := converge(resource.Timer{Name: "ssh", Absent: true}); err != nil {
			t.Errorf("%s: one that went before it cannot be taken away: %v", unit, err)
		}
	}
}

// verify lets systemd itself read what is written of units, where it is here.
func verify(t *testing.T, items []recipe.Item, suffixes ...string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		return
	}
	dir := t.TempDir()
	for _, item := range items {
		file, ok := item.Resource.(resource.File)
		if !ok {
			continue
		}
		path := filepath.Join(dir, filepath.Base(file.Path))
		text := strings.ReplaceAll(file.Content, "User=postgres\n", "")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range suffixes {
		files, err := filepath.Glob(dir + "/*" + suffix)
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		if out, err := exec.Command("systemd-analyze", "verify", "--man=no", files[0]).CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
			t.Errorf("%s: %v: %s", files[0], err, out)
		}
	}
}

func TestMount(t *testing.T) {
	host := model.NewHost(recipe.Platform{})
	mount := resource.Mount{What: "tmpfs", Where: "/srv/my-data", Type: "tmpfs", Options: "size=50%"}
	same(t, composed(t, host, mount, resource.Mount{Where: "/srv/my-data", Absent: true}), `create file:/etc/systemd/system/srv-my\x2ddata.mount — 0644 root:root
         note: restart srv-my\x2ddata.mount
         write /etc/systemd/system/srv-my\x2ddata.mount
update service:srv-my\x2ddata.mount [at boot: none → enabled] [state: inactive → running]
         enable srv-my\x2ddata.mount
         start srv-my\x2ddata.mount
         done: srv-my\x2ddata.mount

delete service:srv-my\x2ddata.mount — no longer wanted [state: active → stopped] [at boot: enabled → disabled]
         stop srv-my\x2ddata.mount
         disable srv-my\x2ddata.mount
delete file:/etc/systemd/system/srv-my\x2ddata.mount — no longer wanted
         remove /etc/systemd/system/srv-my\x2ddata.mount
`)
	same(t, mount.Items()[0].Resource.(resource.File).Content, `[Unit]
Description=/srv/my-data

[Mount]
What=tmpfs
Where=/srv/my-data
Type=tmpfs
Options=size=50%%

[Install]
WantedBy=local-fs.target
`)
	verify(t, mount.Items(), ".mount")
	for _, remote := range []resource.Mount{{What: "nas:/x", Where: "/x", Type: "nfs"}, {What: "/dev/x", Where: "/x", Options: "ro,_netdev"}} {
		if content := remote.Items()[0].Resource.(resource.File).Content; !strings.Contains(content, "WantedBy=remote-fs.target") {
			t.Errorf("%s", content)
		}
	}
}

// The names of units are those that systemd itself would make.
func TestUnitsOfPaths(t *testing.T) {
	if _, err := exec.LookPath("systemd-escape"); err != nil {
		t.Skip("no systemd here")
	}
	for _, path := range []string{"/a", "/a/b", "/srv/my-data", "/.hidden/.x", "/two words/ü", "/a:b_c.d", `/back\slash`, "/it's"} {
		out, err := exec.Command("systemd-escape", "--path", "--suffix=mount", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		service := resource.Mount{What: "x", Where: path}.Items()[1].Resource.(resource.Service)
		if service.Unit != strings.TrimSpace(string(out)) {
			t.Errorf("%s is %s, want %s", path, service.Unit, out)
		}
		if err := service.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestSwap(t *testing.T) {
	host := model.NewHost(recipe.Platform{})
	made := false
	host.Guards["make the swap file /swap"] = func(h *model.Host) int {
		if made {
			return 0
		}
		made = true
		return 1
	}
	host.Guards["remove the swap file /swap"] = func(*model.Host) int { return 0 }
	same(t, composed(t, host, resource.Swap{Path: "/swap", Megabytes: 64}, resource.Swap{Path: "/swap", Absent: true}), `act    command:make the swap file /swap — run
         make the swap file /swap
create file:/etc/systemd/system/swap.swap — 0644 root:root
         note: restart swap.swap
         write /etc/systemd/system/swap.swap
becomes service:swap.swap, after make the swap file /swap [at boot:  → enabled] [state:  → running]

delete service:swap.swap — no longer wanted [state: active → stopped] [at boot: enabled → disabled]
         stop swap.swap
         disable swap.swap
delete file:/etc/systemd/system/swap.swap — no longer wanted
         remove /etc/systemd/system/swap.swap
`)
	verify(t, resource.Swap{Path: "/swap", Megabytes: 64}.Items(), ".swap")
}

func TestCompositesThatAreRefused(t *testing.T) {
	timer := resource.Timer{Name: "x", Command: "true", OnCalendar: "daily"}
	if err := timer.Validate(); err != nil {
		t.Error(err)
	}
	with := func(change func(*resource.Timer)) resource.Timer {
		bad := timer
		change(&bad)
		return bad
	}
	for name, bad := range map[string]recipe.Composite{
		"a path as a name":       with(func(t *resource.Timer) { t.Name = "../x" }),
		"a template":             with(func(t *resource.Timer) { t.Name = "x@" }),
		"no command":             with(func(t *resource.Timer) { t.Command = " " }),
		"a command with NUL":     with(func(t *resource.Timer) { t.Command = "a\x00" }),
		"no time":                with(func(t *resource.Timer) { t.OnCalendar = "" }),
		"a time with a setting":  with(func(t *resource.Timer) { t.OnCalendar = "daily\nOnBootSec=1" }),
		"a time that is options": with(func(t *resource.Timer) { t.OnCalendar = "--help" }),
		"a delay with a setting": with(func(t *resource.Timer) { t.Delay = "1\nUnit=x" }),
		"a user with a setting":  with(func(t *resource.Timer) { t.User = "a\nb" }),
		"nothing to mount":       resource.Mount{Where: "/x"},
		"a relative path":        resource.Mount{What: "x", Where: "x"},
		"a mount of two lines":   resource.Mount{What: "x\nOptions=suid", Where: "/x"},
		"options of two lines":   resource.Mount{What: "x", Where: "/x", Options: "ro\nx"},
		"a line that goes on":    resource.Mount{What: `x\`, Where: "/x"},
		"a type of two words":    resource.Mount{What: "x", Where: "/x", Type: "a b"},
		"a mount over /etc":      resource.Mount{What: "tmpfs", Where: "/etc"},
		"a mount over /usr":      resource.Mount{What: "tmpfs", Where: "/usr"},
		"a mount in /usr":        resource.Mount{What: "tmpfs", Where: "/usr/lib"},
		"a mount over /var":      resource.Mount{What: "tmpfs", Where: "/var"},
		"a mount over /boot":     resource.Mount{What: "/dev/x", Where: "/boot"},
		"a mount in /proc":       resource.Mount{What: "/dev/x", Where: "/proc/1"},
		"a mount over /sys":      resource.Mount{What: "tmpfs", Where: "/sys"},
		"a mount over /dev":      resource.Mount{What: "tmpfs", Where: "/dev"},
		"a mount over /run":      resource.Mount{What: "tmpfs", Where: "/run"},
		"no mount at /usr":       resource.Mount{Where: "/usr", Absent: true},
		"no size":                resource.Swap{Path: "/swap"},
		"a relative swap":        resource.Swap{Path: "swap", Megabytes: 1},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		}
		var wanted recipe.Recipe
		wanted.AddAll(bad)
		if err := wanted.Validate(); err == nil {
			t.Errorf("%s: not refused as a part of a recipe", name)
		}
	}
}
