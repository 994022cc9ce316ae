package project

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"provision/internal/recipe"
	"provision/internal/resource"
)

var update = flag.Bool("update", false, "write what is told into the golden files")

// shipped are tasks as those that come with provision.
func shipped() []recipe.Task {
	return []recipe.Task{{
		Name: "nginx", Build: func(recipe.Input) (recipe.Recipe, error) { return recipe.Recipe{}, nil }, Parts: []recipe.Part{sitePart()},
	}}
}

// sitePart is a part as tasks offer them.
func sitePart() recipe.Part {
	return recipe.Part{
		Name: "site", Manual: "nginx(8)", About: "A site.", Leaves: "It goes.", Example: `nginx.site("shop", "listen 80;\n")`,
		Variables: []recipe.Variable{
			{Name: "name", Type: recipe.TypeString, Needed: true, Help: "Of its file.", Check: func(value any) error {
				if value == "" {
					return errors.New("is empty")
				}
				return nil
			}},
			{Name: "content", Type: recipe.TypeString, Needed: true, Help: "What is in it."},
			{Name: "on", Type: recipe.TypeBool, Default: true, Help: "It is turned on."},
			{Name: "listens", Type: recipe.TypeList, Help: "Where."},
			{Name: "key", Type: recipe.TypeSecret, Help: "Of its certificate.", Check: func(value any) error {
				if strings.Contains(value.(recipe.Secret).Reveal(), " ") {
					return errors.New("has a space in it")
				}
				return nil
			}},
		},
		Gives: []recipe.Given{{Name: "path", Help: "Of its file."}},
		Build: func(in recipe.Input) (recipe.Recipe, map[string]string, error) {
			var r recipe.Recipe
			path := "/etc/nginx/" + in.Vars.String("name")
			r.Add(resource.File{Path: path, Content: in.Vars.String("content")}, recipe.Notification{Unit: "nginx.service", Action: recipe.Reload})
			if key := in.Vars.Secret("key"); !key.Empty() {
				r.Add(resource.File{Path: path + ".key", Content: key.Reveal(), Secret: true})
			}
			if in.Vars.Bool("on") {
				r.Add(resource.Service{Unit: "nginx.service", Listens: in.Vars.List("listens")})
			}
			return r, map[string]string{"path": path}, nil
		},
	}
}

// unpack writes an archive's files into a folder, which is that of this process until the test
// ends: positions are told as a person in it would read them.
func unpack(t testing.TB, archive *txtar.Archive) {
	t.Helper()
	dir := t.TempDir()
	for _, file := range archive.Files {
		path := filepath.Join(dir, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if inner, ok := t.(*testing.T); ok {
		inner.Chdir(dir)
	}
}

// build builds all of a project's tasks, for all platforms, as a host without variables of its
// own gets them.
func buildAll(p *Project, values recipe.Values) error {
	for _, platform := range recipe.Platforms() {
		var all []recipe.Recipe
		for _, task := range p.Tasks() {
			in := recipe.Input{Vars: recipe.Values{}, System: platform.System, Host: recipe.HostOf(recipe.Listed{Name: "web1", Address: "web1.example.org", Groups: []string{"web"}, Tasks: []string{"nginx", "shop"}}, platform)}
			in.Peers = twoPeers
			for _, v := range task.Variables {
				in.Vars[v.Name] = v.Zero()
				if given, there := values[v.Name]; there {
					in.Vars[v.Name] = given
				}
			}
			built, err := task.Build(in)
			if err != nil {
				return err
			}
			built.Label(task.Name)
			all = append(all, built)
			if task.Verify != nil {
				if _, err := task.Verify(in); err != nil {
					return err
				}
			}
		}
		joined, err := recipe.Join(all...)
		if err != nil {
			return err
		}
		if err := joined.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// TestRefused goes through testdata/refused: each file is a project that is refused, and ends
// with what is told: an error with its place, and a hint.
func TestRefused(t *testing.T) { tells(t, "testdata/refused", 40, refusal) }

// tells goes through a folder of at least so many projects, each a file that ends with what is told of
// it. A file that is named LINK is a symbolic link.
func tells(t *testing.T, folder string, least int, told func(*testing.T) string) {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.txt")
	if err != nil || len(files) < least {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			unpack(t, archive)
			for _, file := range archive.Files {
				if place, ok := strings.CutSuffix(file.Name, ".LINK"); ok {
					if err := os.Symlink(strings.TrimSpace(string(file.Data)), place); err != nil {
						t.Fatal(err)
					}
				}
			}
			got := told(t)
			last := &archive.Files[len(archive.Files)-1]
			if last.Name != "told" {
				archive.Files = append(archive.Files, txtar.File{Name: "told"})
				last = &archive.Files[len(archive.Files)-1]
			}
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if string(last.Data) != got {
				t.Errorf("told:\n%s\nwant:\n%s", got, last.Data)
			}
			if strings.Contains(got, "correct-horse") {
				t.Errorf("it tells the secret: %s", got)
			}
		})
	}
}

// refusal is what is told of the project in this folder.
func refusal(t *testing.T) string {
	t.Helper()
	p, err := Open(".", Options{Shipped: shipped()})
	if err == nil {
		err = buildAll(p, recipe.Values{"token": recipe.NewSecret("correct-horse")})
	}
	if err == nil {
		t.Fatal("it is not refused")
	}
	var several Errors
	all := []error{err}
	if errors.As(err, &several) {
		all = several
	}
	var told strings.Builder
	for _, one := range all {
		var refused *recipe.SourceError
		if !errors.As(one, &refused) || refused.At.File == "" {
			t.Errorf("it has no place: %v", one)
			fmt.Fprintln(&told, one)
			continue
		}
		fmt.Fprintln(&told, refused)
		if refused.Advice == "" {
			t.Errorf("there is no hint: %v", one)
		}
		fmt.Fprintf(&told, "  hint: %s\n", refused.Advice)
	}
	return told.String()
}

// A folder that has a task's name, and is none, is told; what goes with tasks is not, nor a folder of Ansible's.
func TestFolderWithoutATask(t *testing.T) {
	p, printed := open(t, `
-- tasks/shop/shop.py --
x
-- tasks/blog/templates/site.conf --
x
-- tasks/web/task.star --
def build(v, host):
    return []
-- tasks/files/motd --
x
-- tasks/templates/site.conf --
x
-- tasks/testdata/plan --
x
-- tasks/setup/main.yml --
x
-- tasks/Notes/x --
x
-- tasks/examples/shop/hosts.yaml --
x
`)
	want := []string{"tasks/blog: is passed over: it has no task.star, and is no task", "tasks/shop: is passed over: it has no task.star, and is no task"}
	if len(p.Tasks()) != 1 || !slices.Equal(*printed, want) {
		t.Errorf("%d tasks, told %q", len(p.Tasks()), *printed)
	}
}
