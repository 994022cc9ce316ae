package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/report"
)

const kindsHead = `# Kinds

What a task of your own is made of ([your first task](your-first-task.md)): all that ` + "`provision list --kinds`" + ` names, as ` + "`provision list kind:NAME`" + ` tells it. The page is made of the same rows: ` + "`go test ./cmd/provision -run Kinds -update`" + ` writes it anew.

What a task wants no longer leaves by itself with the next install; how, each kind says. ` + "`build`" + ` and ` + "`verify`" + ` return lists, in which there may be lists again, as of a function that returns several things.

A part, as ` + "`nginx.site`" + `, is what a task that ships knows to make, for others: it is one value in the list, however many resources it is, and stands at its line in plans and errors. It brings what it needs but its task, which the task that says it has to need: ` + "`needs = [\"nginx\"]`" + `. What it gives can be used beside it: ` + "`app = uwsgi.app(…)`, and then `app.socket`" + `.
`

// The reference of kinds is the one of these words.
func TestKindsPageIsCurrent(t *testing.T) {
	const file = "../../docs/kinds.md"
	got := kindsPage(kinds())
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("go test ./cmd/provision -run Kinds -update writes it anew: %s", diff)
	}
}

// kindsPage is the reference, in Markdown.
func kindsPage(words []report.Word) string {
	var contents, body strings.Builder
	group := ""
	for _, word := range words {
		before := ", "
		if word.Group != group {
			group, before = word.Group, "\n\n**"+word.Group+"**: "
			fmt.Fprintf(&body, "\n## %s\n", group)
		}
		fmt.Fprintf(&contents, "%s[%s](#%s)", before, word.Name, strings.ReplaceAll(word.Name, ".", "")) // as GitHub makes anchors
		body.WriteString(kindSection(word))
	}
	return kindsHead + strings.TrimPrefix(contents.String(), "\n") + "\n" + body.String()
}

func kindSection(word report.Word) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n### %s\n\n```python\n%s\n```\n\n%s\n", word.Name, word.Example, prose(word.About))
	if word.Leaves != "" {
		fmt.Fprintf(&out, "\nNo longer wanted: %s\n", prose(word.Leaves))
	}
	out.WriteString("\n| | | |\n| --- | --- | --- |\n")
	for _, p := range word.Parameters {
		about := prose(p.Type)
		switch {
		case p.Required:
			about += ", required"
		case p.Default != "":
			about += ", default `" + p.Default + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", p.Name, strings.ReplaceAll(about, "|", `\|`), strings.ReplaceAll(prose(p.Help), "|", `\|`))
	}
	for _, given := range word.Gives {
		fmt.Fprintf(&out, "\nIt gives `.%s`: %s\n", given.Name, prose(given.Help))
	}
	if word.Manual != "" {
		fmt.Fprintf(&out, "\nSee %s.\n", manualLink(word.Manual))
	}
	return out.String()
}

// prose is a text in which nothing is a sign of Markdown.
func prose(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "`", "\\`").Replace(text)
}

var manualForm = regexp.MustCompile(`^(.+)\(([1-8])\)$`)

// manualLink leads to what a word goes by, where the net has it under that name.
func manualLink(text string) string {
	switch page := manualForm.FindStringSubmatch(text); {
	case page != nil:
		return fmt.Sprintf("[%s](https://manpages.debian.org/%s.%s)", text, page[1], page[2])
	case strings.HasPrefix(text, "RFC "):
		return fmt.Sprintf("[%s](https://www.rfc-editor.org/rfc/rfc%s)", text, strings.TrimPrefix(text, "RFC "))
	case strings.HasPrefix(text, "pkg.go.dev/"):
		return fmt.Sprintf("[%s](https://%s)", text, text)
	case strings.HasPrefix(text, "https://"):
		return "<" + text + ">"
	}
	return text
}
