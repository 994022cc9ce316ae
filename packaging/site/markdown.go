package main

import (
	"path"
	"regexp"
	"strings"
	"unicode"
)

// A link of Markdown, as this project's pages have them: [text](target), on one line.
var linkForm = regexp.MustCompile(`(\]\()([^()\s]+)(\))`)

var codeForm = regexp.MustCompile("`[^`]*`")

// lines calls do for each line of a page that is not in a fenced block, and returns the page of
// what it gave back.
func lines(page string, do func(string) string) string {
	var out strings.Builder
	fence := ""
	for line := range strings.Lines(page) {
		mark := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(mark) >= 3:
			fence = mark
		case fence != "" && mark == fence:
			fence = ""
		case fence == "":
			line = do(line)
		}
		out.WriteString(line)
	}
	return out.String()
}

// relink returns a page with each link that leads elsewhere in the source replaced. What is in
// code is no link.
func relink(page string, replace func(target string) string) string {
	return lines(page, func(line string) string {
		code := codeForm.FindAllStringIndex(line, -1)
		var out strings.Builder
		end := 0
		for _, at := range linkForm.FindAllStringSubmatchIndex(line, -1) {
			if within(code, at[4]) || !relative(line[at[4]:at[5]]) {
				continue
			}
			out.WriteString(line[end:at[4]] + replace(line[at[4]:at[5]]))
			end = at[5]
		}
		return out.String() + line[end:]
	})
}

func within(spans [][]int, at int) bool {
	for _, span := range spans {
		if span[0] <= at && at < span[1] {
			return true
		}
	}
	return false
}

// relative says whether a link leads to a place of the source: its own page's headings too.
func relative(target string) bool {
	return !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:")
}

// resolve returns the file that a link of a page leads to, and the heading in it.
func resolve(page, target string) (file, anchor string) {
	file, anchor, _ = strings.Cut(target, "#")
	if file == "" {
		return page, anchor
	}
	return path.Join(path.Dir(page), file), anchor
}

var headingForm = regexp.MustCompile(`^#{1,6} +(.*?) *#*\s*$`)

// anchors are the names of a page's headings, as GitHub makes them, and the site too
// (pymdownx.slugs).
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	lines(page, func(line string) string {
		if heading := headingForm.FindStringSubmatch(line); heading != nil {
			all[slug(heading[1])] = true
		}
		return line
	})
	return all
}

func slug(heading string) string {
	heading = regexp.MustCompile(`\]\([^)]*\)`).ReplaceAllString(heading, "") // of a link the text
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '_', r == '-':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
}
