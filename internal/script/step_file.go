package script

import (
	"fmt"

	"provision/internal/recipe"
)

// toldOfFile says how a step on a path is told.
func toldOfFile(step recipe.Step) act {
	switch step := step.(type) {
	case recipe.WriteFile:
		words := append([]string{step.Path}, attributes(step.Attributes)...)
		return act{function: "write_file", words: append(words, pairs(step.Fill)...), input: step.Content, feeds: true}
	case recipe.MakeDirectory:
		return act{function: KindDirectory, words: append([]string{step.Path}, attributes(step.Attributes)...)}
	case recipe.SetAttributes:
		return act{function: "set_attributes", words: append([]string{step.Path}, attributes(step.Attributes)...)}
	case recipe.MakeLink:
		return act{function: "make_link", words: []string{step.Path, step.Target}}
	case recipe.MakeSecret:
		words := append([]string{step.Path}, attributes(step.Attributes)...)
		return act{function: "make_secret", words: append(words, fmt.Sprint(step.Length))}
	case recipe.Remove:
		if step.Tree {
			return act{function: "remove_tree", words: []string{step.Path, fmt.Sprint(recipe.MostCopied)}}
		}
		if step.Empty {
			return act{function: "remove_empty", words: []string{step.Path}}
		}
		return act{function: "remove", words: []string{step.Path}}
	case recipe.Upload:
		words := append([]string{step.Path}, attributes(step.Attributes)...)
		return act{function: KindUpload, words: append(words, step.Artifact.SHA256)}
	case recipe.RestoreShipped:
		return act{function: "shipped", words: []string{step.Path, step.Package}}
	case recipe.Remember:
		words := []string{recipe.MemoryPath(step.Task)}
		for _, path := range step.Originals {
			words = append(words, recipe.OriginalPath(path), path)
		}
		return act{function: "remember", words: words, input: []byte(step.Text), feeds: true}
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

// attributes are the words for a mode, of five digits (see put in sh/place.sh), and the owners.
func attributes(a recipe.Attributes) []string {
	return []string{fmt.Sprintf("%05o", a.Mode), a.Owner + ":" + a.Group}
}
