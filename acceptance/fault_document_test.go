package acceptance

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestFaultsAreDocumented: docs/reliability.md has every fault, each with a test that there is.
func TestFaultsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(string(source), -1) {
			tests[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)")
	for _, found := range named.FindAllStringSubmatch(string(text), -1) {
		if !tests[found[1]] {
			t.Errorf("there is no %s", found[1])
		}
	}
	rows := map[int]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|.*$`).FindAllStringSubmatch(string(text), -1) {
		number, err := strconv.Atoi(row[1])
		if err != nil || rows[number] {
			t.Errorf("row %q: %v, or twice", row[1], err)
		}
		rows[number] = true
		if !named.MatchString(row[0]) {
			t.Errorf("row %d names no test", number)
		}
	}
	for number := 1; number <= 40; number++ {
		if !rows[number] {
			t.Errorf("no row %d", number)
		}
	}
}
