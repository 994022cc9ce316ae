package files

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/sinktest"
)

func open(t *testing.T, folder string) *Sink {
	t.Helper()
	sink, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	return sink
}

func TestSink(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) func() eventlog.Sink {
		folder := filepath.Join(t.TempDir(), "[a]*")
		return func() eventlog.Sink { return open(t, folder) }
	})
}

// A file of each hour, by the time of its events, each line an object with the documented names.
func TestFilesByTheHour(t *testing.T) {
	folder := t.TempDir()
	sink := open(t, folder)
	rows := sinktest.Rows(0, 3) // the first second is the hour's last
	value := 1.5
	rows[1].Value = &value
	batch := eventlog.Batch{Parts: []eventlog.Part{{Life: sinktest.NewLife("button color", "0a"), Rows: rows}}}
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "alephbet", "*", "0a.*.ndjson"))
	if err != nil || len(names) != 2 || !strings.Contains(names[0], "/2026-11-30T23/") || !strings.Contains(names[1], "/2026-12-01T00/") {
		t.Fatalf("files %v, %v", names, err)
	}
	content, err := os.ReadFile(names[1])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	want := `{"namespace":"alephbet","experiment":"button color","life":"0a","began":"2026-11-30T23:59:59Z","event":"participate","variant":"blue",` +
		`"fingerprint":"4294967303","at":"2026-12-01T00:00:00Z","value":1.5}`
	if len(lines) != 2 || lines[0] != want {
		t.Errorf("lines %q, want the first %q", lines, want)
	}
	var second map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil || second["value"] != nil {
		t.Errorf("%v, %v", second, err)
	}
}

// What a process had not finished goes when the next one begins, and counts nowhere before.
func TestAnUnfinishedFileIsNone(t *testing.T) {
	folder := t.TempDir()
	sink := open(t, folder)
	life := sinktest.NewLife("e", "0a")
	batch := eventlog.Batch{Parts: []eventlog.Part{{Life: life, Rows: sinktest.Rows(1, 3)}}}
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(folder, "alephbet", "2026-12-01T00", "0a.00.ndjson"+unfinished)
	if err := os.WriteFile(torn, []byte(`{"namespace":"al`), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := sink.Count(t.Context(), life); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	sink.Close()
	open(t, folder)
	if _, err := os.Stat(torn); err == nil {
		t.Error("it is still there")
	}
}

// Files that a warehouse has taken away are still rows that there are: else they would be filled in
// again. So it is after a start, when some were not noted, and when they are counted one by one.
func TestFilesThatWereMovedAwayCount(t *testing.T) {
	folder := t.TempDir()
	sink := open(t, folder)
	life := sinktest.NewLife("e", "0a")
	commit := func(from, to int) {
		t.Helper()
		batch := eventlog.Batch{Parts: []eventlog.Part{{Life: life, Rows: sinktest.Rows(from, to)}}, Again: true}
		if err := sink.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	count := func(want string) {
		t.Helper()
		found, err := sink.Count(t.Context(), life)
		if got := fmt.Sprint(found); err != nil || got != want {
			t.Errorf("there is %s, %v; want %s", got, err, want)
		}
	}
	again := func() {
		sink.Close()
		sink = open(t, folder)
	}
	commit(1, 11)
	commit(11, 21)
	count("map[{participate blue}:{20 0}]")
	names, _ := filepath.Glob(filepath.Join(folder, "alephbet", "*", "0a.*.ndjson"))
	if err := os.Rename(names[0], filepath.Join(t.TempDir(), "taken")); err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	again()
	count("map[{participate blue}:{20 0}]")
	notes, _ := filepath.Glob(filepath.Join(folder, "alephbet", "counts", "0a.*"))
	if len(notes) != 1 {
		t.Fatal(notes)
	}
	noted, err := os.ReadFile(notes[0])
	if err != nil {
		t.Fatal(err)
	}
	commit(21, 31)
	// A crash: the note of the last file is torn.
	if err := os.WriteFile(notes[0], append(noted, `{"file":"2026-`...), 0o600); err != nil {
		t.Fatal(err)
	}
	again()
	count("map[{participate blue}:{30 0}]")
	commit(31, 41)
	if err := sink.Check(t.Context(), life); err != nil {
		t.Fatal(err)
	}
	count("map[{participate blue}:{40 0}]")
	again()
	count("map[{participate blue}:{40 0}]")
	if err := sink.Remove(t.Context(), "alephbet", "e", ""); err != nil {
		t.Fatal(err)
	}
	count("map[]")
	again()
	count("map[]")
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 1 { // its lock
		t.Errorf("left: %v", left)
	}
}

func TestAFolderIsOneProcesss(t *testing.T) {
	folder := t.TempDir()
	first := open(t, folder)
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("taken twice: %v", err)
	}
	first.Close()
	open(t, folder)
}

func TestNamesOfFolders(t *testing.T) {
	var all []string
	for _, namespace := range []string{"alephbet", "Alephbet_2-x", "..", "a/b", "a b", "a-b", strings.Repeat("ß", 100), strings.Repeat("ß", 101), ".lock", "*"} {
		name := nameOf(namespace)
		if len(name) > 255 || strings.ContainsAny(name, "/*") || strings.HasPrefix(name, ".") || slices.Contains(all, name) {
			t.Errorf("%q is %q", namespace, name)
		}
		all = append(all, name)
	}
	if all[0] != "alephbet" {
		t.Errorf("alephbet is %q", all[0])
	}
}
