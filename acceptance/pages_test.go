package acceptance

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
)

var typedCommand = regexp.MustCompile("`(provision [^`]+)`")

// TestPages runs the commands of a page for those who come from another tool, in their order: web1
// and web2, of the group web, are lab hosts.
func TestPages(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	pages, err := filepath.Glob("../docs/from-*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	suite := slices.Sorted(maps.Keys(today(t)))[0]
	hosts := boot(t, l, suite, "labpage1", "labpage2")
	recipient, err := os.ReadFile(l.Identity() + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range ofTheDay(t, pages, 1) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			home := t.TempDir()
			ownLab1(t)
			environment := readerHome(t, l, home, hosts, readerLab(t, "page"))
			writeProject(t, home, map[string]string{
				"hosts.yaml": "recipients:\n  - " + string(recipient) + "groups: {web: {hosts: [web1, web2], tasks: [shop]}}\nhosts:\n  web1: {}\n  web2: {}\n",
			})
			for _, block := range fenced(string(text)) {
				first, _, _ := strings.Cut(block.text, "\n")
				if name, whole := strings.CutPrefix(first, "# "); whole && block.kind == "starlark" {
					writeProject(t, home, map[string]string{name: block.text})
				}
			}
			for _, typed := range typedCommand.FindAllStringSubmatch(string(text), -1) {
				words := strings.Fields(typed[1])
				if needsYes(words) && !slices.Contains(words, "-y") && !slices.Contains(words, "--plan") {
					words = append(words, "-y") // a reader has a terminal, and is asked
				}
				c := command(t, words[1:]...)
				c.Dir, c.Env = home, environment
				finish(t, c).exits(t, 0)
			}
		})
	}
}
