package project

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"provision/internal/recipe"
)

//go:embed first
var first embed.FS

// firstName is the name of the task in first.
const firstName = "hello"

// Write writes a task that works, under a name, into a project's folder, and returns the names
// of its files. What is there already is refused.
func Write(folder, name string, shipped []recipe.Task) ([]string, error) {
	p := &Project{folder: folder, shipped: shipped}
	place := filepath.Join(Folder, name)
	if err := p.named(found{name, place}); err != nil {
		return nil, err
	}
	for _, there := range []string{place, place + ".star"} {
		if _, err := os.Lstat(filepath.Join(folder, there)); err == nil {
			return nil, p.refuse(there, "is there already", "choose another name, or go on with that one: provision list "+name, nil)
		}
	}
	var files []string
	err := fs.WalkDir(first, "first", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := first.ReadFile(path)
		if err != nil {
			return err
		}
		renamed := strings.ReplaceAll(strings.TrimPrefix(path, "first/"), firstName, name)
		file := filepath.Join(folder, place, filepath.FromSlash(renamed))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		files = append(files, file)
		return os.WriteFile(file, []byte(strings.ReplaceAll(string(text), firstName, name)), 0o644)
	})
	return files, err
}
