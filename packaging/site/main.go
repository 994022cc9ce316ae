// Command site writes the Markdown that mkdocs makes the documentation's site of: README.md, docs, and
// whatever of the source these lead to, as pages of its own, so that no link of a checkout is dead
// on the site and none leads to another host. Beside it, in mkdocs.yml, it writes the navigation out,
// and in theme what is otherwise than the theme has it.
//
//	go run ./packaging/site DIRECTORY
package main

import (
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	//go:embed site.css
	style string
	//go:embed search-in-files.js
	search string
	//go:embed theme/main.html
	theme string
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./packaging/site DIRECTORY")
		os.Exit(1)
	}
	if err := build(os.DirFS("."), os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "site: %v\n", err)
		os.Exit(1)
	}
}

// build writes mkdocs' settings into a directory, which is made anew, and all pages into docs in it.
func build(source fs.FS, dir string) error {
	pages, err := collect(source)
	if err != nil {
		return err
	}
	settings, err := navigate(source)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	files := map[string]string{"mkdocs.yml": settings, "theme/main.html": theme}
	for name, text := range pages {
		files["docs/"+name] = text
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// collect returns the site's files by name: the first page, docs, and what they lead to.
func collect(source fs.FS) (map[string]string, error) {
	docs, err := documents(source)
	if err != nil {
		return nil, err
	}
	pages := map[string]string{"site.css": style, "search-in-files.js": search}
	waiting := append([]string{"README.md"}, docs...)
	for len(waiting) > 0 {
		file := waiting[0]
		waiting = waiting[1:]
		if _, done := pages[place(source, file)]; done {
			continue
		}
		text, leads, err := render(source, file)
		if err != nil {
			return nil, err
		}
		pages[place(source, file)] = text
		waiting = append(waiting, leads...)
	}
	return pages, nil
}

// documents are the pages of docs, those of folders too.
func documents(source fs.FS) ([]string, error) {
	docs, err := fs.Glob(source, "docs/*.md")
	if err != nil {
		return nil, err
	}
	below, err := fs.Glob(source, "docs/*/*.md")
	return append(docs, below...), err
}

// A line of the navigation that stands for all pages of a folder of docs.
var folderForm = regexp.MustCompile(`(?m)^( +- )(\w+)/\*\n`)

// navigate returns mkdocs' settings, each page of a folder in its navigation by its own name.
func navigate(source fs.FS) (string, error) {
	settings, err := fs.ReadFile(source, "packaging/site/mkdocs.yml")
	if err != nil {
		return "", err
	}
	return folderForm.ReplaceAllStringFunc(string(settings), func(line string) string {
		words := folderForm.FindStringSubmatch(line)
		pages, _ := fs.Glob(source, "docs/"+words[2]+"/*.md") // the pattern is right
		var out strings.Builder
		for _, page := range pages {
			name := path.Base(page)
			fmt.Fprintf(&out, "%s%s: %s/%s\n", words[1], strings.TrimSuffix(name, ".md"), words[2], name)
		}
		return out.String()
	}), nil
}

// place is where a file or a folder of the source is on the site.
func place(source fs.FS, file string) string {
	switch below, ofDocs := strings.CutPrefix(file, "docs/"); {
	case file == "README.md":
		return "index.md"
	case ofDocs:
		return below
	case path.Base(file) == "README.md":
		return path.Join("source", path.Dir(file), "index.md")
	case isFolder(source, file):
		return path.Join("source", file, "index.md")
	case path.Ext(file) == ".md":
		return path.Join("source", file)
	}
	return path.Join("source", file+".md")
}

func isFolder(source fs.FS, file string) bool {
	info, err := fs.Stat(source, file)
	return err == nil && info.IsDir()
}

// render returns a file of the source as the site has it, and the files that it leads to.
func render(source fs.FS, file string) (text string, leads []string, err error) {
	if isFolder(source, file) {
		return renderFolder(source, file, "# "+file+"\n")
	}
	data, err := fs.ReadFile(source, file)
	if err != nil {
		return "", nil, err
	}
	switch {
	case path.Base(file) == "README.md" && strings.HasPrefix(file, "examples/"):
		return renderFolder(source, path.Dir(file), string(data))
	case path.Ext(file) == ".md":
		return renderPage(source, file, string(data))
	case strings.HasPrefix(file, "docs/"):
		return string(data), nil, nil
	}
	return "# " + path.Base(file) + "\n\n`" + file + "`\n\n````" + language(file) + "\n" + strings.TrimRight(string(data), "\n") + "\n````\n", nil, nil
}

// renderFolder is a folder's page, with all files in it below.
func renderFolder(source fs.FS, folder, head string) (string, []string, error) {
	var out strings.Builder
	out.WriteString(head + "\n## Files\n\n")
	err := fs.WalkDir(source, folder, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path.Base(file) != "README.md" {
			name := strings.TrimPrefix(file, folder+"/")
			fmt.Fprintf(&out, "- [%s](%s)\n", name, name)
		}
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return renderPage(source, path.Join(folder, "README.md"), out.String())
}

// known gives blocks a language that Pygments of Debian 12 has: Starlark is in Python's syntax, and Google's SQL
// in that of SQL.
var known = strings.NewReplacer("```starlark\n", "```python\n", "```googlesql\n", "```sql\n")

// renderPage is a page with its links as they are on the site.
func renderPage(source fs.FS, page, text string) (string, []string, error) {
	var leads []string
	var missing error
	text = relink(text, func(target string) string {
		file, anchor := resolve(page, target)
		if _, err := fs.Stat(source, file); file != page && err != nil {
			missing = fmt.Errorf("%s: %w", page, err)
			return target
		}
		if readme := path.Join(file, "README.md"); isFolder(source, file) {
			if _, err := fs.Stat(source, readme); err == nil {
				file = readme
			}
		}
		if anchor != "" {
			anchor = "#" + anchor
		}
		if file == page {
			return anchor
		}
		leads = append(leads, file)
		return route(place(source, page), place(source, file)) + anchor
	})
	return known.Replace(text), leads, missing
}

// route is the way from a page of the site to another.
func route(from, to string) string {
	here, there := strings.Split(path.Dir(from), "/"), strings.Split(to, "/")
	if path.Dir(from) == "." {
		here = nil
	}
	for len(here) > 0 && len(there) > 1 && here[0] == there[0] {
		here, there = here[1:], there[1:]
	}
	return strings.Join(append(slices.Repeat([]string{".."}, len(here)), there...), "/")
}

// language is what a file's text is written in, as Pygments names it.
func language(file string) string {
	switch path.Ext(file) {
	case ".star", ".py":
		return "python"
	case ".yaml", ".yml":
		return "yaml"
	case ".sql":
		return "sql"
	case ".go":
		return "go"
	case ".sh":
		return "sh"
	case ".service", ".timer", ".ini", ".conf":
		return "ini"
	}
	return "text"
}
