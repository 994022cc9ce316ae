package architecture

import (
	"os"
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
