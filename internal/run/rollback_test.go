package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/resource"
	"provision/internal/script"
)

// restarted is a run that changed a file of a unit, and restarted it.
func restarted(t *testing.T, name, listens, outcome string) script.Past {
	t.Helper()
	return past(t, name, `{"event":"run","tasks":["graphite"],"does":"install"}`,
		`{"event":"begin","step":1,"title":"write /a","path":"/a"}`, `{"event":"end","step":1,"status":0}`,
		`{"event":"begin","step":2,"title":"restart x.service","unit":"x.service","verb":"restart","found":{"Active":"active"},"check":"x -t","listens":["`+listens+`"]}`,
		`{"event":"end","step":2,"status":0}`, fmt.Sprintf(`{"event":"finish","outcome":%q}`, outcome))
}

func TestRollbackExpectsTheListenersOfBefore(t *testing.T) {
	first := restarted(t, "000001", "0.0.0.0:2003", "converged")
	failed := restarted(t, "000002", "0.0.0.0:1", "failed")
	second := restarted(t, "000003", "127.0.0.1:2003", "converged")
	for _, row := range []struct {
		back script.Past
		runs []script.Past
		want []string
	}{
		{second, []script.Past{first, failed, second}, []string{"0.0.0.0:2003"}},
		{first, []script.Past{first, failed, second}, nil},
		{second, []script.Past{second}, nil},
	} {
		found := false
		for _, item := range asBefore(row.back, row.runs).Items {
			if service, ok := item.Resource.(resource.Service); ok {
				found = true
				if !slices.Equal(service.Listens, row.want) || service.Check != "x -t" {
					t.Errorf("%s taken back: %+v, want it to listen on %v", row.back.Run, service, row.want)
				}
			}
		}
		if !found {
			t.Errorf("%s taken back: no service", row.back.Run)
		}
	}
}

// What a rollback cannot take back is told.
func TestARollbackTellsWhatStaysDone(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		made := m.path("made")
		is(t, m.does(t, resource.File{Path: m.path("a"), Content: "a"}, resource.Command{Name: "make it", Unless: "[ -e " + made + " ]", Script: "echo it >" + made}), engine.StatusChanged)
		is(t, m.works(t, "rollback", Blueprint{}, Rollback("x")), engine.StatusChanged)
		if told := m.told.String(); m.read(t, "made") != "it\n" || !strings.Contains(told, "stays done: make it\n") {
			t.Errorf("told:\n%s", told)
		}
		is(t, m.does(t, resource.File{Path: m.path("a"), Content: "b"}), engine.StatusChanged)
		m.told.Reset()
		is(t, m.works(t, "rollback", Blueprint{}, Rollback("x")), engine.StatusChanged)
		if told := m.told.String(); strings.Contains(told, "stays done") {
			t.Errorf("of a run that did nothing but a file: %s", told)
		}
	})
}
