package acceptance

import (
	"cmp"
	"encoding/json"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"provision/internal/script"
)

// point is a moment at which a run dies.
type point struct {
	kind string // write: of the controller; host: the runner dies; orphan: the controller dies, the step under way goes on
	at   int
	when string // of write: before, after
	step string // of host and orphan: the kind of step under way
}

func (p point) String() string {
	return strings.Join(strings.Fields(p.kind+" "+strconv.Itoa(p.at)+" "+p.when+" "+p.step), " ")
}

// points are all moments at which the run can be killed.
func (s *sweptHost) points() []point {
	var all []point
	for i := range s.writes {
		all = append(all, point{kind: "write", at: i + 1, when: "before"}, point{kind: "write", at: i + 1, when: "after"})
	}
	for i, step := range s.steps {
		all = append(all, point{kind: "host", at: i + 1, step: step})
		if i%2 == 0 {
			all = append(all, point{kind: "orphan", at: i + 1, step: step})
		}
	}
	return all
}

// choosePoints returns all points, from PROVISION_SWEEP_FROM on, for a sweep that was cut
// short; or, when not all are asked for, some by a seed that is printed: of this run one
// before and one after a write and two on the host, and one in each kind of step that had
// none in another run.
func choosePoints(t *testing.T, all []point, had map[string]bool) []point {
	if os.Getenv("PROVISION_SWEEP") == "all" {
		from, err := strconv.Atoi(cmp.Or(os.Getenv("PROVISION_SWEEP_FROM"), "1"))
		if err != nil || from < 1 || from > len(all) {
			t.Fatalf("PROVISION_SWEEP_FROM: want the number of a point, 1 to %d", len(all))
		}
		t.Logf("%d points, from %d on", len(all), from)
		return all[from-1:]
	}
	seed := time.Now().Unix() / (24 * 3600) // others every day
	if text := os.Getenv("PROVISION_SWEEP_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	own := map[string]bool{}
	var chosen []point
	for _, i := range rand.New(rand.NewSource(seed)).Perm(len(all)) {
		p := all[i]
		if way := p.kind + p.when; !own[way] || p.step != "" && !had[p.step] {
			own[way] = true
			had[p.step] = true
			chosen = append(chosen, p)
		}
	}
	t.Logf("PROVISION_SWEEP_SEED=%d: %d of %d points; PROVISION_SWEEP=all tries them all: %v", seed, len(chosen), len(all), chosen)
	return chosen
}

// stepKinds returns the kind of the step at each of the lines of a journal.
func stepKinds(t *testing.T, journal string) []string {
	t.Helper()
	var kinds []string
	kind := "begin"
	for line := range strings.Lines(journal) {
		if _, text, found := strings.Cut(line, " "); found {
			var record script.Record
			if err := json.Unmarshal([]byte(text), &record); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			switch record.Event {
			case "begin":
				kind = stepKind(record)
			case "finish":
				kind = "finish"
			}
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// stepKind is the first word of a step's title, where that says what kind it is.
func stepKind(record script.Record) string {
	first, _, _ := strings.Cut(record.Title, " ")
	if record.Path != "" || record.Unit != "" || slices.Contains([]string{"install", "check", "note:", "done:"}, first) {
		return first
	}
	return "command"
}
