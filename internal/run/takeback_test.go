package run

import (
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// fails is a command that does.
var fails = resource.Command{Name: "fail", Unless: "false", Script: "false"}

func TestRollbackTakesBackTheStepThatARunDiedIn(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.write(t, m.path("file"), "old\n", 0o644)
		// Renamed, and its end not written down yet.
		m.killedWhen(t, "grep -q new "+m.path("file"))
		is(t, m.does(t, resource.File{Path: m.path("file"), Content: "new\n"}), engine.StatusFailed)
		m.survives(t)
		if got := m.read(t, "file"); got != "new\n" {
			t.Fatalf("the run died and left %q", got)
		}
		is(t, m.does(t), engine.StatusChanged)
		if got := m.read(t, "file"); got != "old\n" {
			t.Errorf("after the rollback: %q", got)
		}
	})
}

func TestRollbackTakesBackARunThatFailed(t *testing.T) {
	onMachine(t, func(m *machine) {
		first := resource.File{Path: m.path("first"), Content: "1\n"}
		is(t, m.does(t, first), engine.StatusChanged)
		is(t, m.does(t, resource.File{Path: m.path("second"), Content: "2\n"}, fails), engine.StatusFailed)
		is(t, m.does(t), engine.StatusChanged)
		if m.read(t, "first") != "1\n" || m.read(t, "second") != "" {
			t.Errorf("after the rollback: %q and %q", m.read(t, "first"), m.read(t, "second"))
		}
		// Of one that left nothing, nothing is taken back, and not the run before instead; another
		// rollback does that.
		is(t, m.does(t, resource.File{Path: m.path("third"), Content: "3\n"}, fails), engine.StatusFailed)
		if err := os.Remove(m.path("third")); err != nil {
			t.Fatal(err)
		}
		is(t, m.does(t), engine.StatusChanged) // of what is remembered alone
		if m.read(t, "first") != "1\n" || !strings.Contains(m.told.String(), "nothing to take back") {
			t.Errorf("told %q", m.told.String())
		}
		is(t, m.does(t), engine.StatusChanged)
		if m.read(t, "first") != "" {
			t.Error("the run before is not taken back")
		}
	})
}

// A secret that a run has replaced or removed is gone for good: the rest comes back, and it is
// said that the secret stays. No rollback shows one.
func TestRollbackOfSecrets(t *testing.T) {
	onMachine(t, func(m *machine) {
		word := func(n string) string { return "correct-horse-" + n }
		secret := func(name, n string) resource.File {
			return resource.File{Path: m.path(name), Content: word(n) + "\n", Secret: true, Attributes: recipe.Attributes{Mode: 0o600}}
		}
		filled := func(text string) resource.File {
			return resource.File{Path: m.path("filled"), Content: text + " @X@\n", Fill: map[string]string{"@X@": m.path("made")}}
		}
		plain := func(n string) resource.File { return resource.File{Path: m.path("plain"), Content: n + "\n"} }
		mode := secret("mode", "mode")
		mode.Mode = 0o400
		line := resource.Line{Path: m.path("line"), Key: "pass ", Line: "pass " + word("line"), Secret: true}
		first := []recipe.Resource{resource.Secret{Path: m.path("made")}, secret("replaced", "one"), secret("removed", "gone"), secret("mode", "mode"), filled("a"), plain("1"), line}
		is(t, m.does(t, first...), engine.StatusChanged)
		made := strings.TrimSpace(m.read(t, "made"))
		silent := func(when string) {
			t.Helper()
			for _, hidden := range []string{"correct-horse", made} {
				if strings.Contains(m.told.String(), hidden) {
					t.Errorf("%s: shown:\n%s", when, m.told.String())
				}
				if m.remembers(t, hidden) {
					t.Errorf("%s: a copy of %s is left", when, hidden)
				}
			}
		}
		silent("the first run")
		line.Line = "pass " + word("line-two")
		second := []recipe.Resource{secret("replaced", "two"), resource.File{Path: m.path("removed"), Absent: true, Secret: true}, mode, filled("b"), plain("2"), line}
		is(t, m.does(t, second...), engine.StatusChanged)
		silent("the second run")

		is(t, m.does(t), engine.StatusChanged)
		silent("the rollback")
		for name, want := range map[string]string{"plain": "1\n", "replaced": word("two") + "\n", "removed": "", "filled": "b " + made + "\n", "line": line.Line + "\n"} {
			if got := m.read(t, name); got != want {
				t.Errorf("%s after the rollback: %q, want %q", name, got, want)
			}
		}
		for _, name := range []string{"replaced", "removed", "filled", "mode", "line"} {
			if !strings.Contains(m.told.String(), m.path(name)+": is a secret, of which the host keeps no copy: it stays as it is\n") {
				t.Errorf("not said of %s:\n%s", name, m.told.String())
			}
		}
		// What was forgotten stops no rollback of a run before.
		is(t, m.does(t), engine.StatusChanged)
		silent("the second rollback")
		for _, name := range []string{"plain", "replaced", "filled", "mode"} {
			if got := m.read(t, name); got != "" {
				t.Errorf("%s after the second rollback: %q", name, got)
			}
		}
	})
}

// A run that died has not forgotten: its secrets come back with the rest, unseen.
func TestRollbackOfSecretsOfARunThatDied(t *testing.T) {
	onMachine(t, func(m *machine) {
		secret := func(content string) resource.File {
			return resource.File{Path: m.path("secret"), Content: content, Secret: true}
		}
		is(t, m.does(t, secret("correct-horse-one\n")), engine.StatusChanged)
		is(t, m.does(t, resource.File{Path: m.path("secret"), Absent: true, Secret: true}, fails), engine.StatusFailed)
		if m.read(t, "secret") != "" {
			t.Fatal("not removed")
		}
		is(t, m.does(t), engine.StatusChanged)
		if m.read(t, "secret") != "correct-horse-one\n" || strings.Contains(m.told.String(), "horse") {
			t.Errorf("after the rollback: %q, shown:\n%s", m.read(t, "secret"), m.told.String())
		}
		if m.remembers(t, "horse") {
			t.Error("a copy is left")
		}
	})
}

// A file that is too long to be shown is said to be, with its size, in either direction: as if it
// had been empty, nobody would know what goes.
func TestLongFileIsNotShownAsEmpty(t *testing.T) {
	onMachine(t, func(m *machine) {
		long := strings.Repeat("0123456789abcde\n", 1<<16+1)
		m.write(t, m.path("file"), long, 0o644)
		is(t, m.does(t, resource.File{Path: m.path("file"), Content: "short\n"}), engine.StatusChanged)
		if !strings.Contains(m.told.String(), "1048592 bytes become 6\n") {
			t.Errorf("told of the change:\n%s", m.told.String())
		}
		is(t, m.does(t), engine.StatusChanged)
		if !strings.Contains(m.told.String(), "6 bytes become 1048592\n") || m.read(t, "file") != long {
			t.Errorf("told of the rollback:\n%s", m.told.String())
		}
	})
}

// A plan that is stale is not made anew: it might take another run back.
func TestStaleRollbackDoesNothing(t *testing.T) {
	onMachine(t, func(m *machine) {
		version := func(n string) []recipe.Resource {
			return []recipe.Resource{resource.File{Path: m.path("a"), Content: n}, resource.File{Path: m.path("b"), Content: n}}
		}
		is(t, m.does(t, version("1\n")...), engine.StatusChanged)
		is(t, m.does(t, version("2\n")...), engine.StatusChanged)
		m.write(t, m.path("b"), "1\n", 0o644)
		m.before = func() { m.write(t, m.path("b"), "by hand\n", 0o644) }
		is(t, m.does(t), engine.StatusStale)
		if m.read(t, "a") != "2\n" || m.read(t, "b") != "by hand\n" {
			t.Errorf("after the rollback: %q, %q", m.read(t, "a"), m.read(t, "b"))
		}
	})
}
