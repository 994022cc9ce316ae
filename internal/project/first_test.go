package project

import (
	"errors"
	"os"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// The task that new writes can be built, under any name, and is refused where one is.
func TestWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"hello", "web-shop2"} {
		files, err := Write(".", name, shipped())
		if err != nil || len(files) != 7 {
			t.Fatalf("%s: %v, %v", name, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil || name != "hello" && strings.Contains(file+string(text), "hello") {
				t.Errorf("%s: %v\n%s", file, err, text)
			}
		}
	}
	p, err := Open(".", Options{Shipped: shipped()})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Tasks()) != 2 {
		t.Fatalf("%d tasks", len(p.Tasks()))
	}
	for _, task := range p.Tasks() {
		r, err := task.Build(input(task, nil))
		if err != nil || len(r.Items) != 7 {
			t.Errorf("%s: %v", task.Name, err)
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"hello", "nginx", "Hello", "../hello", ""} {
		var refused *recipe.SourceError
		if _, err := Write(".", name, shipped()); !errors.As(err, &refused) || refused.Advice == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
}
