package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// toldRow is a row of the table of folders in CONTRIBUTING.md: what it is of, and what that may import.
var toldRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| .* \\| ([a-z, ]+) \\|$")

// What CONTRIBUTING.md tells of who may import which folder is what rooms says.
func TestImportsAreTold(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := toldRow.FindAllStringSubmatch(string(text), -1)
	if len(rows) < 20 {
		t.Fatalf("the table has %d rows: the pattern here does not fit it any more", len(rows))
	}
	for _, row := range rows {
		may, room := rooms[row[1]]
		if !room || strings.HasPrefix(row[2], "all") {
			continue
		}
		var wanted, told []string
		for _, folder := range may {
			if !strings.HasPrefix(folder, row[1]+"/") { // of its own
				wanted = append(wanted, strings.TrimPrefix(folder, "internal/"))
			}
		}
		if row[2] != "the standard library" {
			told = strings.Split(row[2], ", ")
		}
		slices.Sort(wanted)
		slices.Sort(told)
		if !slices.Equal(wanted, told) {
			t.Errorf("CONTRIBUTING.md, Where things are: %s may import %q, in the table %q", row[1], wanted, told)
		}
	}
}

// toldFile is a file of Go or sh as a page names it, with as much of its folder as tells which.
var toldFile = regexp.MustCompile("`([a-z_/]+\\.(?:go|sh))`")

// What the pages for who develops name of the tree is there: what is moved is told anew.
func TestFilesThatAreToldAreThere(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		for suffix := "/" + filepath.ToSlash(name); err == nil && suffix != ""; {
			there[strings.TrimPrefix(suffix, "/")] = true
			_, rest, more := strings.Cut(suffix[1:], "/")
			if suffix = "/" + rest; !more {
				suffix = ""
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"CONTRIBUTING.md", "docs/architecture.md"} {
		text, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		told := toldFile.FindAllStringSubmatch(string(text), -1)
		if len(told) < 10 {
			t.Fatalf("%s names %d files: the pattern here does not fit it any more", page, len(told))
		}
		for _, file := range told {
			if !there[file[1]] {
				t.Errorf("%s names %s, which is not there", page, file[1])
			}
		}
	}
}
