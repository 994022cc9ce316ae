package run

import (
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A task that had a part of a file wants all of it, or the other way; and a part of another kind.
// Removed, it leaves the file as it was before the first of them.
func TestAPartOfAFileBecomesAnother(t *testing.T) {
	onMachine(t, func(m *machine) {
		for _, name := range []string{"there/lines", "made"} {
			path := m.path(name)
			line := resource.Line{Path: path, Line: "Port 2222", Key: "Port "}
			file := resource.File{Path: path, Content: "Port 2222\nall ours\n"}
			block := resource.Block{Path: path, Name: "b", Text: "Port 2222\n"}
			for _, row := range []struct {
				name    string
				wants   []recipe.Resource
				becomes string // of a file with "one"
			}{
				{"line to file", []recipe.Resource{line, file}, file.Content},
				{"file to line", []recipe.Resource{file, line}, file.Content},
				{"line to file and back", []recipe.Resource{line, file, line}, file.Content},
				{"file to line and back", []recipe.Resource{file, line, file}, file.Content},
				{"line to block", []recipe.Resource{line, block}, ""},
				{"block to line", []recipe.Resource{block, line}, ""},
				{"block to file", []recipe.Resource{block, file}, file.Content},
				{"block to line to file", []recipe.Resource{block, line, file}, file.Content},
			} {
				m.arrange(t)
				before := m.snapshot(t)
				for _, wanted := range row.wants {
					if found := m.does(t, wanted); found.Status != engine.StatusChanged && found.Status != engine.StatusSame {
						t.Errorf("%s of %s: %s: %v", row.name, name, found.Status, found.Err)
					}
					is(t, m.does(t, wanted), engine.StatusSame)
				}
				if got := m.read(t, name); row.becomes != "" && got != row.becomes || !strings.Contains(got, "Port 2222\n") {
					t.Errorf("%s of %s: it is %q", row.name, name, got)
				}
				if found := m.removes(t, "x"); found.Status != engine.StatusChanged {
					t.Errorf("%s of %s, removed: %s: %v", row.name, name, found.Status, found.Err)
				}
				sameLines(t, row.name+" of "+name+", removed", m.snapshot(t), before)
				is(t, m.removes(t, "x"), engine.StatusSame)
			}
		}
	})
}

// Another line of a file takes the place of one by another key or expression, and the first that was
// there comes back in the end.
func TestALineIsWrittenAnotherWay(t *testing.T) {
	onMachine(t, func(m *machine) {
		line := func(line, key, match string) resource.Line {
			return resource.Line{Path: m.path("there/lines"), Line: line, Key: key, Match: match}
		}
		const login = "#PermitRootLogin prohibit-password\nPermitRootLogin yes\n"
		for name, row := range map[string]struct {
			before  string
			wants   []resource.Line
			becomes string
		}{
			"key added":       {"one\n", []resource.Line{line("alpha beta", "", ""), line("alpha beta", "alpha ", "")}, "one\nalpha beta\n"},
			"key taken away":  {"alpha\n", []resource.Line{line("alpha beta", "alpha", ""), line("alpha beta", "", "")}, "alpha beta\n"},
			"other line":      {"one\n", []resource.Line{line("alpha beta", "", ""), line("alpha gamma", "alpha ", "")}, "one\nalpha gamma\n"},
			"match tuned":     {login, []resource.Line{line("PermitRootLogin no", "", "^PermitRootLogin"), line("PermitRootLogin no", "", "^#?PermitRootLogin")}, "PermitRootLogin no\n"},
			"match narrowed":  {login, []resource.Line{line("PermitRootLogin no", "", "^#?PermitRootLogin"), line("PermitRootLogin no", "", "^PermitRootLogin")}, "PermitRootLogin no\n"},
			"line beside it":  {"alpha\n", []resource.Line{line("alpha beta", "alpha", ""), line("alpha gamma", "", "")}, "alpha gamma\n"},
			"twice":           {"alpha\n", []resource.Line{line("alpha b", "alpha", ""), line("alpha b", "alpha ", ""), line("alpha b", "", "^alp")}, "alpha b\n"},
			"quite different": {"alpha\n", []resource.Line{line("alpha b", "alpha", ""), line("gamma", "gam", "")}, "alpha\ngamma\n"},
		} {
			m.arrange(t)
			m.write(t, m.path("there/lines"), row.before, 0o644)
			before := m.snapshot(t)
			for _, wanted := range row.wants {
				if found := m.does(t, wanted); found.Status == engine.StatusFailed {
					t.Errorf("%s: %s: %v", name, found.Status, found.Err)
				}
				is(t, m.does(t, wanted), engine.StatusSame)
			}
			if got := m.read(t, "there/lines"); got != row.becomes {
				t.Errorf("%s: it is %q", name, got)
			}
			is(t, m.removes(t, "x"), engine.StatusChanged)
			sameLines(t, name+", removed", m.snapshot(t), before)
		}
	})
}

// All lines come back that one has replaced, each where it was.
func TestAllLinesThatOneReplacedComeBack(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		m.write(t, m.path("there/lines"), "a\nListen 1\nb\nListen 2\nListen 3\nc\n", 0o644)
		before := m.snapshot(t)
		is(t, m.does(t, resource.Line{Path: m.path("there/lines"), Line: "Listen 9", Key: "Listen "}), engine.StatusChanged)
		if got := m.read(t, "there/lines"); got != "a\nListen 9\nb\nc\n" {
			t.Errorf("it is %q", got)
		}
		is(t, m.removes(t, "x"), engine.StatusChanged)
		sameLines(t, "removed", m.snapshot(t), before)
	})
}

// A file stays while another task has a part of it, and then goes all the same.
func TestAFileOfWhichAnotherTaskHasAPartStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		line := resource.Line{Path: m.path("f"), Line: "x's"}
		file := resource.File{Path: m.path("f"), Content: "y's\n"}
		installs := func(name string, wants ...recipe.Resource) engine.Finished {
			return m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf(name, wants...)}}, Install)
		}
		m.arrange(t)
		before := m.snapshot(t)
		is(t, installs("y", file), engine.StatusChanged)
		is(t, installs("x", line), engine.StatusChanged)
		is(t, m.removes(t, "y"), engine.StatusChanged, engine.StatusSame)
		if told := m.told.String(); m.read(t, "f") != "y's\nx's\n" || !strings.Contains(told, "y: file "+m.path("f")+" stays: x wants line") {
			t.Errorf("y removed: it is %q, told:\n%s", m.read(t, "f"), told)
		}
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if got := m.read(t, "f"); got != "y's\n" {
			t.Errorf("x removed: it is %q", got)
		}
		is(t, m.removes(t, "y"), engine.StatusChanged)
		sameLines(t, "both removed", m.snapshot(t), before)

		m.arrange(t)
		is(t, installs("y", file), engine.StatusChanged)
		is(t, installs("x", line), engine.StatusChanged)
		is(t, m.works(t, "remove", Blueprint{Removes: named("x", "y")}, Install), engine.StatusChanged)
		sameLines(t, "removed together", m.snapshot(t), before)

		// The line was there first, and is in the copy that y's file replaced.
		m.arrange(t)
		m.write(t, m.path("f"), "theirs\n", 0o644)
		before = m.snapshot(t)
		is(t, installs("x", line), engine.StatusChanged)
		is(t, installs("y", file), engine.StatusChanged)
		is(t, m.removes(t, "x"), engine.StatusChanged, engine.StatusSame)
		if got := m.read(t, "f"); got != "y's\n" {
			t.Errorf("x removed first: it is %q", got)
		}
		is(t, m.removes(t, "y"), engine.StatusChanged)
		sameLines(t, "both removed, x first", m.snapshot(t), before)
	})
}
