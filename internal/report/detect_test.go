package report

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// pseudoTerminal opens a terminal of 100 columns and 30 lines (pts(4)).
func pseudoTerminal(t *testing.T) (terminal *os.File, resize func(columns, lines uint16)) {
	t.Helper()
	main, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine has no /dev/ptmx: ", err)
	}
	t.Cleanup(func() { main.Close() })
	fd := int(main.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	resize = func(columns, lines uint16) {
		if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: lines}); err != nil {
			t.Fatal(err)
		}
	}
	resize(100, 30)
	return terminal, resize
}

func TestDetect(t *testing.T) {
	terminal, resize := pseudoTerminal(t)
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type env map[string]string
	tests := []struct {
		name               string
		f                  *os.File
		env                env
		color, live, ascii bool
	}{
		{"a terminal", terminal, env{"TERM": "xterm", "LANG": "en_US.UTF-8"}, true, true, false},
		{"NO_COLOR", terminal, env{"TERM": "xterm", "LANG": "C.utf8", "NO_COLOR": "1"}, false, true, false},
		{"NO_COLOR empty", terminal, env{"TERM": "xterm", "LANG": "C.utf8", "NO_COLOR": ""}, true, true, false},
		{"NO_COLOR and CLICOLOR_FORCE", terminal, env{"TERM": "xterm", "LANG": "C.utf8", "NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, false, true, false},
		{"CLICOLOR=0", terminal, env{"TERM": "xterm", "LANG": "C.utf8", "CLICOLOR": "0"}, false, true, false},
		{"dumb", terminal, env{"TERM": "dumb", "LANG": "C.utf8"}, false, false, false},
		{"no TERM", terminal, env{"LANG": "C.utf8"}, false, false, false},
		{"no locale", terminal, env{"TERM": "xterm"}, true, true, true},
		{"LC_ALL before LANG", terminal, env{"TERM": "xterm", "LC_ALL": "C", "LANG": "C.UTF-8"}, true, true, true},
		{"LC_CTYPE before LANG", terminal, env{"TERM": "xterm", "LC_CTYPE": "C.UTF-8", "LANG": "C"}, true, true, false},
		{"a file", file, env{"TERM": "xterm", "LANG": "C.utf8"}, false, false, false},
		{"a file, forced", file, env{"TERM": "xterm", "LANG": "C.utf8", "CLICOLOR_FORCE": "1"}, true, false, false},
		{"a file, not forced", file, env{"TERM": "xterm", "LANG": "C.utf8", "CLICOLOR_FORCE": "0"}, false, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := Detect(test.f, func(name string) string { return test.env[name] })
			if o.Color != test.color || o.Live != test.live || o.ASCII != test.ascii {
				t.Errorf("colour %v, live %v, ASCII %v; want %v, %v, %v", o.Color, o.Live, o.ASCII, test.color, test.live, test.ascii)
			}
			columns, lines := 0, 0
			if test.f == terminal {
				columns, lines = 100, 30
			}
			if o.Width != columns || o.Height != lines {
				t.Errorf("%d × %d, want %d × %d", o.Width, o.Height, columns, lines)
			}
		})
	}
	t.Run("of no known size", func(t *testing.T) {
		resize(0, 0)
		defer resize(100, 30)
		o := Detect(terminal, func(name string) string { return env{"TERM": "xterm"}[name] })
		if o.Live || !o.Color || o.Width != 0 {
			t.Errorf("live %v, colour %v, %d columns", o.Live, o.Color, o.Width)
		}
	})
	t.Run("resized", func(t *testing.T) {
		o := Detect(terminal, func(string) string { return "xterm" })
		running := newTerminal(file, o)
		resize(60, 10)
		running.tick()
		if running.page.width != 60 || running.answers.width != 60 || running.options.Height != 10 {
			t.Errorf("%d and %d columns, %d lines", running.page.width, running.answers.width, running.options.Height)
		}
	})
}
