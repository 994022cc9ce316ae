package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// An inventory may be a program, that prints Ansible's dynamic form: it is run with --list.

const (
	programTime   = 60 * time.Second // from its start to its end
	maxProgramErr = 64 << 10         // bytes of what it says beside that are told
)

// IsProgram reports whether a file is one that can be run, by its mode and by how it begins: hosts.yaml that
// came from elsewhere with the mode of a program is none.
func IsProgram(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var begins [4]byte
	n, _ := io.ReadFull(file, begins[:])
	return bytes.HasPrefix(begins[:n], []byte("#!")) || string(begins[:n]) == "\x7fELF"
}

// runProgram returns what a program prints for --list, and what it says beside.
func runProgram(path string, within time.Duration) (printed []byte, said []string, err error) {
	refuse := func(problem, hint string) ([]byte, []string, error) {
		return nil, said, &Error{Position: Position{File: path}, Problem: problem, Advice: hint}
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, err
	}
	behind, err := filepath.EvalSymlinks(whole)
	if err != nil {
		return refuse("cannot be run: "+reason(err), "ls -l "+path)
	}
	for _, place := range []string{whole, filepath.Dir(whole), filepath.Dir(behind)} {
		if whose := othersMayWrite(place); whose != "" {
			return refuse(fmt.Sprintf("is not run: %s, so another account may say what it does", whose), "chown and chmod go-w "+place)
		}
	}
	ctx, done := context.WithTimeout(context.Background(), within)
	defer done()
	var out, beside bounded
	out.most, beside.most = maxProgramText, maxProgramErr
	command := exec.CommandContext(ctx, whole, "--list")
	command.Stdout, command.Stderr = &out, &beside
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	out.full = done
	failed := command.Run()
	if errors.Is(failed, exec.ErrWaitDelay) { // it ended well, and left something that keeps its output open, as ssh -f
		failed = nil
	}
	for line := range strings.Lines(beside.text.String()) {
		said = append(said, path+": "+strings.TrimRight(line, "\r\n"))
	}
	var exit *exec.ExitError
	switch {
	case out.cut:
		return refuse("has printed more than 32 MiB", "this is hardly an inventory: "+path+" --list | head")
	case ctx.Err() != nil:
		return refuse(fmt.Sprintf("did not end within %s", within), "try it by hand: "+path+" --list")
	case errors.As(failed, &exit):
		return refuse("ended with "+exit.ProcessState.String(), "try it by hand: "+path+" --list")
	case failed != nil:
		return refuse("cannot be run: "+reason(failed), "its first line names what runs it: head -1 "+path)
	}
	return out.text.Bytes(), said, nil
}

// othersMayWrite says of a file or a directory that accounts beside root and one's own may change it; "" when
// they may not. A directory in which only who owns a file may replace it (sticky, as /tmp) is none.
func othersMayWrite(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	switch {
	case info.IsDir() && info.Mode()&fs.ModeSticky != 0:
		return ""
	case known && stat.Uid != 0 && int(stat.Uid) != os.Getuid():
		return path + " is another account's"
	case info.Mode().Perm()&0o022 != 0:
		return path + " may be written by others"
	}
	return ""
}

// bounded keeps what is written up to so many bytes, and says when there is more.
type bounded struct {
	text bytes.Buffer
	most int
	cut  bool
	full func()
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.text.Len(); len(p) > room {
		b.text.Write(p[:room])
		b.cut = true
		if b.full != nil {
			b.full()
		}
		return len(p), nil
	}
	return b.text.Write(p)
}
