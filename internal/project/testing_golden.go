package project

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"

	"go.starlark.net/starlark"
)

// goldenFolder is where the golden files of a test are, beside it.
const goldenFolder = "testdata"

// goldens are the golden files of one test file.
type goldens struct {
	project *Project
	folder  string
	update  bool
	written map[string]string // what this run wrote, by name
}

var goldenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func (c *call) testGolden() (starlark.Value, error) {
	name := given[string](c, "name")
	if !goldenName.MatchString(name) {
		return nil, plain(fmt.Sprintf("%s: %q is no name of a golden file", c.word.Name, name), `letters, digits, ".", "-" and "_", as "bare.golden": it is written into `+goldenFolder+"/ beside the test")
	}
	var got string
	switch value := given[starlark.Value](c, "value").(type) {
	case *plan:
		got = value.String()
	case *change:
		got = value.String()
	case starlark.String, *secret:
		text, err := c.text(value)
		if err != nil {
			return nil, plain(c.word.Name+": "+err.Error(), adviceOf(err))
		}
		got = c.trial.masked(text)
	default:
		return nil, plain(fmt.Sprintf("%s: want a plan, a change or a text, found %s", c.word.Name, c.found(value)), c.signature())
	}
	g := c.trial.test.golden
	if g.update {
		return starlark.None, c.failing(g.write(name, got))
	}
	return starlark.None, c.failing(g.compare(name, got))
}

// failing is an error of a word, with its name.
func (c *call) failing(err error) error {
	if a, ok := err.(*advised); ok {
		return &advised{c.word.Name + ": " + a.problem, a.advice, a.cause}
	}
	return err
}

// place is a golden file's name in the project.
func (g *goldens) place(name string) string { return path.Join(g.folder, name) }

// compare holds a text against a golden file.
func (g *goldens) compare(name, got string) error {
	place := g.place(name)
	want, err := g.project.files.read(place, maxContent)
	rewrite := "if it is right as it is now: provision test --update, then read what changed"
	switch {
	case errors.Is(err, errOutside):
		return plain(g.project.shown(place)+" is outside of the project: a link leads there", "remove the link; provision test --update writes the file")
	case errors.Is(err, fs.ErrNotExist):
		return plain(g.project.shown(place)+": no such file", "provision test --update writes it; read it then")
	case err != nil:
		return plain(g.project.shown(place)+": "+err.Error(), "ls -l "+g.project.shown(place)+" shows what it is")
	case want != got:
		return &advised{"what is found (+) is not what " + g.project.shown(place) + " has (-)", rewrite, &Difference{difference(want, got)}}
	}
	return nil
}

// write writes a golden file, and never outside of the project: an os.Root does not leave it, and the
// rename replaces a link instead of following it.
func (g *goldens) write(name, text string) error {
	place := g.place(name)
	if before, twice := g.written[name]; twice {
		if before != text {
			return &advised{g.project.shown(place) + " would be written twice in one run, with another text", "a name of its own for each, as \"bare-%d.golden\" % t.release", &Difference{difference(before, text)}}
		}
		return nil
	}
	g.written[name] = text
	if have, err := g.project.files.read(place, maxContent); err == nil && have == text {
		return nil
	}
	if err := g.put(place, text); err != nil {
		return plain(g.project.shown(place)+": cannot be written: "+err.Error(), "ls -ld "+g.project.shown(g.folder)+" shows what is there")
	}
	return nil
}

func (g *goldens) put(place, text string) error {
	root := g.project.files.root
	if err := root.MkdirAll(g.folder, 0o755); err != nil {
		return rootReason(err)
	}
	beside := g.place("." + path.Base(place) + "." + rand.Text()) // no golden file has such a name
	file, err := root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return rootReason(err)
	}
	_, err = strings.NewReader(text).WriteTo(file)
	if err = errors.Join(err, file.Close()); err == nil {
		err = root.Rename(beside, place)
	}
	if err != nil {
		_ = root.Remove(beside) // it is told already
		return rootReason(err)
	}
	return nil
}
