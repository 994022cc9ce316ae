package tasks

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/recipe"
)

// What a task brought goes with it: on a host that had its packages nothing of it is left, whichever
// of its options were set, but for what stays by design.
func TestRemoveLeavesNothing(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		host := bareHost(platform)
		wanted := build(t, task, platform, raw)
		for _, item := range wanted.Items {
			if key := item.Keys()[0]; key.Kind == recipe.KindPackage {
				host.Facts[key] = recipe.Fact{Value: recipe.Package{Status: "ii", Version: "1"}}
				host.Facts.Apply(host.Brings[key.Name])
			}
		}
		before := host.Facts.Clone()
		if _, err := host.Install(model.Task{Name: task.Name, Recipe: wanted}); err != nil {
			t.Fatal(err)
		}
		if _, err := host.Install(model.Task{Name: task.Name}); err != nil {
			t.Fatal(err)
		}
		for key, fact := range host.Facts {
			switch key.Kind {
			case recipe.KindPath, recipe.KindUnit, recipe.KindPending:
			default:
				continue
			}
			if strings.HasPrefix(key.Name, recipe.State) || isSecret(wanted, key) {
				continue
			}
			if was := before[key].Value; fact.Value != was && !empty(fact.Value, was) && !filled(host.Facts, key) {
				t.Errorf("%s is %+v, and was %+v", key, fact.Value, was)
			}
		}
	})
}

// filled reports whether a key is that of a directory in which something is left, as a secret that
// was made on the host, or what its package brought.
func filled(facts recipe.Facts, directory recipe.Key) bool {
	for key := range facts {
		if key.Kind == recipe.KindPath && strings.HasPrefix(key.Name, directory.Name+"/") && facts.Path(key.Name).Type != recipe.PathAbsent && facts.Path(key.Name).Type != recipe.PathDirectory {
			return facts.Path(directory.Name).Type == recipe.PathDirectory
		}
	}
	return false
}

// isSecret reports whether a key is that of a secret that was made on the host, or of a certificate with its key.
func isSecret(wanted recipe.Recipe, key recipe.Key) bool {
	return slices.ContainsFunc(wanted.Items, func(item recipe.Item) bool {
		remembered, ok := item.Resource.(recipe.Remembered)
		if !ok {
			return false
		}
		trace := remembered.Trace()
		return slices.Contains([]string{"secret", "certificate"}, trace.Kind) && key.Kind == recipe.KindPath && slices.Contains([]string{trace.Name, trace.Key}, key.Name)
	})
}

// empty reports whether a value says of something that it is not there, as nothing did before.
func empty(value, was any) bool {
	switch value := value.(type) {
	case recipe.Path:
		return was == nil && value.Type == recipe.PathAbsent
	case recipe.Pending:
		return was == nil && value.Action == ""
	case recipe.Unit: // of a unit whose file went
		return was == nil && !value.Running() && !strings.HasPrefix(value.State, "enabled")
	}
	return false
}
