package remote

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What ssh -G can print is in the table: nothing that it says is passed over unseen.
func TestEveryKeywordOfThisSSHIsKnown(t *testing.T) {
	said, err := askedOfSSH(Config{ConfigFile: "none"}, Address{Host: "web1"})
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	table := keywords
	for key := range maps.Keys(said) {
		if _, known := table[key]; !known {
			t.Error(key)
		}
	}
	for name, row := range table {
		other, known := table[row.as]
		switch {
		case row.as != "" && (!known || other.as != ""):
			t.Errorf("%s is another name of %s, which there is not", name, row.as)
		case row.as == "" && row.form == nil:
			t.Errorf("%s has no form", name)
		case row.note == "" && (row.use == harmless || row.use == refused || row.use == session):
			t.Errorf("%s: why?", name)
		}
	}
}

// docs/ssh_config.md is the table, for users.
func TestKeywordsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/ssh_config.md")
	if err != nil {
		t.Fatal(err)
	}
	page, rows := strings.ToLower(string(text)), 0
	for name, row := range keywords {
		want := "`" + name + "`"
		switch {
		case row.as != "":
			want += " (`" + row.as + "`)"
		case row.note != "":
			want = "| " + want + " | " + strings.ToLower(row.note) + " |"
			rows++
		}
		if !strings.Contains(page, want) {
			t.Error("docs/ssh_config.md lacks ", want)
		}
	}
	equal(t, "rows of docs/ssh_config.md", strings.Count(page, "\n| `"), rows)
}
