package run

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"provision/internal/engine"
	"provision/internal/remote"
	"provision/internal/script"
)

// Transfer is a file that is put on hosts, or got from them.
type Transfer struct {
	Local  string // of several hosts that are asked, the directory that gets one for each
	Remote string // absolute
	Root   bool
}

// Put returns the work of putting a file on every host.
func Put(t Transfer) (Verb, error) {
	info, err := os.Stat(t.Local)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is not a regular file", t.Local)
	}
	sum, err := sha256Of(t.Local)
	if err != nil {
		return nil, err
	}
	text := script.Receive(t.Remote, filepath.Base(t.Local), info.Mode(), info.Size(), sum)
	return func(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
		return reading(ctx, work, settings, func(ctx context.Context, j *job) {
			if !j.connect(ctx) {
				return
			}
			status, err := j.put(ctx, t, text, info.Size())
			switch {
			case err != nil:
			case status == engine.StatusSame:
				j.result.Same = 1
			default:
				j.result.Changed = 1
			}
			j.finish(status, err)
		})
	}, nil
}

func sha256Of(file string) (string, error) {
	content, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer content.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, content)
	return hex.EncodeToString(hash.Sum(nil)), err
}

// put sends the file once the host has said that it wants it.
func (j *job) put(ctx context.Context, t Transfer, text string, size int64) (engine.Status, error) {
	file, err := os.Open(t.Local)
	if err != nil {
		return "", err
	}
	defer file.Close()
	answer := engine.StatusSame
	err = j.talk(ctx, remote.Command{Script: text, Root: t.Root}, func(process *remote.Process) error {
		said := bufio.NewReader(process.Stdout)
		word, err := said.ReadString('\n')
		if err != nil || word != "send\n" {
			return nil // it has it already, or says why not
		}
		answer = engine.StatusChanged
		_, err = io.Copy(process.Stdin, j.progress(io.LimitReader(file, size), "put "+t.Remote, size))
		process.Stdin.Close()
		if word, _ := said.ReadString('\n'); word == "done\n" {
			return nil
		}
		return err
	})
	return answer, err
}

// Get returns the work of getting a file from every host.
func Get(t Transfer) Verb {
	return func(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
		return reading(ctx, work, settings, func(ctx context.Context, j *job) {
			if j.connect(ctx) {
				place := filepath.Join(t.Local, j.Target.Name, path.Base(t.Remote))
				if len(work) == 1 {
					place = alone(t)
				}
				j.finish(engine.StatusDone, j.get(ctx, t, place))
			}
		})
	}
}

// alone is where the file of one host goes: into a directory, or as the name says.
func alone(t Transfer) string {
	if info, err := os.Stat(t.Local); strings.HasSuffix(t.Local, "/") || err == nil && info.IsDir() {
		return filepath.Join(t.Local, path.Base(t.Remote))
	}
	return t.Local
}

// get writes the file beside its place and renames it there, with the mode that it has on the
// host.
func (j *job) get(ctx context.Context, t Transfer, place string) error {
	if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(place), "."+filepath.Base(place)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	defer file.Close()
	command := remote.Command{Script: script.Deliver(t.Remote), Root: t.Root}
	return j.talk(ctx, command, func(process *remote.Process) error {
		process.Stdin.Close()
		from := bufio.NewReader(process.Stdout)
		head, err := from.ReadString('\n')
		if err != nil {
			return nil // it says why not
		}
		mode, size, err := parseHead(head)
		if err != nil {
			return err
		}
		// By the rename a device, or a link, would become a file.
		if info, err := os.Lstat(place); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s: is no regular file here", place)
		}
		got, err := io.Copy(file, j.progress(from, "get "+t.Remote, size))
		if err == nil && got != size {
			err = fmt.Errorf("%s: %d of %d bytes arrived", t.Remote, got, size)
		}
		if err == nil {
			err = errors.Join(file.Chmod(mode), file.Sync())
		}
		if err != nil {
			return err
		}
		return os.Rename(file.Name(), place)
	})
}

func parseHead(line string) (mode fs.FileMode, size int64, err error) {
	text, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	bits, err := strconv.ParseUint(text, 8, 16)
	if err == nil {
		size, err = strconv.ParseInt(rest, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("unexpected answer %q", line)
	}
	return fs.FileMode(bits).Perm(), size, nil
}

// talk runs a command on the host while speak reads what it prints and writes what it reads.
// What it says on standard error is why it failed.
func (j *job) talk(ctx context.Context, command remote.Command, speak func(*remote.Process) error) error {
	process, err := j.host.connection.Start(ctx, command)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() {
		process.Kill()
		j.host.connection.Close()
	})()
	said := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(process.Stderr, remote.StderrTail))
		said <- strings.TrimSpace(string(text))
		io.Copy(io.Discard, process.Stderr)
	}()
	err = speak(process)
	if err != nil {
		process.Kill()
	}
	process.Stdin.Close()
	io.Copy(io.Discard, process.Stdout)
	why := <-said
	ended := process.Wait()
	var exit *remote.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(ended, &exit) && why != "":
		return errors.New(why)
	case err != nil:
		return err
	}
	return ended
}

// worthTelling is the size of a transfer that takes long enough to be watched.
const worthTelling = 1 << 20

// progress tells how much of a transfer was read.
func (j *job) progress(from io.Reader, title string, total int64) io.Reader {
	if total < worthTelling {
		return from
	}
	j.observe(engine.Progress{Title: title, Total: total})
	return &counted{from: from, told: func(done int64) { j.observe(engine.Progress{Title: title, Done: done, Total: total}) }}
}

// counted tells how much of it was read, each megabyte and at the end.
type counted struct {
	from       io.Reader
	done, last int64
	told       func(done int64)
}

func (c *counted) Read(buffer []byte) (int, error) {
	n, err := c.from.Read(buffer)
	c.done += int64(n)
	if c.done-c.last >= worthTelling || err != nil && c.done > c.last {
		c.last = c.done
		c.told(c.done)
	}
	return n, err
}
