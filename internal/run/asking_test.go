package run

import (
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A host is asked what a task wants to know of it, also what it wants to know only then.
func TestFactsAreAsked(t *testing.T) {
	m := inMachine(t)
	if m == nil {
		return
	}
	const first, second = "shop.first", "shop.second"
	builds := 0
	task := recipe.Task{Name: "shop", Build: func(in recipe.Input) (recipe.Recipe, error) {
		builds++
		var r recipe.Recipe
		boot, known := in.Ask(recipe.Question(recipe.BootID), "none")
		text := boot.Text
		if one, _ := in.Ask(recipe.Probe{Key: recipe.FactKey(first), Script: "echo 1"}, ""); one.Text == "1" {
			two, _ := in.Ask(recipe.Probe{Key: recipe.FactKey(second), Script: "echo 2"}, "")
			text += two.Text
		}
		if known == in.Guess {
			t.Errorf("known %v, guess %v", known, in.Guess)
		}
		r.Add(resource.File{Path: m.path("facts"), Content: text + "\n"})
		return r, nil
	}, Verify: func(in recipe.Input) ([]recipe.Check, error) {
		said, _ := in.Ask(recipe.Probe{Key: recipe.FactKey("shop.verify"), Script: "echo verified"}, "made up")
		return []recipe.Check{{Name: "it knows", From: recipe.FromHost, Command: &recipe.CommandCheck{Script: "echo " + said.Text, Contains: "verified"}}}, nil
	}}
	blueprint := Blueprint{Tasks: []recipe.Task{task}}
	is(t, m.works(t, "install", blueprint, Install), engine.StatusChanged)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.read(t, "facts"), strings.TrimSpace(string(boot))+"2\n"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	is(t, m.works(t, "install", blueprint, Install), engine.StatusSame)
	is(t, m.works(t, "verify", blueprint, Verify), engine.StatusVerified)
}
