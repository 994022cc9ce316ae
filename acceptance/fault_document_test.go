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

// namedTest is a test that a page names.
var namedTest = regexp.MustCompile("`((?:Test|Fuzz)\\w+)")

// testsThere wants every test that a page names to be one of the repository's, and some.
func testsThere(t *testing.T, page string) {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
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
	named := namedTest.FindAllStringSubmatch(page, -1)
	if len(named) < 10 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, found := range named {
		if !tests[found[1]] {
			t.Errorf("there is no %s", found[1])
		}
	}
}

// casesThere wants there to be as many files as a page says: at least 32 `tasks/testdata/*.plan`.
func casesThere(t *testing.T, page string) {
	t.Helper()
	for _, said := range regexp.MustCompile("[Aa]t least (\\d+) `([^`]+)`").FindAllStringSubmatch(page, -1) {
		least, err := strconv.Atoi(said[1])
		files, failed := filepath.Glob("../" + said[2])
		if err != nil || failed != nil || len(files) < least {
			t.Errorf("%s: %d files, %v, %v", said[0], len(files), err, failed)
		}
	}
}

// TestPromisesAreDocumented: what the pages for those who have to trust it name as evidence is there.
func TestPromisesAreDocumented(t *testing.T) {
	for _, page := range []string{"design.md", "security.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile("../docs/" + page)
			if err != nil {
				t.Fatal(err)
			}
			testsThere(t, string(text))
			casesThere(t, string(text))
		})
	}
}

// TestFaultsAreDocumented: docs/reliability.md has every fault, each with a test that there is.
func TestFaultsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	testsThere(t, string(text))
	rows := map[int]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|.*$`).FindAllStringSubmatch(string(text), -1) {
		number, err := strconv.Atoi(row[1])
		if err != nil || rows[number] {
			t.Errorf("row %q: %v, or twice", row[1], err)
		}
		rows[number] = true
		if !namedTest.MatchString(row[0]) {
			t.Errorf("row %d names no test", number)
		}
	}
	for number := 1; number <= 55; number++ {
		if !rows[number] {
			t.Errorf("no row %d", number)
		}
	}
}

// TestWhatIsWrittenIsDocumented: docs/security.md has all that scripts and steps keep in a host's
// /var/lib/provision.
func TestWhatIsWrittenIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{}
	for glob, named := range map[string]*regexp.Regexp{
		"../internal/script/sh/*.sh": regexp.MustCompile(`\$state/([a-z-]+)`),
		"../internal/*/*.go":         regexp.MustCompile(`recipe\.State \+ "/([a-z-]+)"`),
	} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range named.FindAllStringSubmatch(string(text), -1) {
				kept[found[1]] = file
			}
		}
	}
	if len(kept) < 10 {
		t.Errorf("only %d names were found", len(kept))
	}
	for name, file := range kept {
		if !regexp.MustCompile("`" + name + "[`/]").Match(page) {
			t.Errorf("security.md does not tell of %s, of %s", name, file)
		}
	}
}
