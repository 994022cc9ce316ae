package script_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/script"
)

// TestDryRehearsal tries new configuration on this machine, as a question.
func TestDryRehearsal(t *testing.T) {
	if os.Geteuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("a mount namespace needs root")
	}
	tree, logs := t.TempDir(), t.TempDir()
	elsewhere, err := os.MkdirTemp("/var/tmp", "dry-rehearsal-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(elsewhere) })
	const made = "/run/provision-dry-rehearsal"
	t.Cleanup(func() { os.RemoveAll(made); os.Remove(made + ".pid") })
	write(t, filepath.Join(tree, "conf"), "old\n")
	write(t, filepath.Join(tree, "default"), "a site\n")
	write(t, filepath.Join(logs, "kept"), "a line\n")
	// As nginx -t: it reads all, and opens its logs.
	check := "cd " + tree + "; echo opened >" + logs + "/kept; [ ! -e default ] || echo 'a default site' >&2; grep -q good conf"
	rehearsal := recipe.Rehearse{
		Unit: "u.service", Trees: []string{tree}, Scratch: []string{logs, "/no/such"}, Dry: true,
	}
	attributes := recipe.Attributes{Mode: 0o644, Owner: "root", Group: "root"}
	change := func(text string) []recipe.Step {
		return []recipe.Step{
			recipe.WriteFile{Path: filepath.Join(tree, "conf"), Content: []byte(text), Attributes: attributes},
			recipe.WriteFile{Path: filepath.Join(tree, "it's new"), Content: []byte("DRY REHEARSAL\n"), Attributes: attributes},
			recipe.MakeLink{Path: filepath.Join(tree, "link"), Target: "conf"},
		}
	}
	for _, c := range []struct {
		name  string
		steps []recipe.Step
		exit  int
		said  string
		also  string // what the check does beside
	}{
		{"passes", append(change("good\n"), recipe.Remove{Path: filepath.Join(tree, "default")}), 0, "", ""},
		{"passes where it makes a cache and its pid", append(change("good\n"), recipe.Remove{Path: filepath.Join(tree, "default")}), 0, "", "mkdir " + made + " && echo 1 >" + made + ".pid && [ -e /run/lock ]"},
		{"is untried where it writes elsewhere", change("good\n"), script.Untried, "", "mkdir " + elsewhere + "/made || exit 1"},
		{"fails for itself where it need not write elsewhere", change("bad\n"), 1, "a default site", "mkdir " + elsewhere + "/made 2>/dev/null || :"},
		{"is refused", change("bad\n"), 1, "a default site", ""},
		{"cannot be tried", []recipe.Step{recipe.WriteFile{Path: filepath.Join(tree, "gone/conf"), Content: []byte("good"), Attributes: attributes}}, script.Untried, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rehearsal.Steps, rehearsal.Check = c.steps, check
			if c.also != "" {
				rehearsal.Check = "{ " + c.also + "; } && " + check
			}
			key := recipe.CommandKey(rehearsal.Title())
			answer := ask(t, recipe.Probe{Key: key, Script: script.DryRehearsal(rehearsal)}, path(tree))
			got := answer.Facts.Command(key.Name)
			if got.Exit != c.exit || c.exit != script.Untried && strings.TrimSpace(got.Output) != c.said {
				t.Errorf("exit %d, want %d: %s", got.Exit, c.exit, got.Output)
			}
			for _, name := range []string{made, made + ".pid", elsewhere + "/made"} {
				if _, err := os.Lstat(name); err == nil {
					t.Errorf("it has left %s", name)
				}
			}
			if found, err := os.ReadDir(tree); err != nil || len(found) != 2 {
				t.Errorf("the tree has %v, %v", found, err)
			}
			for name, want := range map[string]string{tree + "/conf": "old\n", logs + "/kept": "a line\n"} {
				if text, err := os.ReadFile(name); err != nil || string(text) != want {
					t.Errorf("%s is now %q, %v", name, text, err)
				}
			}
		})
	}
}
