package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal opens a pseudo-terminal (pts(4)): what is typed on the one end is read on the
// other, and what is printed there is seen on the first.
func openTerminal(t *testing.T) (keyboard *os.File, io console) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tty.Close()
		keyboard.Close()
	})
	return keyboard, console{tty, tty, tty}
}

// Hosts that ask at once are answered one after the other, what may be seen is, and nothing
// that a host says moves the cursor.
func TestPersonIsAskedOneThingAtATime(t *testing.T) {
	keyboard, io := openTerminal(t)
	there := &person{io: io, passphrase: func(string) ([]byte, error) { return nil, errNoTerminal }}
	var hosts sync.WaitGroup
	for range 3 {
		hosts.Go(func() {
			if got, err := there.password("password for ops@jump"); err != nil || string(got) != "battery staple" {
				t.Errorf("password: %q %v", got, err)
			}
		})
	}
	for host := range 3 {
		hosts.Go(func() {
			question := fmt.Sprintf("\x1b[2J(root@web%d) Code: ", host)
			if got, err := there.answer(question, host == 1); err != nil || string(got) != fmt.Sprint("code-", host) {
				t.Errorf("web%d: %q %v", host, got, err)
			}
		})
	}
	var screen strings.Builder
	read := bufio.NewReader(keyboard)
	until := func(end string) string {
		from := screen.Len()
		for !strings.HasSuffix(screen.String(), end) {
			b, err := read.ReadByte()
			if err != nil {
				t.Fatal(err)
			}
			screen.WriteByte(b)
		}
		return screen.String()[from:]
	}
	for range 4 {
		switch question := until(": "); {
		case strings.Contains(question, "ops@jump"):
			awaitEcho(t, keyboard, false)
			fmt.Fprint(keyboard, "battery staple\n")
		default:
			var host int
			at := strings.Index(question, "web")
			fmt.Sscanf(question[at:], "web%d", &host)
			awaitEcho(t, keyboard, host == 1)
			fmt.Fprintf(keyboard, "code-%d\n", host)
		}
		until("\n")
	}
	hosts.Wait()
	for text, want := range map[string]bool{"code-1": true, "code-0": false, "battery": false, "\x1b": false, "^[[2J(root@web0) Code: ": true} {
		if strings.Contains(screen.String(), text) != want {
			t.Errorf("on the screen %q: %v, want %v: %q", text, !want, want, screen.String())
		}
	}
	if n := strings.Count(screen.String(), "ops@jump"); n != 1 {
		t.Errorf("asked for the jump host's password %d times", n)
	}
}

// awaitEcho waits until what is typed is seen, or is not: somebody who reads is no faster.
func awaitEcho(t *testing.T, terminal *os.File, seen bool) {
	t.Helper()
	for {
		state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if (state.Lflag&unix.ECHO != 0) == seen {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestNobodyIsAskedWithoutATerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if got, err := (console{null, null, null}).open("code: "); !errors.Is(err, errNoTerminal) {
		t.Errorf("%q %v", got, err)
	}
}
