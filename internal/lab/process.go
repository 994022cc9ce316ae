package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// command is a command with a PATH that finds what is in sbin (su keeps a
// plain user's), no prompts, and messages in English.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	path := os.Getenv("PATH") + ":/usr/sbin:/usr/bin:/sbin:/bin"
	cmd := exec.CommandContext(ctx, name, args...)
	if found, err := lookPath(name); err == nil {
		cmd.Path, cmd.Err = found, nil
	}
	cmd.Env = append(os.Environ(), "PATH="+path, "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	return cmd
}

// lookPath finds a program, also where only root's PATH would.
func lookPath(name string) (string, error) {
	if found, err := exec.LookPath(name); err == nil {
		return found, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
}

// run runs a command to its end; the error bears what it printed.
func run(ctx context.Context, name string, args ...string) error {
	return runCommand(command(ctx, name, args...))
}

func runCommand(cmd *exec.Cmd) error {
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w%s", strings.Join(cmd.Args, " "), err, indented(tail(string(output), 15)))
}

// coloured is what a console's text has for a terminal: colours, and the ends of lines (ECMA-48, 5.4).
var coloured = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\r`)

// tail returns the last n lines of text, plain.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(coloured.ReplaceAllString(text, "")), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func indented(text string) string {
	if text == "" {
		return ""
	}
	return "\n    " + strings.ReplaceAll(text, "\n", "\n    ")
}

func hasArgument(pid int, argument string) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	for arg := range bytes.SplitSeq(data, []byte{0}) {
		if string(arg) == argument {
			return true
		}
	}
	return false
}

// withArgument returns all processes that bear the argument.
func withArgument(argument string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && hasArgument(pid, argument) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// children needs a kernel with CONFIG_PROC_CHILDREN, as Debian's has it.
func children(pid int) []int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var pids []int
	for field := range strings.FieldsSeq(string(data)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// isInit says whether the process is PID 1 of a pid namespace within ours
// (NSpid in proc(5) lists its pid in each namespace, ours first).
func isInit(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "NSpid:"); ok {
			pids := strings.Fields(rest)
			return len(pids) > 1 && pids[len(pids)-1] == "1"
		}
	}
	return false
}

// killAll kills the processes that pids returns until it returns none.
func killAll(what string, pids func() []int) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		alive := pids()
		if len(alive) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: processes %v do not end", what, alive)
		}
		for _, pid := range alive {
			_ = syscall.Kill(pid, syscall.SIGKILL) // gone by itself is as good
		}
	}
}

// each runs do for all hosts at the same time and joins the errors.
func each(hosts []Host, do func(*Host) error) error {
	errs := make([]error, len(hosts))
	var group sync.WaitGroup
	for i := range hosts {
		group.Go(func() { errs[i] = do(&hosts[i]) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// writeFile replaces a file as a whole: readers see the old or the new content.
func writeFile(path string, data []byte, mode os.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(mode)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
