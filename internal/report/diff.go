package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"provision/internal/recipe"
)

// content is how a file's content differs.
type content struct {
	Form   word   `json:"form" words:"text secret binary large"` // only of text a diff is shown
	Exists bool   `json:"exists"`                                // there is a file now
	Diff   string `json:"diff,omitempty"`                        // unified, three lines of context
	Before int    `json:"before,omitempty"`                      // bytes, of binary and large
	After  int    `json:"after,omitempty"`                       // bytes, of binary and large
}

func newContent(diff *recipe.FileDiff) *content {
	if diff == nil {
		return nil
	}
	sizeBefore, sizeAfter, large := diff.Sizes()
	switch {
	case diff.Secret:
		return &content{Form: "secret", Exists: diff.Exists}
	case large:
		return &content{Form: "large", Exists: diff.Exists, Before: int(sizeBefore), After: int(sizeAfter)}
	case binary(diff.Before) || binary(diff.After):
		return &content{Form: "binary", Exists: diff.Exists, Before: int(sizeBefore), After: int(sizeAfter)}
	}
	before, after := "a"+diff.Path, "b"+diff.Path
	if !diff.Exists {
		before = "/dev/null"
	}
	return &content{Form: "text", Exists: diff.Exists, Diff: udiff.Unified(before, after, string(diff.Before), string(diff.After))}
}

// binary reports what a diff cannot show: as git does by a NUL, and what is not UTF-8.
func binary(content []byte) bool {
	return bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content)
}

// briefDiff is the number of lines of one diff that an apply shows about which nobody is
// asked; a plan shows all.
const briefDiff = 30

// content renders a file's diff behind a bar.
func (p page) content(indent string, c *content, brief bool) []string {
	say := func(words string) []string {
		return p.barred(indent, words, p.paint.faint)
	}
	switch {
	case c == nil:
		return nil
	case c.Form == "secret" && c.Exists:
		return say("content is secret: differs")
	case c.Form == "secret":
		return say("content is secret")
	case c.Form == "large":
		return say(fmt.Sprintf("content is too large to show: %s %s %s", bytesText(int64(c.Before)), p.sign.arrow, bytesText(int64(c.After))))
	case c.Form == "binary" && c.Exists:
		return say(fmt.Sprintf("binary content: %s %s %s", bytesText(int64(c.Before)), p.sign.arrow, bytesText(int64(c.After))))
	case c.Form == "binary":
		return say("binary content: " + bytesText(int64(c.After)))
	case c.Diff == "":
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(c.Diff, "\n"), "\n")[2:] // less the two names
	if !c.Exists {
		lines = lines[1:] // nor is the place of interest when all is new
	}
	hidden := 0
	if brief && len(lines) > briefDiff {
		hidden = len(lines) - briefDiff
		lines = lines[:briefDiff]
	}
	var out []string
	for _, line := range lines {
		out = append(out, p.diffLine(indent, line)...)
	}
	if hidden > 0 {
		out = append(out, say(fmt.Sprintf("%s %d more lines: -v shows all", p.sign.more, hidden))...)
	}
	return out
}

// diffLine renders a line of a unified diff; what does not fit goes on below its text.
func (p page) diffLine(indent, line string) []string {
	sign, rest := line[:min(1, len(line))], line[min(1, len(line)):]
	paint := p.paint.faint
	switch sign {
	case "+":
		paint = p.paint.create
	case "-":
		paint = p.paint.remove
	case "@", `\`:
		return p.barred(indent, line, p.paint.faint)
	}
	bar := indent + p.paint.faint.Render(p.sign.bar) + " "
	if strings.TrimSpace(line) == "" {
		return []string{strings.TrimRight(bar, " ")}
	}
	var lines []string
	for i, part := range p.wrap(expandTabs(rest), width(bar)+2) {
		if i > 0 {
			sign = " "
		}
		if part != "" {
			part = " " + part
		}
		lines = append(lines, bar+paint.Render(sign+part))
	}
	return lines
}
