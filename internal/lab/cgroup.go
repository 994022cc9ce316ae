package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroups returns the host's own control groups, one in each hierarchy that
// matters. Hosts that booted in the same group would see each other's units.
// It works alike with cgroup v1, v2 and both, with systemd on the machine and
// without: nspawn then runs with --keep-unit in the group it is started in.
func cgroups(name string) []string {
	own := filepath.Join("provision-lab", name)
	if exists(filepath.Join(cgroupRoot, "cgroup.controllers")) {
		return []string{filepath.Join(cgroupRoot, own)} // v2 alone
	}
	var groups []string
	for _, hierarchy := range []string{"systemd", "unified", "cpuacct", "memory", "pids"} {
		if exists(filepath.Join(cgroupRoot, hierarchy, "cgroup.procs")) {
			groups = append(groups, filepath.Join(cgroupRoot, hierarchy, own))
		}
	}
	return groups
}

// makeCgroups also hands the controllers down (cgroup v2), so that the host's
// systemd can account and limit.
func makeCgroups(name string) error {
	for _, group := range cgroups(name) {
		if err := os.MkdirAll(group, 0o755); err != nil {
			return err
		}
		parent := filepath.Dir(group)
		available, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
		if err != nil {
			continue // v1
		}
		for controller := range strings.FieldsSeq(string(available)) {
			// Not every controller can be handed down; what cannot is not accounted.
			_ = os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		}
	}
	return nil
}

// cgroupProcesses lists the processes in the host's groups and below.
func cgroupProcesses(name string) []int {
	var pids []int
	for _, group := range cgroups(name) {
		_ = filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return nil // a group that went meanwhile has no processes
			}
			data, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
			for field := range strings.FieldsSeq(string(data)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 0 && !slices.Contains(pids, pid) {
					pids = append(pids, pid)
				}
			}
			return nil
		})
	}
	return pids
}

// removeCgroups removes the host's groups, which must be empty of processes.
func removeCgroups(name string) error {
	for _, group := range cgroups(name) {
		var groups []string
		_ = filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				groups = append(groups, path)
			}
			return nil
		})
		for _, dir := range slices.Backward(groups) {
			if err := removeGroup(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeGroup waits a little: a group stays busy for a moment after its last
// process has gone.
func removeGroup(dir string) error {
	var err error
	for range 50 {
		err = os.Remove(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// processorTime reads cpuacct.usage (v1, nanoseconds) or usage_usec of cpu.stat (v2).
func processorTime(name string) (time.Duration, error) {
	own := filepath.Join("provision-lab", name)
	if data, err := os.ReadFile(filepath.Join(cgroupRoot, "cpuacct", own, "cpuacct.usage")); err == nil {
		used, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		return time.Duration(used), err
	}
	data, err := os.ReadFile(filepath.Join(cgroupRoot, own, "cpu.stat"))
	if err != nil {
		return 0, fmt.Errorf("%s: processor time: %w", name, err)
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "usage_usec "); ok {
			used, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Duration(used) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("%s: processor time: not in cpu.stat", name)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
