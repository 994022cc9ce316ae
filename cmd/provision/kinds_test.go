package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"provision/internal/project"
	"provision/internal/report"
)

const kindsHead = `# Kinds

What a task of your own is made of ([your first task](your-first-task.md)): all that ` + "`provision list --kinds`" + ` names, each with a page that says what ` + "`provision list kind:NAME`" + ` does.

What a task wants no longer leaves by itself with the next install; how, each kind says. ` + "`build`" + ` and ` + "`verify`" + ` return lists, in which there may be lists again, as of a function that returns several things.

A part, as ` + "`nginx.site`" + `, is what a task that ships knows to make, for others: it is one value in the list, however many resources it is, and stands at its line in plans and errors. It brings what it needs but its task, which the task that says it has to need: ` + "`needs = [\"nginx\"]`" + `. What it gives can be used beside it: ` + "`app = uwsgi.app(…)`, and then `app.socket`" + `.
`

// together are the groups whose words have one page: its name, and its words.
var together = map[string]struct{ page, about string }{
	groupTitles[project.Notifications]: {"notify", "What takes a change in: restart(\"shop.service\"), or a list of several."},
	groupTitles[project.Tests]:         {"test", "The words of a test, which runs on a host that is modelled: TASK_test.star, or task_test.star beside task.star. provision test runs them."},
}

// The reference of kinds is the one of these words.
func TestKindsPageIsCurrent(t *testing.T) {
	current(t, "Kinds", kindsPages(kinds()))
}

// kindsPages is the reference, in Markdown: a page of what there is, and those of words.
func kindsPages(words []report.Word) map[string]string {
	pages, group := map[string]string{"kinds.md": kindsHead}, ""
	for title, several := range together {
		pages["kinds/"+several.page+".md"] = fmt.Sprintf("# %s\n\n%s All kinds: [kinds](../kinds.md).\n", title, prose(several.about))
	}
	for _, word := range words {
		if word.Group != group {
			group = word.Group
			pages["kinds.md"] += fmt.Sprintf("\n## %s\n\n| | |\n| --- | --- |\n", group)
		}
		page, anchor := "kinds/"+word.Name+".md", ""
		if several, with := together[group]; with {
			page, anchor = "kinds/"+several.page+".md", "#"+strings.ReplaceAll(word.Name, ".", "") // as GitHub makes anchors
			pages[page] += "\n## " + word.Name + "\n" + kindSection(word)
		} else {
			pages[page] = "# " + word.Name + "\n" + kindSection(word) + "\n" + kindFoot(word)
		}
		pages["kinds.md"] += fmt.Sprintf("| [%s](%s%s) | %s |\n", word.Name, page, anchor, cell(firstSentence(word.About)))
	}
	for page := range pages {
		pages[page] += madeBy("Kinds")
	}
	return pages
}

// kindFoot leads on from the page of a word.
func kindFoot(word report.Word) string {
	task, _, part := strings.Cut(word.Name, ".")
	if part {
		return fmt.Sprintf("A part of the task [%s](../tasks/%s.md). All kinds: [kinds](../kinds.md).\n", task, task)
	}
	return "All kinds: [kinds](../kinds.md); [your first task](../your-first-task.md).\n"
}

var sentenceEnd = regexp.MustCompile(`[.:] [A-Z]`)

func firstSentence(text string) string {
	if at := sentenceEnd.FindStringIndex(text); at != nil {
		return text[:at[0]] + "."
	}
	return text
}

func kindSection(word report.Word) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n```python\n%s\n```\n\n%s\n", word.Example, prose(word.About))
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
