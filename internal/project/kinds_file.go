package project

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

// attributes are the parameters of what has permissions and an owner.
func attributes(standard string) []Parameter {
	return []Parameter{
		byName(mode(standard)),
		byName(or(text("owner", "The account that it belongs to."), `"root"`)),
		byName(or(text("group", "The group that it belongs to."), `"root"`)),
	}
}

func (c *call) attributes() recipe.Attributes {
	return recipe.Attributes{Mode: given[uint32](c, "mode"), Owner: given[string](c, "owner"), Group: given[string](c, "group")}
}

// absent is the parameter of what can be taken away.
func absent() Parameter {
	return byName(truth("absent", "It is taken away where it is: for what somebody else has brought, as a package its example."))
}

// fileKinds are the kinds that stand at a path.
func fileKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "file", Manual: "inode(7)",
			About:   "A regular file with its whole content. It is written beside its place and renamed; a link in its place is refused, never followed. With a secret in its content nothing of it is shown.",
			Example: "file(\"/etc/shop/env\", template(\"env.tmpl\", token = v.token), mode = \"0640\", group = \"shop\", notify = restart(\"shop.service\"))",
			Parameters: append([]Parameter{
				required(hostPath("path", "Where it stands.")),
				contentOf("content", "What is in it; template(…) makes it of a template."),
				byName(text("source", "The file that it is a copy of, in files/ beside the task.")),
			}, append(attributes("0644"),
				byName(named("fill", "What the host fills in itself: a placeholder in the content, and the path of a file there, as generated(…) makes one.")),
				absent())...),
		}, makeFile),
		kind(Word{
			Name: "directory", Manual: "inode(7)",
			About:   "A directory. What is in it is not its business.",
			Example: "directory(\"/var/lib/shop\", mode = \"0750\", owner = \"shop\", group = \"shop\")",
			Parameters: append(append([]Parameter{required(hostPath("path", "Where it stands."))}, attributes("0755")...),
				byName(truth("parents", "Those above it that are not there are made too, as 0755 of root, and stay; without it its parent exists.")),
				absent(), byName(truth("tree", "With absent: one that is not empty goes too, with all that is in it."))),
		}, func(c *call) (recipe.Resource, error) {
			return resource.Directory{Path: given[string](c, "path"), Attributes: c.attributes(), Parents: given[bool](c, "parents"), Absent: given[bool](c, "absent"), Tree: given[bool](c, "tree")}, nil
		}),
		kind(Word{
			Name: "link", Manual: "symlink(7)",
			About:   "A symbolic link. It is changed by a rename, so it never points nowhere.",
			Example: "link(\"/etc/nginx/sites-enabled/shop\", \"/etc/nginx/sites-available/shop\", notify = reload(\"nginx.service\"))",
			Parameters: []Parameter{
				required(hostPath("path", "Where it stands.")),
				text("target", "Where it leads, absolute or from the link's directory on."),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Link{Path: given[string](c, "path"), Target: given[string](c, "target"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name:    "line",
			About:   "One line of a file that somebody else owns, as a package's configuration. It stands in the place of the first line that it replaces, and the others that it replaces go; where there is none it is added at the end.",
			Example: "line(\"/etc/redis/redis.conf\", \"maxmemory 64mb\", key = \"maxmemory \", notify = restart(\"redis-server.service\"))",
			Parameters: []Parameter{
				required(hostPath("path", "The file.")),
				required(contentOf("line", "The line. With a secret in it nothing of the file is shown, and it needs a key.")),
				byName(text("key", "How the lines start that it replaces, itself among them.")),
				byName(text("match", "Or a regular expression (pkg.go.dev/regexp/syntax) that these lines match.")),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			line := given[content](c, "line")
			return resource.Line{Path: given[string](c, "path"), Line: line.text, Key: given[string](c, "key"), Match: given[string](c, "match"), Absent: given[bool](c, "absent"), Secret: line.secret}, nil
		}),
		kind(Word{
			Name:    "block",
			About:   "Some lines of a file that somebody else owns, between two that mark them: they are replaced as a whole, and added at the end where they are not there. With a secret in them nothing of the file is shown.",
			Example: "block(\"/etc/hosts\", \"cluster\", \"10.0.0.1 db1\\n10.0.0.2 db2\\n\")",
			Parameters: []Parameter{
				required(hostPath("path", "The file.")),
				required(text("name", "What tells it from other blocks of the file.")),
				contentOf("text", "Its lines."),
				byName(or(text("comment", "What begins a comment there."), `"#"`)),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			lines := given[content](c, "text")
			return resource.Block{
				Path: given[string](c, "path"), Name: given[string](c, "name"), Text: lines.text, Comment: given[string](c, "comment"),
				Absent: given[bool](c, "absent"), Secret: lines.secret,
			}, nil
		}),
		kind(Word{
			Name:    "generated",
			About:   "A file with a random text of letters and digits, which is made on the host, once, and never leaves it. A file with fill = {…} has it in its content.",
			Example: "generated(\"/etc/shop/key\", length = 64, group = \"shop\", mode = \"0640\")",
			Parameters: append(append([]Parameter{required(hostPath("path", "Where it stands."))}, attributes("0600")...),
				byName(or(number("length", "How many letters and digits."), "40")), absent()),
		}, func(c *call) (recipe.Resource, error) {
			return resource.Secret{Path: given[string](c, "path"), Attributes: c.attributes(), Length: given[int](c, "length"), Absent: given[bool](c, "absent")}, nil
		}),
	}
}

func makeFile(c *call) (recipe.Resource, error) {
	f := resource.File{
		Path: given[string](c, "path"), Attributes: c.attributes(), Fill: given[map[string]string](c, "fill"), Absent: given[bool](c, "absent"),
	}
	source := given[string](c, "source")
	switch {
	case f.Absent && (c.has("content") || c.has("source")):
		return nil, plain("absent, yet with a content", "leave out one of the two")
	case f.Absent:
		return f, nil
	case c.has("content") == c.has("source"):
		return nil, plain("wants a content or a source", "file(\"/etc/motd\", \"Hello\\n\"), or source = \"motd\" for a copy of files/motd")
	case c.has("source"):
		text, err := c.source(source)
		if err != nil {
			return nil, err
		}
		f.Content = text
	default:
		wanted := given[content](c, "content")
		f.Content, f.Secret = wanted.text, wanted.secret
	}
	return f, c.weigh(len(f.Content))
}

// source returns a file of the project, which is read once: each build gets the same.
func (c *call) source(wanted string) (string, error) {
	asked := asked{c.file, fileFolder, wanted}
	if text, known := c.project.used.Load(asked); known {
		return text.(string), nil
	}
	_, text, err := c.project.use(c.file, fileFolder, wanted, maxContent)
	if err == nil {
		c.project.used.Store(asked, text)
	}
	return text, err
}
