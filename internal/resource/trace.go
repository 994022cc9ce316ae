package resource

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"provision/internal/recipe"
)

// This file says of each kind what a host remembers of it, and what stood in its place before. How
// it leaves is in leave.go. Of a Kept, which is a rollback's, nothing is remembered.

// stoodAt is what stood at a path.
func stoodAt(at string, facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: facts.Path(at).Type == recipe.PathAbsent}
}

// Trace implements recipe.Remembered.
func (f File) Trace() recipe.Trace {
	return recipe.Trace{Kind: "file", Name: f.Path, Gone: f.Absent, Secret: f.hidden()}
}

// Stood implements recipe.Remembered.
func (f File) Stood(facts recipe.Facts) recipe.Before { return stoodAt(f.Path, facts) }

// Trace implements recipe.Remembered.
func (a Artifact) Trace() recipe.Trace {
	return recipe.Trace{Kind: "file", Name: a.Path, Secret: a.Secret}
}

// Stood implements recipe.Remembered.
func (a Artifact) Stood(facts recipe.Facts) recipe.Before { return stoodAt(a.Path, facts) }

// Trace implements recipe.Remembered.
func (l Link) Trace() recipe.Trace { return recipe.Trace{Kind: "link", Name: l.Path, Gone: l.Absent} }

// Stood implements recipe.Remembered.
func (l Link) Stood(facts recipe.Facts) recipe.Before { return stoodAt(l.Path, facts) }

// Trace implements recipe.Remembered. What went with a directory does not come back.
func (d Directory) Trace() recipe.Trace {
	return recipe.Trace{Kind: "directory", Name: d.Path, Gone: d.Absent, Data: d.Data && !d.Absent}
}

// Stood implements recipe.Remembered.
func (d Directory) Stood(facts recipe.Facts) recipe.Before { return stoodAt(d.Path, facts) }

// Trace implements recipe.Remembered.
func (s Secret) Trace() recipe.Trace {
	return recipe.Trace{Kind: "secret", Name: s.Path, Gone: s.Absent, Secret: true}
}

// Stood implements recipe.Remembered.
func (s Secret) Stood(facts recipe.Facts) recipe.Before { return stoodAt(s.Path, facts) }

// Trace implements recipe.Remembered.
func (l Line) Trace() recipe.Trace {
	trace := recipe.Trace{Kind: "line", Name: l.Path, Key: l.Key, Match: l.Match, Line: l.Line, Gone: l.Absent, Secret: l.Secret}
	if l.Secret {
		trace.Line = ""
	}
	return trace
}

// Stood implements recipe.Remembered: of a secret line only whether there was one.
func (l Line) Stood(facts recipe.Facts) recipe.Before {
	return l.stood(l.found(facts), noPart(l.Path, facts))
}

func (l Line) stood(found []recipe.Replaced, none recipe.Before) recipe.Before {
	switch {
	case len(found) == 0:
		return none
	case l.Secret:
		return recipe.Before{}
	}
	return recipe.Before{Line: found[0].Line, More: found[1:]}
}

// found are the lines of the file that the line replaces.
func (l Line) found(facts recipe.Facts) []recipe.Replaced {
	replaces, err := l.replaces()
	if err != nil { // Validate has refused it
		return nil
	}
	var found []recipe.Replaced
	below := 0
	lines := slices.Collect(strings.Lines(string(facts.Content(l.Path).Bytes)))
	inside := inBlocks(lines)
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\n")
		if inside[i] || !replaces(line) {
			below++
			continue
		}
		if len(found) == 0 {
			below = 0
		}
		found = append(found, recipe.Replaced{Line: line, Below: below})
		below = 0
	}
	return found
}

// noPart is what stood before a part of a file that was not there.
func noPart(file string, facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: true, NoFile: facts.Path(file).Type == recipe.PathAbsent}
}

// Trace implements recipe.Remembered.
func (b Block) Trace() recipe.Trace {
	return recipe.Trace{Kind: "block", Name: b.Path, Key: b.Name, Comment: b.Comment, Gone: b.Absent, Secret: b.Secret}
}

// Stood implements recipe.Remembered.
func (b Block) Stood(facts recipe.Facts) recipe.Before {
	for line := range strings.Lines(string(facts.Content(b.Path).Bytes)) {
		if strings.TrimSuffix(line, "\n") == b.mark("BEGIN") {
			return recipe.Before{}
		}
	}
	return noPart(b.Path, facts)
}

// Trace implements recipe.Remembered.
func (k AuthorizedKey) Trace() recipe.Trace {
	trace := recipe.Trace{Kind: "authorized_key", Name: k.User, Line: strings.TrimSpace(k.Key), Home: k.Home, Gone: k.Absent}
	if key, err := parseKey(k.Key); err == nil {
		trace.Key = ssh.FingerprintSHA256(key)
	}
	return trace
}

// Within is the directory that it is in, which is made for it where it is not there, and leaves after it.
func (k AuthorizedKey) Within() []recipe.Resource {
	if k.Absent {
		return nil
	}
	return []recipe.Resource{Directory{Path: k.directory()}}
}

// Stood implements recipe.Remembered: the line of the key, with its options.
func (k AuthorizedKey) Stood(facts recipe.Facts) recipe.Before {
	same, err := k.same()
	if err != nil { // Validate has refused it
		return noPart(k.file(), facts)
	}
	if found := matching(string(facts.Content(k.file()).Bytes), same); len(found) > 0 {
		return recipe.Before{Line: found[0]}
	}
	return noPart(k.file(), facts)
}

// Trace implements recipe.Remembered.
func (p Package) Trace() recipe.Trace {
	return recipe.Trace{Kind: "package", Name: p.Name, Gone: p.Absent}
}

// Stood implements recipe.Remembered.
func (p Package) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !facts.Package(p.Name).Installed()}
}

// Trace implements recipe.Remembered.
func (s Service) Trace() recipe.Trace {
	return recipe.Trace{
		Kind: "service", Name: s.Unit, Gone: s.Absent,
		Listens: slices.Clone(s.Listens), Check: s.Check, Trees: slices.Clone(s.Trees), Dry: s.Dry, Scratch: slices.Clone(s.Scratch), Guarded: s.Guarded, Oneshot: s.Oneshot,
	}
}

// Stood implements recipe.Remembered.
func (s Service) Stood(facts recipe.Facts) recipe.Before {
	unit := facts.Unit(s.Unit)
	if unit.Load == "" || unit.Load == "not-found" {
		return recipe.Before{Nothing: true}
	}
	return recipe.Before{Unit: &unit}
}

// Trace implements recipe.Remembered.
func (u User) Trace() recipe.Trace { return recipe.Trace{Kind: "user", Name: u.Name, Gone: u.Absent} }

// Besides are the groups that it is in besides its own: each leaves by itself.
func (u User) Besides() []recipe.Resource {
	if u.Absent {
		return nil
	}
	var groups []recipe.Resource
	for _, group := range u.Groups {
		groups = append(groups, Membership{User: u.Name, Group: group})
	}
	return groups
}

// Stood implements recipe.Remembered.
func (u User) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !facts.User(u.Name).Exists}
}

// Trace implements recipe.Remembered.
func (g Group) Trace() recipe.Trace {
	return recipe.Trace{Kind: "group", Name: g.Name, Gone: g.Absent}
}

// Stood implements recipe.Remembered.
func (g Group) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !facts.Group(g.Name).Exists}
}

// Trace implements recipe.Remembered.
func (m Membership) Trace() recipe.Trace {
	return recipe.Trace{Kind: "membership", Name: m.User, Group: m.Group, Gone: m.Absent}
}

// Stood implements recipe.Remembered.
func (m Membership) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !slices.Contains(facts.Group(m.Group).Members, m.User)}
}

// Trace implements recipe.Remembered.
func (c Command) Trace() recipe.Trace {
	return recipe.Trace{Kind: "command", Name: c.Name, Made: len(c.Besides()) > 0}
}

// Trace implements recipe.Remembered.
func (m Made) Trace() recipe.Trace {
	if m.Secret {
		return Secret{Path: m.Path}.Trace()
	}
	return recipe.Trace{Kind: "file", Name: m.Path}
}

// Stood implements recipe.Remembered.
func (m Made) Stood(facts recipe.Facts) recipe.Before {
	before := stoodAt(m.Path, facts)
	before.Nothing = before.Nothing && m.Comes(facts)
	return before
}

// Stood implements recipe.Remembered: what it did is not known.
func (c Command) Stood(recipe.Facts) recipe.Before { return recipe.Before{} }

// Trace implements recipe.Remembered.
func (d Deb) Trace() recipe.Trace {
	return recipe.Trace{Kind: "package", Name: d.Name, Gone: d.Absent}
}

// Stood implements recipe.Remembered.
func (d Deb) Stood(facts recipe.Facts) recipe.Before { return Package{Name: d.Name}.Stood(facts) }

// Trace implements recipe.Remembered.
func (h Hold) Trace() recipe.Trace {
	return recipe.Trace{Kind: "hold", Name: h.Package, Gone: h.Absent}
}

// Stood implements recipe.Remembered.
func (h Hold) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !strings.HasPrefix(facts.Package(h.Package).Status, "h")}
}

// Trace implements recipe.Remembered: what leaves is the file.
func (r Repository) Trace() recipe.Trace { return r.file().Trace() }

// Stood implements recipe.Remembered.
func (r Repository) Stood(facts recipe.Facts) recipe.Before { return r.file().Stood(facts) }

// Trace implements recipe.Remembered: what leaves is the file, and the kernel keeps its value until
// the next boot.
func (s Sysctl) Trace() recipe.Trace { return s.file().Trace() }

// Stood implements recipe.Remembered.
func (s Sysctl) Stood(facts recipe.Facts) recipe.Before { return s.file().Stood(facts) }

// Trace implements recipe.Remembered: what leaves is the file, and the module stays loaded until the
// next boot.
func (m Module) Trace() recipe.Trace { return m.file().Trace() }

// Stood implements recipe.Remembered.
func (m Module) Stood(facts recipe.Facts) recipe.Before { return m.file().Stood(facts) }

// Trace implements recipe.Remembered: what leaves is the file, and the host keeps its name until the
// next boot.
func (h Hostname) Trace() recipe.Trace { return h.file().Trace() }

// Stood implements recipe.Remembered.
func (h Hostname) Stood(facts recipe.Facts) recipe.Before { return h.file().Stood(facts) }

// Trace implements recipe.Remembered.
func (z Timezone) Trace() recipe.Trace {
	return recipe.Trace{Kind: "timezone", Name: localtime, Gone: z.Absent}
}

// Stood implements recipe.Remembered. What is there and no link to a zone is not ours to take away.
func (z Timezone) Stood(facts recipe.Facts) recipe.Before {
	found := facts.Path(localtime)
	target := found.Target
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(localtime), target)
	}
	if name, is := strings.CutPrefix(target, "/usr/share/zoneinfo/"); is {
		return recipe.Before{Line: name}
	}
	return recipe.Before{Nothing: found.Type == recipe.PathAbsent}
}

// Trace implements recipe.Remembered.
func (a Alternative) Trace() recipe.Trace {
	return recipe.Trace{Kind: "alternative", Name: a.Name, Gone: a.Absent}
}

// Stood implements recipe.Remembered: what somebody had chosen.
func (a Alternative) Stood(facts recipe.Facts) recipe.Before {
	if found := a.found(facts); found.status == "manual" {
		return recipe.Before{Line: found.value}
	}
	return recipe.Before{Nothing: true}
}

// Trace implements recipe.Remembered.
func (d Download) Trace() recipe.Trace {
	return recipe.Trace{Kind: "file", Name: d.Path, Gone: d.Absent}
}

// Stood implements recipe.Remembered.
func (d Download) Stood(facts recipe.Facts) recipe.Before { return stoodAt(d.Path, facts) }

// Trace implements recipe.Remembered.
func (t Tree) Trace() recipe.Trace { return recipe.Trace{Kind: "tree", Name: t.Path, Gone: t.Absent} }

// Stood implements recipe.Remembered.
func (t Tree) Stood(facts recipe.Facts) recipe.Before { return stoodAt(t.Path, facts) }

// Trace implements recipe.Remembered.
func (a Archive) Trace() recipe.Trace {
	return recipe.Trace{Kind: "tree", Name: a.Path, Gone: a.Absent}
}

// Stood implements recipe.Remembered.
func (a Archive) Stood(facts recipe.Facts) recipe.Before { return stoodAt(a.Path, facts) }

// Trace implements recipe.Remembered.
func (g Git) Trace() recipe.Trace { return recipe.Trace{Kind: "tree", Name: g.Path, Gone: g.Absent} }

// Stood implements recipe.Remembered.
func (g Git) Stood(facts recipe.Facts) recipe.Before { return stoodAt(g.Path, facts) }

// Trace implements recipe.Remembered.
func (c Certificate) Trace() recipe.Trace {
	return recipe.Trace{Kind: "certificate", Name: c.Path, Key: c.Key, Gone: c.Absent}
}

// Stood implements recipe.Remembered: of two files, neither was there.
func (c Certificate) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: stoodAt(c.Path, facts).Nothing && stoodAt(c.Key, facts).Nothing}
}
