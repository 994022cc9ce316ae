package resource

import (
	"fmt"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Swap is a file that the host swaps to, now and after every boot, by a unit of systemd.
//
//	Swap{Path: "/swapfile", Megabytes: 2048}
//
// See mkswap(8), swapon(8) and systemd.swap(5). No lab host may swap, so what starts it is not proved
// there.
type Swap struct {
	Path      string // in a directory to which only root may write
	Megabytes int
	Absent    bool
}

var _ recipe.Composite = Swap{}

// Items implements recipe.Composite. A file of another size is made anew, and meanwhile nothing is
// swapped to it.
func (s Swap) Items() []recipe.Item {
	unit := unitOfPath(s.Path, ".swap")
	service := Service{Unit: unit, Absent: s.Absent}
	file := File{Path: unitDirectory + unit, Content: s.content(), Absent: s.Absent}
	if s.Absent {
		return append(unitItems(service, file), recipe.Item{Resource: s.command("remove")})
	}
	return append([]recipe.Item{{Resource: s.command("make")}}, unitItems(service, file)...)
}

// command makes the file, or removes it: no copy of it is kept, as would be of a File.
func (s Swap) command(does string) Command {
	header := fmt.Sprintf("file=%s bytes=%d\n", script.Quote(s.Path), s.Megabytes<<20)
	c := Command{Name: does + " the swap file " + s.Path, Reads: []recipe.Key{recipe.PathKey(s.Path)}}
	if does == "remove" {
		c.Unless = header + `[ ! -e "$file" ] && [ ! -L "$file" ]`
		c.Script = header + `rm -f -- "$file"`
		return c
	}
	c.Changes = []recipe.Key{recipe.UnitKey(unitOfPath(s.Path, ".swap"))}
	c.Unless = header + `[ -f "$file" ] && [ ! -L "$file" ] && [ "$(stat -c '%s %u %a' -- "$file")" = "$bytes 0 600" ] && swaplabel -- "$file" >/dev/null 2>&1`
	c.Script = header + `set -e
cd -P -- "${file%/*}/"
case $(stat -c '%u %A' .) in
0\ d????-??-?) ;;
*) echo "$PWD: others than root can write there" >&2; exit 1 ;;
esac
name=./${file##*/} new=./.${file##*/}.new
if [ -e "$name" ] || [ -L "$name" ]; then
	[ -f "$name" ] && [ ! -L "$name" ] && swaplabel -- "$name" >/dev/null 2>&1 || { echo "$file: is there, and is no swap file: it would be lost" >&2; exit 1; }
	swapoff -- "$file" 2>/dev/null || :
	rm -f -- "$name"
fi
rm -f -- "$new"
umask 077
fallocate -l "$bytes" -- "$new" 2>/dev/null || head -c "$bytes" /dev/zero >"$new"
mkswap -- "$new" >/dev/null
mv -T -- "$new" "$name"`
	return c
}

func (s Swap) content() string {
	return "[Unit]\nDescription=" + unitText(s.Path) + "\n\n[Swap]\nWhat=" + unitText(s.Path) + "\n\n[Install]\nWantedBy=swap.target\n"
}

// Validate refuses what cannot be meant.
func (s Swap) Validate() error {
	if err := checkPath("swap", s.Path); err != nil || s.Absent {
		return err
	}
	if s.Megabytes < 1 || s.Megabytes > 1<<20 || strings.HasSuffix(s.Path, `\`) {
		return fmt.Errorf("swap %s: %d megabytes are no size", s.Path, s.Megabytes)
	}
	return nil
}
