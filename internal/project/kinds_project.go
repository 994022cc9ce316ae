package project

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// projectKinds are the kinds whose content lies in files/ beside a task.
func projectKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "tree", Manual: "inode(7)",
			About: "A directory that has just the files of a folder in it: what else comes into it goes with the next install. When one of them is another, all of it is written beside it and takes its place at once, so nobody sees half of it. " +
				"Hidden files count; a file that is executable in the folder is so on the host, by who may read it; a folder without a file is left out. " +
				"A link in the folder is refused, and on the host a directory with anything in it that no such kind has made. No secret may be in one: that is a file's, beside it. At most 10,000 files, and 64 MiB a task.",
			Leaves:  "The directory goes with all that is in it; one that was there before stays as it is now, which is said.",
			Example: "tree(\"/var/www/shop\", source = \"www\", group = \"www-data\", mode = \"0640\")",
			Parameters: append(append([]Parameter{
				required(hostPath("path", "The directory: one of its own, whose parent exists.")),
				text("source", "The folder that it is a copy of, in files/ beside the task."),
				byName(named("files", "Files beside those of source, or alone: the way to each from the directory, and what is in it, as template(…) makes it.")),
			}, attributes("0644")...), absent()),
		}, makeTree),
		kind(Word{
			Name: "deb", Manual: "dpkg-deb(1)",
			About: "A Debian package that is in no repository: a file, which is sent to the hosts that have another version. What it depends on comes from apt's sources, without recommendations. While it is installed no service starts: write the configuration before it. " +
				"Name and version are its own, as dpkg-deb -f FILE Package Version prints them: with others a host would never be as it is wanted, and the run says so.",
			Leaves:  "The package stays, which is said; remove --purge takes one that came for a task.",
			Example: "deb(\"shop\", \"1.4.2\", source = \"shop_1.4.2_all.deb\", restarts = [\"shop.service\"])",
			Parameters: []Parameter{
				required(text("name", "Its name.")),
				text("version", "Its version, whole."),
				text("source", "The file, in files/ beside the task."),
				byName(digest("sha256", "Of the file, as sha256sum prints it: another file is refused then.")),
				byName(brings()), byName(restarts()), absent(),
			},
		}, makeDeb),
	}
}

func makeTree(c *call) (recipe.Resource, error) {
	t := resource.Tree{Path: given[string](c, "path"), Attributes: c.attributes(), Absent: given[bool](c, "absent")}
	named := given[map[string]string](c, "files")
	switch {
	case t.Absent && (c.has("source") || c.has("files")):
		return nil, plain("absent, yet with files", "leave out one of the two")
	case t.Absent:
		return t, nil
	case !c.has("source") && !c.has("files"):
		return nil, plain("wants a source or files", c.word.Example)
	case c.has("source"):
		files, err := c.tree(given[string](c, "source"))
		if err != nil {
			return nil, err
		}
		t.Files = append(t.Files, files...)
	}
	for _, name := range sortedKeys(named) {
		t.Files = append(t.Files, resource.TreeFile{Name: name, Content: named[name]})
	}
	for _, file := range t.Files {
		if file.Name == recipe.TreeMark {
			return nil, plain(file.Name+" is provision's own: by it the directory is known", "give the file another name")
		}
		if err := c.weigh(len(file.Content)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// tree returns a folder's files.
func (c *call) tree(wanted string) ([]resource.TreeFile, error) {
	if path.Clean(wanted) == "." { // it has what other kinds take, as keys
		return nil, plain(fmt.Sprintf("source: %q is the whole of %s/", wanted, fileFolder), "name a folder in it, as \"www\"")
	}
	return once(c.building, asked{c.file, fileFolder, wanted, "tree"}, func() ([]resource.TreeFile, error) {
		folder, err := c.project.beside(c.file, fileFolder, wanted)
		if err != nil {
			return nil, err
		}
		var files []resource.TreeFile
		err = c.project.files.walk(folder, func(in source, name string, info fs.FileInfo) error {
			if len(files) == maxFiles {
				return plain(fmt.Sprintf("%s: has more than %d files in it", c.project.shown(folder), maxFiles), "send them as an archive, or several trees")
			}
			if info.Mode().Type() == fs.ModeSymlink {
				return plain(c.project.shown(path.Join(folder, name))+": is a link, of which a tree has none", "put the file itself in its place")
			}
			text, err := in.read(name, maxContent)
			if err != nil {
				return c.project.unusable(path.Join(folder, name), err)
			}
			files = append(files, resource.TreeFile{Name: name, Content: text, Executable: info.Mode()&0o100 != 0, SHA256: recipe.Digest([]byte(text))})
			return nil
		})
		switch {
		case adviceOf(err) != "":
			return nil, err
		case err != nil:
			return nil, c.project.unusable(folder, rootReason(err))
		case len(files) == 0:
			return nil, plain(c.project.shown(folder)+": has no file in it", "a directory alone is directory(…)")
		}
		return files, nil
	})
}

func makeDeb(c *call) (recipe.Resource, error) {
	d := resource.Deb{
		Name: given[string](c, "name"), Version: given[string](c, "version"),
		Brings: given[[]recipe.Key](c, "brings"), Restarts: given[[]string](c, "restarts"), Absent: given[bool](c, "absent"),
	}
	if err := c.unlessAbsent("version", "source"); err != nil || d.Absent {
		return d, err
	}
	var err error
	if d.Artifact, err = c.artifact(given[string](c, "source")); err != nil {
		return nil, err
	}
	if want := given[string](c, "sha256"); want != "" && want != d.Artifact.SHA256 {
		return nil, plain(given[string](c, "source")+": has another SHA-256: "+d.Artifact.SHA256, "look whose file it is; if it is meant, write that")
	}
	return d, nil
}

// artifact describes a file that is sent as it is.
func (c *call) artifact(wanted string) (recipe.Artifact, error) {
	return once(c.building, asked{c.file, fileFolder, wanted, "artifact"}, func() (recipe.Artifact, error) {
		name, err := c.project.beside(c.file, fileFolder, wanted)
		if err != nil {
			return recipe.Artifact{}, err
		}
		size, digest, err := c.project.files.digest(name)
		if err != nil {
			return recipe.Artifact{}, c.project.unusable(name, err)
		}
		place, err := filepath.Abs(c.project.shown(name))
		return recipe.Artifact{Source: place, Size: size, SHA256: digest}, err
	})
}
