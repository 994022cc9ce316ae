package report

import (
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
)

func TestContent(t *testing.T) {
	long := strings.Repeat("line\n", 100)
	tests := []struct {
		name string
		diff *recipe.FileDiff
		want string
	}{
		{"none", nil, ""},
		{"new", &recipe.FileDiff{Path: "/x", After: []byte("one\ntwo\n")}, "| + one\n| + two"},
		{"new and empty", &recipe.FileDiff{Path: "/x"}, ""},
		{"without a last newline", &recipe.FileDiff{Path: "/x", After: []byte("one")}, "| + one\n| \\ No newline at end of file"},
		{"gone", &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("one\n")}, "| @@ -1 +0,0 @@\n| - one"},
		{"changed", &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("a\nb\n"), After: []byte("a\n\tc\n")}, "| @@ -1,2 +1,2 @@\n|   a\n| - b\n| +         c"},
		{"one line more", &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("a\n\nx\n"), After: []byte("a\n\n")}, "| @@ -1,3 +1,2 @@\n|   a\n|\n| - x"},
		{"secret", &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("a"), After: []byte("b"), Secret: true}, "| content is secret: differs"},
		{"new and secret", &recipe.FileDiff{Path: "/x", After: []byte("b"), Secret: true}, "| content is secret"},
		{"binary", &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("\x00"), After: make([]byte, 31_000)}, "| binary content: 1 B -> 31.0 kB"},
		{"not UTF-8", &recipe.FileDiff{Path: "/x", After: []byte("caf\xe9")}, "| binary content: 4 B"},
		{"large", &recipe.FileDiff{Path: "/x", Exists: true, BeforeSize: 3 << 20, After: []byte("x\n")}, "| content is too large to show: 3.1 MB -> 2 B"},
		{"large, of a copy", &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("x\n"), AfterSize: 3 << 20}, "| content is too large to show: 2 B -> 3.1 MB"},
		{"large and secret", &recipe.FileDiff{Path: "/x", Exists: true, BeforeSize: 3 << 20, Secret: true}, "| content is secret: differs"},
		{"not a diff header", &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("-- x\n"), After: []byte("++ y\n")}, "| @@ -1 +1 @@\n| - -- x\n| + ++ y"},
		{"long", &recipe.FileDiff{Path: "/x", After: []byte(long)}, strings.TrimRight(strings.Repeat("| + line\n", 30), "\n") + "\n| ... 70 more lines: -v shows all"},
	}
	p := newPage(Options{ASCII: true})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(p.content("", newContent(test.diff), true), "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
	if got := len(p.content("", newContent(&recipe.FileDiff{Path: "/x", After: []byte(long)}), false)); got != 100 {
		t.Errorf("whole: %d lines", got)
	}
}

// Wrapped, a line of a diff keeps all of its words, in their order.
func TestDiffLineWraps(t *testing.T) {
	p := newPage(Options{ASCII: true, Width: 30})
	got := strings.Join(p.diffLine("  ", "+location /render { proxy_pass http://unix:/run/graphite.sock; }"), "\n")
	want := "  | + location /render {\n  |   proxy_pass\n  |   http://unix:/run/graphi\n  |   te.sock; }"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFormat(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0.0 s", 0.34: "0.3 s", 41.23: "41.2 s", 59.97: "1 m 00 s", 65: "1 m 05 s", 3599.7: "1 h 00 m", 7620: "2 h 07 m"} {
		if got := secondsText(seconds); got != want {
			t.Errorf("%v s: got %q, want %q", seconds, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_950: "1.0 MB", 31_000_000: "31.0 MB", 5_000_000_000_000: "5000.0 GB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestSummaryOfManyHosts(t *testing.T) {
	rows := []outcome{
		{"root@a-host-with-a-very-long-name.in.a.zone.of.example.com:2222", "", "failed", &finished{Error: "start x: failed\nwith two lines " + strings.Repeat("and more ", 20), Changed: 3}},
		{"web1", "", "same", &finished{Same: 1000, Seconds: 7620}},
		{"web2", "", notTried, nil},
		{"web3", "", unfinished, nil},
	}
	for _, columns := range []int{60, 80} {
		for _, line := range newPage(Options{Width: columns}).summary(rows, false, "") {
			if width(line) > columns {
				t.Errorf("%d columns: %d wide: %s", columns, width(line), line)
			}
		}
	}
	golden(t, "summary", strings.Join(newPage(Options{Width: 80}).summary(rows, false, "provision install -l web2"), "\n")+"\n")
	if got, want := strings.Join(newPage(Options{}).totals(rows[1:2]), " · "), "1 host · 1 same"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// However narrow the terminal is, the table at the end says how each host ended, and no line of it wraps.
func TestTableFits(t *testing.T) {
	rows := []outcome{
		{"root@a-host-with-a-very-long-name.in.a.zone.of.example.com:2222", "", engine.StatusNotConverged, &finished{Error: strings.Repeat("and more ", 20), Changed: 3, Drained: true}},
		{"web1", "", engine.StatusSame, &finished{Same: 1000, Seconds: 7620}},
		{"web2", "", notTried, nil},
	}
	for columns := 30; columns <= 90; columns++ {
		table := newPage(Options{Width: columns}).table(rows)
		for _, line := range table {
			if width(line) > columns {
				t.Errorf("%d columns: %d wide: %s", columns, width(line), line)
			}
		}
		if first := table[1]; !strings.Contains(first, "root@a-host") || !strings.Contains(first, "not converged") {
			t.Errorf("%d columns: %s", columns, first)
		}
	}
}
