package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestGeneratedSecret(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	path := m.root + "/a key's"
	change, err := resource.Secret{Path: path, Length: 64, Attributes: recipe.Attributes{Mode: 0o640, Group: "daemon"}}.Diff(recipe.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	c.do(t, change.Steps...)
	first := read(t, path)
	stat, err := os.Stat(path)
	if err != nil || stat.Mode().Perm() != 0o640 || stat.Sys().(*syscall.Stat_t).Gid != 1 {
		t.Errorf("%v, %v", stat, err)
	}
	if len(first) != 64 || strings.Trim(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
		t.Errorf("secret %q", first)
	}
	// One that came in between stays: what was filled in with it is still true.
	err = c.try(t.Context(), change.Steps...)
	if read(t, path) != first {
		t.Errorf("the secret was made anew (%v)", err)
	}
	m.noTemporaries(t)
}

// copiesOf lists the kept copies that begin with a text.
func (m *machine) copiesOf(t *testing.T, text string) (found []string) {
	t.Helper()
	matches, err := filepath.Glob(m.state("runs/*/kept/[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range matches {
		if strings.HasPrefix(read(t, match), text) {
			found = append(found, match)
		}
	}
	return found
}

// The run that rotated a secret died, or failed later: the next one has no such step any
// more, and forgets all the same.
func TestSecretThatADeadRunRotatedIsForgotten(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *client){
		"died":   func(t *testing.T, c *client) { c.kill(t) },
		"failed": func(t *testing.T, c *client) { c.Finish(t.Context(), "failed") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.write(t, m.root+"/secret", "password one")
			c := m.begin(t)
			step := file(m.root+"/secret", "password two")
			step.Mode, step.Secret = 0o600, true
			c.do(t, step)
			end(t, c)
			if found := m.copiesOf(t, "password"); len(found) != 1 {
				t.Fatalf("copies %q, want the one to put back", found)
			}
			m.begin(t).finish(t)
			if found := m.copiesOf(t, "password"); len(found) > 0 || exists(m.state("secrets")) {
				t.Errorf("copies of a secret are left: %q", found)
			}
		})
	}
}

// What was forgotten stays as it is, and stops nothing else from going back.
func TestForgottenSecretStopsNoRestore(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, plain := m.root+"/secret", m.root+"/plain"
	m.write(t, path, "password one")
	m.write(t, plain, "old")
	c := m.begin(t)
	step := file(path, "password two")
	step.Secret = true
	c.do(t, step, file(plain, "new"))
	c.finish(t)
	again := m.begin(t)
	again.do(t, recipe.Restore{Run: c.Run, Number: 1, Path: path, Secret: true}, recipe.Restore{Run: c.Run, Number: 2, Path: plain})
	again.finish(t)
	if read(t, path) != "password two" || read(t, plain) != "old" {
		t.Errorf("%q, %q", read(t, path), read(t, plain))
	}
	m.noTemporaries(t)
	if found := m.copiesOf(t, "password"); len(found) > 0 {
		t.Errorf("copies of a secret are left: %q", found)
	}
}

// TestRotatedSecretIsForgotten: the copy of a secret that was replaced goes from every run,
// when the run that replaced it has converged, and not before.
func TestRotatedSecretIsForgotten(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path := m.root + "/secret"
	copies := func() []string { return m.copiesOf(t, "password") }
	for i, password := range []string{"password one", "password two"} {
		c := m.begin(t)
		step := file(path, password)
		step.Mode, step.Secret = 0o600, true
		c.do(t, step, file(m.root+"/plain", password[9:]))
		if i > 0 && len(copies()) != 1 {
			t.Errorf("before the end of the run: copies %q, want the one to put back", copies())
		}
		c.finish(t)
	}
	if found := copies(); len(found) > 0 {
		t.Errorf("copies of a secret are left: %q", found)
	}
	if plain, err := filepath.Glob(m.state("runs/000002/kept/2")); err != nil || len(plain) != 1 {
		t.Errorf("the copy of what is no secret: %q, %v", plain, err)
	}
}
