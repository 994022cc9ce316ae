package resource_test

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// What a host's journal has of an action are its arguments that are no secret, on one line, and not
// those that are too long for that.
func TestTitleOfAction(t *testing.T) {
	argument := func(name string, kind recipe.Type) recipe.Variable { return recipe.Variable{Name: name, Type: kind} }
	action := resource.Action{
		Script: recipe.Script{Name: "backup", Text: "true", Arguments: []recipe.Variable{
			argument("to", recipe.TypeString), argument("empty", recipe.TypeString), argument("token", recipe.TypeSecret),
			argument("long", recipe.TypeString), argument("names", recipe.TypeList), argument("keep", recipe.TypeInt),
		}},
		Given: recipe.Values{
			"to": "/mnt/it's\nhere", "empty": "", "token": recipe.NewSecret("correct-horse"),
			"long": strings.Repeat("x", 2000), "names": []string{"a b", "c"}, "keep": 7,
		},
	}
	change, err := action.Diff(nil)
	if err != nil || len(change.Steps) != 1 {
		t.Fatalf("%+v, %v", change, err)
	}
	if got, want := change.Steps[0].Title(), `backup to='/mnt/it'\''s here' names='a b, c' keep=7`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if exec := change.Steps[0].(recipe.Exec); strings.Contains(exec.Script, "correct-horse") || !strings.Contains(exec.Input.Reveal(), "token='correct-horse'\n") && !strings.Contains(exec.Input.Reveal(), "token=correct-horse\n") {
		t.Errorf("%s\n%s", exec.Script, exec.Input.Reveal())
	}
	for _, delta := range change.Deltas {
		if delta.Name == "empty" || strings.Contains(delta.Before, "correct-horse") {
			t.Errorf("%+v", delta)
		}
	}
}
