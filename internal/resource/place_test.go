package resource_test

import (
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// Whatever the kinds: one path is one thing, of one task or of two. Only lines share a file.
func TestOnePathIsOneThing(t *testing.T) {
	kinds := []recipe.Resource{
		resource.File{Path: "/a"}, resource.Link{Path: "/a", Target: "b"}, resource.Directory{Path: "/a"},
		resource.Line{Path: "/a", Line: "x"}, resource.Secret{Path: "/a"}, resource.Artifact{Path: "/a"},
	}
	join := func(task, other string, one, two recipe.Resource) error {
		var first, second recipe.Recipe
		first.Add(one)
		first.Label(task)
		second.Add(two)
		second.Label(other)
		if task == other {
			first.Include(second)
			second = recipe.Recipe{}
		}
		_, err := recipe.Join(first, second)
		return err
	}
	for i, one := range kinds {
		for k, two := range kinds {
			for _, other := range []string{"x", "y"} {
				if err := join("x", other, one, two); (err == nil) != (i == k) {
					t.Errorf("%s of x, %s of %s: error %v", one.ID(), two.ID(), other, err)
				}
			}
		}
	}
	if err := join("x", "y", kinds[3], resource.Line{Path: "/a", Line: "y"}); err != nil {
		t.Errorf("two lines of a file: %v", err)
	}
}
