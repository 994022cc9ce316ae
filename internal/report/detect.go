package report

import (
	"os"
	"strings"

	"golang.org/x/term"
)

// Detect finds out what a file can show, by what it is and by the environment; getenv is
// os.Getenv outside of tests. It fills in Color, ASCII, Width, Height and Live.
//
//   - NO_COLOR, set to anything but "": no colours (no-color.org).
//   - CLICOLOR_FORCE, set to anything but "" and "0": colours also where there is no
//     terminal; CLICOLOR=0: none (bixense.com/clicolors). NO_COLOR goes before both.
//   - TERM unset or "dumb": neither colours nor redrawing (terminfo(5)'s name for a
//     terminal that can do nothing).
//   - LC_ALL, LC_CTYPE, LANG, the first that is set: signs from ASCII alone unless it
//     names UTF-8 (locale(7)).
func Detect(f *os.File, getenv func(string) string) Options {
	fd := int(f.Fd())
	terminal := term.IsTerminal(fd)
	able := terminal && getenv("TERM") != "" && getenv("TERM") != "dumb"
	o := Options{
		Color: able && getenv("CLICOLOR") != "0",
		ASCII: !speaksUTF8(getenv),
		Live:  able,
	}
	if force := getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		o.Color = true
	}
	if getenv("NO_COLOR") != "" {
		o.Color = false
	}
	if terminal {
		o.size = func() (width, height int) {
			width, height, _ = term.GetSize(fd) // 0 when unknown
			return width, height
		}
		o.Width, o.Height = o.size()
		o.Live = o.Live && o.Width > 0 // a serial console may not know, and then a long line cannot be taken back
	}
	return o
}

func speaksUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
