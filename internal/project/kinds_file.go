package project

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

// attributes are the parameters of what has permissions and an owner.
func attributes(standard string) []Parameter {
	return append([]Parameter{byName(mode(standard))}, owners()...)
}

func owners() []Parameter {
	return []Parameter{
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

// fileKinds are the kinds that stand at a path, with all that is there.
func fileKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "file", Manual: "inode(7)",
			About:   "A regular file with its whole content. It is written beside its place and renamed; a link in its place is refused, never followed. With a secret in its content nothing of it is shown.",
			Leaves:  "It goes, and what stood there before comes back; where a package has it as a conffile, that is the package's own.",
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
			Leaves:  "It goes when it was made for a task and is empty; one with data, and all that is in it, with remove --purge.",
			Example: "directory(\"/var/lib/shop\", mode = \"0750\", owner = \"shop\", group = \"shop\")",
			Parameters: append(append([]Parameter{required(hostPath("path", "Where it stands."))}, attributes("0755")...),
				byName(truth("parents", "Those above it that are not there are made too, as 0755 of root, and stay; without it its parent exists.")),
				byName(truth("data", "What comes into it is the task's, as what its service stores: remove --purge takes it with all that is in it.")),
				absent(), byName(truth("tree", "With absent: one that is not empty goes too, with all that is in it."))),
		}, func(c *call) (recipe.Resource, error) {
			return resource.Directory{Path: given[string](c, "path"), Attributes: c.attributes(), Parents: given[bool](c, "parents"), Absent: given[bool](c, "absent"), Tree: given[bool](c, "tree"), Data: given[bool](c, "data")}, nil
		}),
		kind(Word{
			Name: "link", Manual: "symlink(7)",
			About:   "A symbolic link. It is changed by a rename, so it never points nowhere.",
			Leaves:  "It goes, and what stood there before comes back.",
			Example: "link(\"/etc/nginx/sites-enabled/shop\", \"/etc/nginx/sites-available/shop\", notify = reload(\"nginx.service\"))",
			Parameters: []Parameter{
				required(hostPath("path", "Where it stands.")),
				text("target", "Where it leads, absolute or from the link's directory on."),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Link{Path: given[string](c, "path"), Target: given[string](c, "target"), Absent: given[bool](c, "absent")}, nil
		}),
	}
}

// partKinds are parts of files that somebody else owns.
func partKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "line", Manual: "POSIX.1-2017, 3.206 Line",
			About:   "One line of a file that somebody else owns, as a package's configuration. It stands in the place of the first line that it replaces, and the others that it replaces go; where there is none it is added at the end.",
			Leaves:  "It goes, and the lines that it replaced come back. A secret one that replaced another stays, which is said: of that no copy is kept.",
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
			Name: "block", Manual: "POSIX.1-2017, 3.403 Text File",
			About:   "Some lines of a file that somebody else owns, between two that mark them: they are replaced as a whole, and added at the end where they are not there. With a secret in them nothing of the file is shown.",
			Leaves:  "It goes. One of its name that was there before stays as it is now, which is said.",
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
	}
}

// madeKinds are files that a host makes itself.
func madeKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "generated", Manual: "urandom(4)",
			About:   "A file with a random text of letters and digits, which is made on the host, once, and never leaves it. A file with fill = {…} has it in its content.",
			Leaves:  "It stays, which is said; remove --purge takes one that was made for a task.",
			Example: "generated(\"/etc/shop/key\", length = 64, group = \"shop\", mode = \"0640\")",
			Parameters: append(append([]Parameter{required(hostPath("path", "Where it stands."))}, attributes("0600")...),
				byName(or(positive("length", "How many letters and digits."), "40")), absent()),
		}, func(c *call) (recipe.Resource, error) {
			return resource.Secret{Path: given[string](c, "path"), Attributes: c.attributes(), Length: given[int](c, "length"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "certificate", Manual: "openssl-req(1)",
			About: "A certificate of TLS that vouches for itself, with its key. Both are made on the host, which the key never leaves, and made anew a month before the end, when the names change and when the key is gone. It needs the package openssl. " +
				"A certificate or a key that is there and was not made so is refused, as one of a real authority, for of a key no copy is kept; and so is a directory to which others than root may write.",
			Leaves:  "Both files stay, which is said; remove --purge takes them where they were made for a task.",
			Example: "certificate(\"/etc/shop/tls.pem\", key = \"/etc/shop/tls.key\", names = [\"shop.example.org\"], group = \"www-data\", notify = reload(\"nginx.service\"))",
			Parameters: []Parameter{
				required(hostPath("path", "Where the certificate stands; all may read it.")),
				required(byName(hostPath("key", "Where its key stands; root may read it, and group."))),
				byName(texts("names", "What it is for: names of hosts, *.example.org too, and IP addresses.")),
				byName(text("group", "Who may read the key besides root: a group that exists.")),
				byName(or(positive("days", "It is good for so many."), "397")),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Certificate{
				Path: given[string](c, "path"), Key: given[string](c, "key"), Names: given[[]string](c, "names"), Group: given[string](c, "group"), Days: given[int](c, "days"), Absent: given[bool](c, "absent"),
			}, c.unlessAbsent("names")
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

// source returns a file of the project.
func (c *call) source(wanted string) (string, error) {
	return once(c.building, asked{c.file, fileFolder, wanted, "text"}, func() (string, error) {
		_, text, err := c.project.use(c.file, fileFolder, wanted, maxContent)
		return text, err
	})
}
