package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxDepth is more than a hosts.yaml ever needs; it bounds what the parser recurses into.
const maxDepth = 20

// flat is the hint for what no inventory has.
const flat = "an inventory is flat and short: provision list nginx shows one"

// kind is the sort of a node.
type kind int

const (
	kindNull kind = iota
	kindString
	kindBool
	kindInt
	kindOther // a number with a point, .inf, and whatever else is never wanted
	kindList
	kindMapping
)

// node is a YAML value as far as an inventory uses YAML: no anchors, aliases, merges or
// tags, keys that are strings and stand once.
type node struct {
	kind    kind
	at      Position
	text    string // of a scalar: of a string its value, of the rest as it is written
	plain   bool   // a string without quotes
	block   bool   // a literal or folded string, a list or mapping that is not in { } or [ ]
	whole   int64  // of kindInt
	comment Position
	alias   bool // of a list or mapping that stands elsewhere, which is not looked up
	vault   bool // encrypted by ansible-vault, in inventories of Ansible's
	items   []*node
	pairs   []pair
	index   map[string]int // of pairs, by key
	merges  []*node        // mappings whose entries it has too, where it has none of the key
}

type pair struct {
	key   *node
	value *node
	colon Position
}

// get returns the value of a key, nil when it is not there.
func (n *node) get(key string) *node {
	if entry := n.pair(key); entry != nil {
		return entry.value
	}
	return nil
}

func (n *node) pair(key string) *pair {
	if n == nil {
		return nil
	}
	if i, found := n.index[key]; found {
		return &n.pairs[i]
	}
	return nil
}

// describe names what stands there, for "want a list, found …".
func (n *node) describe() string {
	if n.alias {
		return "an alias (*) of a list or mapping, which is not looked up"
	}
	switch n.kind {
	case kindNull:
		return "nothing"
	case kindList:
		return "a list"
	case kindMapping:
		return "a mapping"
	case kindBool:
		return "the boolean " + n.text
	case kindString:
		return fmt.Sprintf("the string %q", short(n.text))
	}
	return "the number " + short(n.text)
}

var (
	// What YAML 1.1 takes for a boolean (https://yaml.org/type/bool.html): other tools, and
	// many editors, still do. Such a word needs quotes when it is meant as text.
	oldBoolean = regexp.MustCompile(`^(?i:y|yes|n|no|on|off|true|false)$`)
	// What YAML 1.1 or 1.2 takes for a number, 1e3 and 0644 included.
	number = regexp.MustCompile(`^[-+]?(0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?)$`)
	// A whole number that every YAML reads alike: 0644 is octal in some, and not in others.
	whole = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})$`)
)

// parseYAML reads one document; root is nil when there is nothing in it.
func parseYAML(file string, data []byte) (root *node, err error) {
	return parseYAMLAs(file, data, false)
}

// parseYAMLAs reads one of others, too, who have keys that are no strings, and tags.
func parseYAMLAs(file string, data []byte, foreign bool) (root *node, err error) {
	if err := checkText(file, data); err != nil {
		return nil, err
	}
	// The parser counts some lines that end in \r\n twice (goccy/go-yaml 1.19).
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	parsed, err := parser.ParseBytes(data, parser.ParseComments, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(file, err)
	}
	c := converter{file: file, foreign: foreign}
	documents := 0
	for _, document := range parsed.Docs {
		if _, comment := document.Body.(*ast.CommentGroupNode); document.Body == nil || comment {
			continue
		}
		if documents++; documents > 1 {
			c.refuse(c.position(document.Body), "a second document", "one file is one inventory: remove the --- line")
			break
		}
		root = c.convert(document.Body, 0)
	}
	return root, c.errs.result()
}

// syntaxError turns the parser's error into ours, which has the place in the usual form.
func syntaxError(file string, err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		return &Error{Position: Position{File: file}, Problem: "not YAML", Advice: flat}
	}
	at := Position{File: file}
	if token := syntax.GetToken(); token != nil && token.Position != nil {
		at.Line, at.Column = max(1, token.Position.Line), max(1, token.Position.Column)
	}
	message := syntax.GetMessage()
	return &Error{Position: at, What: "YAML", Problem: message, Advice: syntaxHint(message)}
}

// syntaxHint says what is behind a message of the parser's, as a rule.
func syntaxHint(message string) string {
	for _, known := range []struct{ part, hint string }{
		{"reserved character", "a text that begins with it needs quotes"},
		{"end character of", "a quote that opens has to close"},
		{"end token", "a bracket that opens has to close"},
		{"must be specified", "a bracket that opens has to close, and entries have commas between them"},
		{"invalid key", "a key is a name, with a colon behind it"},
	} {
		if strings.Contains(message, known.part) {
			return known.hint
		}
	}
	return "the indentation is off, or a text with \": \" in it needs quotes"
}

// converter turns the parser's tree into ours and refuses what we have no use for.
type converter struct {
	file    string
	foreign bool
	anchors map[string]*node // of others
	merged  int              // entries that merges brought
	errs    Errors
}

func (c *converter) refuse(at Position, problem, hint string) {
	c.errs = append(c.errs, &Error{Position: at, Problem: problem, Advice: hint})
}

func (c *converter) position(n ast.Node) Position {
	token := n.GetToken()
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return c.position(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return c.position(n.Key)
	}
	if token == nil || token.Position == nil {
		return Position{File: c.file}
	}
	return Position{c.file, max(1, token.Position.Line), max(1, token.Position.Column)}
}

func (c *converter) convert(from ast.Node, depth int) *node {
	n := &node{kind: kindNull, at: Position{File: c.file}}
	if from == nil {
		return n
	}
	n.at = c.position(from)
	if depth > maxDepth {
		c.refuse(n.at, "nested too deep", flat)
		return n
	}
	if group := from.GetComment(); group != nil && len(group.Comments) > 0 {
		n.comment = c.position(group.Comments[0])
	}
	const once = "write it out at each place: an inventory is short, and aliases can grow without bound"
	switch from := from.(type) {
	case *ast.AnchorNode:
		if c.foreign {
			return c.anchor(from.Name.GetToken().Value, c.convert(from.Value, depth))
		}
		c.refuse(n.at, "an anchor (&): anchors and aliases are not used here", once+"; a text that begins with & needs quotes")
	case *ast.AliasNode:
		if c.foreign {
			return c.alias(n, from)
		}
		c.refuse(n.at, "an alias (*): anchors and aliases are not used here", once+"; a text that begins with * needs quotes")
	case *ast.TagNode:
		if tag := from.Start.Value; c.foreign && (tag == "!vault" || tag == "!unsafe") {
			inner := c.convert(from.Value, depth+1)
			inner.at, inner.vault = n.at, tag == "!vault"
			return inner
		}
		c.refuse(n.at, "a tag (!): tags are not used here", "a text that begins with ! needs quotes")
	case *ast.DirectiveNode:
		c.refuse(n.at, "a directive (%): directives are not used here", "remove the line")
	case *ast.MappingNode:
		n.kind, n.block = kindMapping, !from.IsFlowStyle
		for _, value := range from.Values {
			c.add(n, value, depth)
		}
		c.flatten(n)
	case *ast.MappingValueNode:
		n.kind, n.block = kindMapping, true
		c.add(n, from, depth)
		c.flatten(n)
	case *ast.SequenceNode:
		n.kind, n.block = kindList, !from.IsFlowStyle
		for _, value := range from.Values {
			n.items = append(n.items, c.convert(value, depth+1))
		}
	default:
		c.scalar(n, from)
	}
	return n
}

// add appends one entry of a mapping.
func (c *converter) add(mapping *node, from *ast.MappingValueNode, depth int) {
	if _, merge := from.Key.(*ast.MergeKeyNode); merge {
		if c.foreign {
			c.merge(mapping, from.Value, depth)
			return
		}
		c.refuse(c.position(from.Key), "a merge (<<): anchors and aliases are not used here", "write it out at each place")
		return
	}
	key := c.convert(from.Key, depth+1)
	switch {
	case len(key.text) > 200:
		c.refuse(key.at, "a key of more than 200 characters", flat)
		return
	case c.foreign && key.kind != kindList && key.kind != kindMapping:
	case key.kind != kindString:
		c.refuse(key.at, "key "+key.text+": want a name", "put it in quotes, if it is one")
		return
	case key.plain && oldBoolean.MatchString(key.text):
		c.refuse(key.at, fmt.Sprintf("key %s: YAML may read it as a boolean", key.text), fmt.Sprintf("put it in quotes: %q", key.text))
		return
	}
	if first := mapping.pair(key.text); first != nil {
		c.refuse(key.at, fmt.Sprintf("key %q: stands twice, first at %s", key.text, first.key.at), "remove one of the two")
		return
	}
	entry := pair{key: key, value: c.convert(from.Value, depth+1)}
	if from.Start != nil && from.Start.Position != nil {
		entry.colon = Position{c.file, from.Start.Position.Line, from.Start.Position.Column}
	}
	mapping.add(entry)
}

// add appends an entry of a key that a mapping does not have.
func (n *node) add(entry pair) {
	if n.index == nil {
		n.index = map[string]int{}
	}
	n.index[entry.key.text] = len(n.pairs)
	n.pairs = append(n.pairs, entry)
}

func (c *converter) scalar(n *node, from ast.Node) {
	written := from.GetToken().Value
	n.text = written
	switch from := from.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		n.kind, n.text = kindString, from.Value
		quote := from.GetToken().Type.String()
		n.plain = quote != "DoubleQuote" && quote != "SingleQuote"
	case *ast.LiteralNode:
		n.kind, n.block, n.text = kindString, true, ""
		if from.Value != nil {
			n.text = from.Value.Value
		}
	case *ast.BoolNode:
		n.kind = kindBool
	case *ast.IntegerNode:
		n.kind = kindInt
	default:
		n.kind = kindOther
	}
	if n.kind == kindInt && !whole.MatchString(written) {
		n.kind = kindOther
	}
	if n.kind == kindInt {
		fmt.Sscan(written, &n.whole)
	}
	if n.kind == kindString && n.plain && number.MatchString(n.text) {
		n.kind = kindOther // 1e3: this parser's string is the next one's number
	}
	for _, r := range n.text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			c.refuse(n.at, fmt.Sprintf("a control character (%U) in a text", r), "remove it")
			break
		}
	}
}
