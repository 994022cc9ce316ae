package run

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A service that leaves frees its port for another: the first plan, which does not know yet what leaves,
// does not refuse that one. What nothing frees is held.
func TestAServiceThatLeavesMakesRoom(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		m.write(t, m.dir+"/sbin/systemctl", `#!/bin/sh
case "$*" in
*LoadState*)
	shift 4
	for unit; do
		active=inactive
		[ ! -e "`+m.dir+`/$unit" ] || active=active
		printf 'LoadState=loaded\nActiveState=%s\nUnitFileState=enabled\nNeedDaemonReload=no\n\n' "$active"
	done ;;
*NRestarts*) echo 0 ;;
*ActiveState*) echo active ;;
start*) >"`+m.dir+`/$3" ;;
esac
`, 0o755)
		port := m.holds(t, "old.service")
		before := resource.Service{Unit: "old.service", Listens: []string{port}}
		after := resource.Service{Unit: "new.service", Listens: []string{port}}
		plan := func(task string, service recipe.Resource) error {
			return m.works(t, "plan", Blueprint{Tasks: []recipe.Task{taskOf(task, service)}}, Plan).Err
		}
		is(t, m.does(t, before), engine.StatusChanged)
		if err := plan("x", after); err != nil || !strings.HasPrefix(m.told.String(), "service:old.service delete\nservice:new.service ") {
			t.Errorf("%v, told:\n%s", err, m.told.String())
		}
		if err := plan("y", after); err == nil || !strings.Contains(err.Error(), "held by") {
			t.Errorf("of another task, while that of before stays: %v, told:\n%s", err, m.told.String())
		}
	})
}

// holds listens at a port of loopback as a process of a unit, and returns it.
func (m *machine) holds(t *testing.T, unit string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	group := fmt.Sprintf("/proc/%d/cgroup", os.Getpid())
	m.write(t, m.dir+"/cgroup", "0::/system.slice/"+unit+"\n", 0o644)
	if err := syscall.Mount(m.dir+"/cgroup", group, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		listener.Close()
		syscall.Unmount(group, syscall.MNT_DETACH)
	})
	return listener.Addr().String()
}
