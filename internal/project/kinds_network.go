package project

import (
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// networkKinds are the kinds whose content a host fetches itself. Each names what it gets to the last
// bit: what is only called something, as a branch, is another thing tomorrow.
func networkKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "download", Manual: "apt.conf(5)",
			About: "A file that the host fetches from the network, by apt's own helper and through apt's proxies, and that is known by its digest: one that it has is not fetched again. " +
				"What is fetched and has another digest never gets to its place. A URL with a password in it is refused: every account of the host would see it.",
			Leaves:  "It goes, and the file that stood there before comes back.",
			Example: "download(\"/usr/local/bin/tool\", \"https://example.org/tool\", sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\", mode = \"0755\")",
			Parameters: append(append([]Parameter{
				required(hostPath("path", "Where it stands.")), fetched(), byName(digest("sha256", "Of the file, as sha256sum prints it.")),
			}, attributes("0644")...), absent()),
		}, func(c *call) (recipe.Resource, error) {
			return resource.Download{
				Path: given[string](c, "path"), URL: given[string](c, "url"), SHA256: given[string](c, "sha256"), Attributes: c.attributes(), Absent: given[bool](c, "absent"),
			}, c.unlessAbsent("url", "sha256")
		}),
		kind(Word{
			Name: "archive", Manual: "tar(1)",
			About: "A directory with what is in a tar archive that the host fetches from the network, known by its digest. Another archive takes the place of the whole directory at once, and what others have put into that goes. " +
				"A directory with anything in it that no such kind has made is refused, and so is a URL with a password in it. A file of it that somebody changes is not seen.",
			Leaves:  "The directory goes with all that is in it; one that was there before stays as it is now, which is said.",
			Example: "archive(\"/opt/tool\", \"https://example.org/tool-1.2.tar.gz\", sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\", strip = 1)",
			Parameters: append(append([]Parameter{
				required(hostPath("path", "The directory: one of its own, whose parent exists.")), fetched(), byName(digest("sha256", "Of the archive, as sha256sum prints it.")),
				byName(or(number("strip", "So many directories are left out at the start of each name in it."), "0")),
			}, owners()...), absent()),
		}, func(c *call) (recipe.Resource, error) {
			return resource.Archive{
				Path: given[string](c, "path"), URL: given[string](c, "url"), SHA256: given[string](c, "sha256"), Strip: given[int](c, "strip"),
				Owner: given[string](c, "owner"), Group: given[string](c, "group"), Absent: given[bool](c, "absent"),
			}, c.unlessAbsent("url", "sha256")
		}),
		kind(Word{
			Name: "git", Manual: "git-fetch(1)",
			About: "A directory with a commit of a repository of git, which the host fetches itself; by ssh it logs in with root's own key. It needs the package git. Another commit takes the place of the whole directory at once, and what others have put into that goes. " +
				"A branch or a tag is refused, for it is another commit tomorrow; so are a directory with anything in it that this did not check out, as a clone that somebody works in, and a URL with a password in it. A file of it that somebody changes is not seen.",
			Leaves:  "The directory goes with all that is in it; one that was there before stays as it is now, which is said.",
			Example: "git(\"/srv/shop\", \"https://example.org/shop.git\", commit = \"3f2a0c7de1b84c5f9a6e7d2b1c0f8e4d5a6b7c8d\", owner = \"shop\")",
			Parameters: append(append([]Parameter{
				required(hostPath("path", "The directory: one of its own, whose parent exists.")),
				text("url", "Where the repository is: https, http or ssh, and no password in it."),
				byName(commit()),
			}, owners()...), absent()),
		}, func(c *call) (recipe.Resource, error) {
			return resource.Git{
				Path: given[string](c, "path"), URL: given[string](c, "url"), Commit: given[string](c, "commit"),
				Owner: given[string](c, "owner"), Group: given[string](c, "group"), Absent: given[bool](c, "absent"),
			}, c.unlessAbsent("url", "commit")
		}),
	}
}

func fetched() Parameter {
	return text("url", "Where it is fetched from: http, or https, which needs the package ca-certificates; no password in it.")
}

// unlessAbsent refuses arguments that are missing, of what is not to be taken away.
func (c *call) unlessAbsent(names ...string) error {
	for _, name := range names {
		if !given[bool](c, "absent") && !c.has(name) {
			return plain(name+" is missing: "+strings.TrimSuffix(c.word.parameter(name).Help, "."), c.word.Example)
		}
	}
	return nil
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// digest is a parameter that takes a SHA-256.
func digest(name, help string) Parameter {
	return formed(text(name, help), sha256Form, "is no SHA-256", "sha256sum FILE prints it: 64 digits and letters from a to f")
}

var commitForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// commit is a parameter that takes a commit of git.
func commit() Parameter {
	return formed(text("commit", "Its whole name, of 40 letters and digits (64 where the repository has SHA-256)."),
		commitForm, "is no commit's whole name", "git rev-parse NAME prints the commit that a branch or a tag is today")
}

// formed is a parameter whose text has a form.
func formed(p Parameter, form *regexp.Regexp, problem, advice string) Parameter {
	read := p.read
	p.read = func(c *call, v starlark.Value) (any, error) {
		value, err := read(c, v)
		if err == nil && !form.MatchString(value.(string)) {
			return nil, plain(fmt.Sprintf("%q %s", value, problem), advice)
		}
		return value, err
	}
	return p
}
