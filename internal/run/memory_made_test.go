package run

import (
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A file that a command never made is not taken away with it.
func TestFileThatNoCommandMadeStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		is(t, m.does(t, resource.File{Path: m.path("f"), Content: "f"},
			resource.Command{Name: "make", Unless: "true", Script: "false", Makes: []string{m.path("made")}, Secrets: []string{m.path("key")}}), engine.StatusChanged)
		m.write(t, m.path("made"), "a person's\n", 0o644)
		m.write(t, m.path("key"), "a person's\n", 0o600)
		m.remembering.Purge = true
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if m.read(t, "made") == "" || m.read(t, "key") == "" {
			t.Errorf("gone; told:\n%s", m.told.String())
		}
	})
}

// What a command is about to replace and of which no copy is kept is told before.
func TestCommandReplacesWhatCannotComeBack(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.write(t, m.path("key"), "theirs\n", 0o600)
		m.write(t, m.path("large"), "theirs\n", 0o600)
		if err := os.Truncate(m.path("large"), recipe.MostKept+1); err != nil {
			t.Fatal(err)
		}
		is(t, m.does(t, resource.Command{Name: "make", Unless: "grep -q ours " + m.path("key"), Script: "echo ours >" + m.path("key") + "; echo ours >" + m.path("large"), Secrets: []string{m.path("key")}, Makes: []string{m.path("large")}}), engine.StatusChanged)
		for _, name := range []string{"key", "large"} {
			if !strings.Contains(m.told.String(), m.path(name)+": what stands there cannot come back") {
				t.Errorf("%s: told:\n%s", name, m.told.String())
			}
		}
	})
}

// What was secret stays unseen when what takes its place is public.
func TestWhatWasSecretIsNotShown(t *testing.T) {
	onMachine(t, func(m *machine) {
		is(t, m.does(t, resource.File{Path: m.path("f"), Content: "S3CR3T\n", Secret: true}, resource.Secret{Path: m.path("key")}), engine.StatusChanged)
		key := m.read(t, "key")
		is(t, m.does(t, resource.File{Path: m.path("f"), Content: "public\n"}, resource.File{Path: m.path("key"), Content: "public\n"}), engine.StatusChanged)
		if told := m.told.String(); strings.Contains(told, "S3CR3T") || strings.Contains(told, key) {
			t.Errorf("shown:\n%s", told)
		}
	})
}
