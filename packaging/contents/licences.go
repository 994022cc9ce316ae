package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licenceFile is how modules name what has to go with copies of them.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// writeLicences writes the licences of all that is in some programs, whole: all of them ask for that.
func writeLicences(out io.Writer, programs []*program) error {
	seen := map[part]bool{}
	var all []part
	for _, program := range programs {
		for _, part := range program.parts() {
			if !seen[part] {
				seen[part] = true
				all = append(all, part)
			}
		}
	}
	slices.SortFunc(all, func(a, b part) int { return strings.Compare(a.url(), b.url()) })
	for _, part := range all {
		texts, err := part.licences()
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		title := part.name + " " + part.version
		if _, err := fmt.Fprintf(out, "%s\n%s\n\n%s\n\n\n", title, strings.Repeat("=", len(title)), strings.Join(texts, "\n\n")); err != nil {
			return err
		}
	}
	return nil
}

// licences are the texts of a part's licence; that it has none is an error.
func (p part) licences() ([]string, error) {
	files, err := p.licenceFiles()
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.TrimSpace(string(text)))
	}
	return texts, nil
}

func (p part) licenceFiles() ([]string, error) {
	dir, err := "", error(nil)
	switch {
	case p.licence != "":
		return []string{p.licence}, nil
	case p.name == standard:
		dir, err = ask("go", "env", "GOROOT")
	default:
		dir, err = ask("go", "list", "-m", "-f", "{{.Dir}}", p.name)
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if entry.Type().IsRegular() && licenceFile.MatchString(entry.Name()) {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no licence in %s", dir)
	}
	return files, nil
}

func ask(name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	return strings.TrimSpace(string(output)), err
}
