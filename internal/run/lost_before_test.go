package run

import (
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// What a plan replaces and no copy is kept of is told before it goes, and so is nothing else.
func TestWhatCannotComeBackIsToldBefore(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		for name, size := range map[string]int64{"large": recipe.MostKept + 1, "fits": recipe.MostKept} {
			m.write(t, m.path(name), "theirs\n", 0o644)
			if err := os.Truncate(m.path(name), size); err != nil {
				t.Fatal(err)
			}
		}
		m.write(t, m.path("password"), "theirs\n", 0o600)
		m.write(t, m.path("same"), "ours\n", 0o644)
		all := func(text string) []recipe.Resource {
			return []recipe.Resource{
				resource.File{Path: m.path("large"), Content: text},
				resource.File{Path: m.path("fits"), Content: text},
				resource.File{Path: m.path("password"), Content: text, Secret: true},
				resource.File{Path: m.path("same"), Content: "ours\n", Secret: true},
				resource.File{Path: m.path("new"), Content: text, Secret: true},
				resource.File{Path: m.path("there/file"), Content: text},
			}
		}
		lost := func() []string {
			var told []string
			for line := range strings.Lines(m.told.String()) {
				if path, _, is := strings.Cut(line, ": what stands there cannot come back"); is {
					told = append(told, strings.TrimPrefix(path, m.path("")))
				}
			}
			return told
		}
		m.before = func() { sameLines(t, "told before the changes", lost(), []string{"password", "large"}) }
		is(t, m.does(t, all("ours\n")...), engine.StatusChanged)
		m.before = nil
		is(t, m.does(t, all("other\n")...), engine.StatusChanged)
		sameLines(t, "told again", lost(), nil) // by now they are ours
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if told := m.told.String(); m.read(t, "large") != "other\n" || m.read(t, "password") != "other\n" || !strings.Contains(told, m.path("large")+" stays: no copy is kept") {
			t.Errorf("told:\n%s", told)
		}
		if info, err := os.Stat(m.path("fits")); err != nil || info.Size() != recipe.MostKept {
			t.Errorf("what fits is %v, %v", info, err)
		}
	})
}
