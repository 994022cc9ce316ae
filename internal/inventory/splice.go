package inventory

import (
	"reflect"
	"slices"
	"strings"
)

// set puts an encrypted value at a path of the document. Lines are replaced, not the tree
// written anew, so that everything else stays as the author has it. Afterwards the text
// is parsed again, and is taken only if nothing but the value has changed.
func (doc *Document) set(path []string, text Ciphertext) error {
	lines, err := doc.splice(path, text)
	if err != nil {
		return err
	}
	after, err := OpenDocument(doc.name, []byte(strings.Join(lines, "\n")+"\n"))
	if err != nil || !reflect.DeepEqual(doc.others(path), after.others(path)) ||
		after.at(path) == nil || strings.TrimSpace(after.at(path).text) != strings.TrimSpace(string(text)) {
		return &Error{Position: Position{File: doc.name}, What: "variable " + path[len(path)-1],
			Problem: "cannot be set without changing something else",
			Advice:  "write the entry by hand, on a line of its own: " + path[len(path)-1] + ": x; then encrypt it"}
	}
	after.end = doc.end
	*doc = *after
	return nil
}

// others returns every value of the document by its path, but the one at a path.
func (doc *Document) others(but []string) map[string]string {
	values := map[string]string{}
	var walk func(n *node, path []string)
	walk = func(n *node, path []string) {
		if slices.Equal(path, but) {
			return
		}
		if n.kind != kindMapping && n.kind != kindNull {
			values[strings.Join(path, "\x00")] = n.describe() // the text of a scalar is in it
		}
		for _, entry := range n.pairs {
			walk(entry.value, append(slices.Clone(path), entry.key.text))
		}
		for _, item := range n.items {
			walk(item, append(slices.Clone(path), "-"+item.describe()))
		}
	}
	walk(doc.root, nil)
	return values
}

// splice returns the document's lines with the value in them.
func (doc *Document) splice(path []string, text Ciphertext) ([]string, error) {
	parent := doc.root
	var entry *pair
	for depth, key := range path {
		next := parent.pair(key)
		if next == nil {
			return doc.insert(parent, entry, path[depth:], text)
		}
		entry, parent = next, next.value
	}
	return doc.replaceValue(*entry, text), nil
}

// insert adds the rest of a path to a mapping: after its last entry, or right below its
// key when it has none.
func (doc *Document) insert(parent *node, entry *pair, rest []string, text Ciphertext) ([]string, error) {
	after, column := 0, 1
	switch {
	case len(parent.pairs) > 0 && parent.block:
		last := parent.pairs[len(parent.pairs)-1]
		column = last.key.at.Column
		after = doc.lastLine(last)
	case parent.kind == kindNull && parent.text != "~" && entry != nil && strings.TrimSpace(doc.tail(*entry)) == "":
		column = entry.key.at.Column + 2
		after = entry.key.at.Line
	default:
		return nil, &Error{Position: parent.at, Problem: "is written in { }", Advice: "write its entries one a line, then try again"}
	}
	var added []string
	for depth, key := range rest {
		indent := strings.Repeat(" ", column-1+2*depth)
		if depth == len(rest)-1 {
			added = append(added, indent+key+": |")
			added = append(added, block(text, len(indent)+2)...)
		} else {
			added = append(added, indent+key+":")
		}
	}
	return slices.Concat(doc.lines[:after], added, doc.lines[after:]), nil
}

// replaceValue puts the text in the place of an entry's value. A comment behind the value
// stays on the key's line; comments between the key and its value go above the key.
func (doc *Document) replaceValue(entry pair, text Ciphertext) []string {
	first, last := entry.key.at.Line, doc.lastLine(entry)
	line := []rune(doc.lines[first-1])
	head := string(line[:min(len(line), entry.colon.Column)]) + " |"
	value := entry.value
	var above []string
	if value.at.Line > first {
		for _, between := range doc.lines[first : value.at.Line-1] {
			if strings.HasPrefix(strings.TrimSpace(between), "#") {
				above = append(above, between)
			}
		}
		head += doc.comment(first, entry.colon.Column)
	}
	if at := value.comment; at.Line >= value.at.Line && at.Line <= last {
		head += doc.comment(at.Line, max(0, at.Column-3))
	}
	added := append(above, head)
	added = append(added, block(text, entry.key.at.Column+1)...)
	return slices.Concat(doc.lines[:first-1], added, doc.lines[last:])
}

// tail returns what stands behind the colon of an entry on its line, without a comment.
func (doc *Document) tail(entry pair) string {
	line := []rune(doc.lines[entry.key.at.Line-1])
	text, _, _ := strings.Cut(" "+string(line[min(len(line), entry.colon.Column):]), " #")
	return text
}

// comment returns the comment that stands on a line behind a column, with two spaces. The
// parser's column of a comment is one too many behind a | (goccy/go-yaml 1.19), so what is
// given is a place in the blanks before it.
func (doc *Document) comment(line, column int) string {
	text := []rune(doc.lines[line-1])
	if _, comment, found := strings.Cut(" "+string(text[min(len(text), column):]), " #"); found {
		return "  #" + comment
	}
	return ""
}

// lastLine returns the number of the last line that belongs to an entry. Empty lines and
// comments after it belong to what follows.
func (doc *Document) lastLine(entry pair) int {
	last := max(entry.key.at.Line, entry.value.at.Line)
	indent := entry.key.at.Column - 1
	content := -1 // the indentation of a block's text; a # in it is no comment
	for number := entry.key.at.Line + 1; number <= len(doc.lines); number++ {
		line := doc.lines[number-1]
		bare := strings.TrimLeft(line, " ")
		depth := len(line) - len(bare)
		switch {
		case bare == "":
			continue
		case entry.value.kind == kindString && entry.value.block && content < 0 && depth > indent:
			content = depth
		case strings.HasPrefix(bare, "#") && (content < 0 || depth < content):
			continue
		case depth < indent, depth == indent && !(entry.value.kind == kindList && strings.HasPrefix(bare, "-")):
			return last
		}
		last = number
	}
	return last
}

// block returns the lines of a text under a |, indented by so many spaces.
func block(text Ciphertext, indent int) []string {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(string(text))) {
		lines = append(lines, strings.Repeat(" ", indent)+strings.TrimRight(line, "\r\n"))
	}
	return lines
}
