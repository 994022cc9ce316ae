package inventory

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// Inventories of Ansible's may have anchors and aliases, and merges (https://yaml.org/type/merge.html), as its YAML 1.1
// has them. An alias of a scalar is that one, and a merge brings the entries of mappings; any other alias is not looked
// up, as aliases of aliases can stand for more than there is room for.

// mostMerged is how many entries merges may bring to all mappings of a file.
const mostMerged = 100_000

// anchor keeps a node by its name.
func (c *converter) anchor(name string, n *node) *node {
	if c.anchors == nil {
		c.anchors = map[string]*node{}
	}
	c.anchors[name] = n
	return n
}

// aliased is the node of an alias's name; nil where none stands before it.
func (c *converter) aliased(from *ast.AliasNode) *node { return c.anchors[from.Value.GetToken().Value] }

// alias makes n what an alias stands for.
func (c *converter) alias(n *node, from *ast.AliasNode) *node {
	meant := c.aliased(from)
	if meant == nil || meant.kind == kindList || meant.kind == kindMapping {
		n.kind, n.alias = kindOther, true
		return n
	}
	same := *meant
	same.at = n.at
	return &same
}

// merge notes what a merge brings: a mapping, or several.
func (c *converter) merge(mapping *node, from ast.Node, depth int) {
	var meant *node
	switch from := from.(type) {
	case *ast.SequenceNode:
		for _, one := range from.Values {
			c.merge(mapping, one, depth+1)
		}
		return
	case *ast.AliasNode:
		meant = c.aliased(from)
	default:
		meant = c.convert(from, depth+1)
	}
	if meant == nil || meant.kind != kindMapping {
		c.refuse(c.position(from), "a merge (<<) of what is no mapping", "<<: *NAME, where a mapping that stands before it has &NAME")
		return
	}
	mapping.merges = append(mapping.merges, meant)
}

// flatten gives a mapping what its merges bring. Its own entries go first, wherever they stand, then those of the
// merges that stand first.
func (c *converter) flatten(mapping *node) {
	for _, from := range mapping.merges {
		for _, entry := range from.pairs {
			if mapping.pair(entry.key.text) != nil {
				continue
			}
			if c.merged++; c.merged > mostMerged {
				c.refuse(mapping.at, fmt.Sprintf("more than %d entries by merges (<<)", mostMerged), writtenOut(c.file))
				return
			}
			mapping.add(entry)
		}
	}
}
