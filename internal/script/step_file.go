package script

import (
	"archive/tar"
	"bytes"
	"fmt"

	"provision/internal/recipe"
)

// toldOfFile says how a step on a path is told.
func toldOfFile(step recipe.Step) act {
	switch step := step.(type) {
	case recipe.WriteFile:
		return act{function: "write_file", words: append(placed(step.Path, step.Attributes), pairs(step.Fill)...), input: step.Content, feeds: true}
	case recipe.MakeDirectory:
		return act{function: KindDirectory, words: placed(step.Path, step.Attributes)}
	case recipe.SetAttributes:
		words := placed(step.Path, step.Attributes)
		if step.Found.Type != recipe.PathAbsent {
			words = append(words, fmt.Sprintf("%o %s:%s", step.Found.Mode, step.Found.Owner, step.Found.Group))
		}
		return act{function: "set_attributes", words: words}
	case recipe.MakeLink:
		return act{function: "make_link", words: []string{step.Path, step.Target}}
	case recipe.MakeSecret:
		return act{function: "make_secret", words: append(placed(step.Path, step.Attributes), fmt.Sprint(step.Length))}
	case recipe.Remove:
		if step.Tree {
			return act{function: "remove_tree", words: []string{step.Path, fmt.Sprint(recipe.MostCopied)}}
		}
		if step.Empty {
			return act{function: "remove_empty", words: []string{step.Path}}
		}
		return act{function: "remove", words: []string{step.Path}}
	case recipe.Upload:
		return act{function: KindUpload, words: append(placed(step.Path, step.Attributes), step.Artifact.SHA256)}
	case recipe.RestoreShipped:
		return act{function: "shipped", words: []string{step.Path, step.Package}}
	case recipe.Remember:
		words := []string{recipe.MemoryPath(step.Task)}
		for _, path := range step.Originals {
			words = append(words, recipe.OriginalPath(path), path)
		}
		return act{function: "remember", words: words, input: []byte(step.Text), feeds: true}
	case recipe.Download:
		return act{function: "download", words: append(placed(step.Path, step.Attributes), step.SHA256, step.URL)}
	case recipe.WriteTree:
		words := []string{step.Path, fmt.Sprint(recipe.MostCopied), fmt.Sprintf("%05o", step.Mode), step.Owner + ":" + step.Group}
		return act{function: "write_tree", words: words, input: packed(step), feeds: true}
	case recipe.Unpack:
		words := []string{step.Path, fmt.Sprint(recipe.MostCopied), step.Owner + ":" + step.Group, fmt.Sprint(step.Strip), step.SHA256, step.URL}
		return act{function: "unpack", words: words}
	case recipe.CheckOut:
		words := []string{step.Path, fmt.Sprint(recipe.MostCopied), step.Owner + ":" + step.Group, step.Commit, step.URL}
		return act{function: "check_out", words: words}
	case recipe.Restore:
		if step.Original {
			return act{function: "restore_original", words: []string{step.Path, recipe.OriginalPath(step.Path)}}
		}
		from := "" // of this run
		if step.Run != "" {
			from = State + "/runs/" + step.Run
		}
		return act{function: "restore_from", words: []string{step.Path, fmt.Sprint(step.Number), from}}
	}
	panic(fmt.Sprintf("script: step %T is not in the closed set", step))
}

// packed is an archive of a tree. Whom it belongs to, the host decides.
func packed(step recipe.WriteTree) []byte {
	var all bytes.Buffer
	archive := tar.NewWriter(&all)
	for _, entry := range step.Entries {
		// As with a set of files: neither the buffer nor such a header is ever refused.
		header := tar.Header{Name: "./" + entry.Name, Mode: int64(entry.Mode), Format: tar.FormatGNU, Typeflag: tar.TypeReg, Size: int64(len(step.Content[entry.Name]))}
		if entry.Type == recipe.PathDirectory {
			header.Typeflag, header.Size = tar.TypeDir, 0
		}
		archive.WriteHeader(&header)
		if entry.Type == recipe.PathFile {
			archive.Write(step.Content[entry.Name])
		}
	}
	archive.Close()
	return all.Bytes()
}

// placed are the words for a path, a mode, of five digits (see put in sh/place.sh), and the owners.
func placed(path string, a recipe.Attributes) []string {
	return []string{path, fmt.Sprintf("%05o", a.Mode), a.Owner + ":" + a.Group}
}
