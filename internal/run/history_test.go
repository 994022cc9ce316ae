package run

import (
	"errors"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/script"
)

// past is a run as a host would remember it.
func past(t *testing.T, name string, lines ...string) script.Past {
	t.Helper()
	journal := ""
	for _, line := range lines {
		journal += "2026-11-23T05:26:12Z " + line + "\n"
	}
	runs, err := script.ParseHistory([]byte(name + "\x00" + journal + "\x00" + "1 absent L2E=\n" + "\x00end\x00"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, error %v", len(runs), err)
	}
	return runs[0]
}

func TestTellSaysWhatFailedAndWhatNobodyKnows(t *testing.T) {
	run := past(t, "000007",
		`{"event":"run","tasks":["graphite"],"does":"rollback","of":"000006","goes_on":"000005","by":"anna@desk","plan":"0123456789abcdef"}`,
		`{"event":"begin","step":1,"title":"write /a","path":"/a"}`, `{"event":"end","step":1,"status":0}`,
		`{"event":"begin","step":2,"title":"restart x.service"}`, `{"event":"end","step":2,"status":3}`,
		`{"event":"begin","step":3,"title":"install nginx"}`, `{"event":"en`)
	want := `run 000007  2026-11-23T05:26:12Z  rollback graphite, takes back run 000006, goes on with run 000005, plan 0123456789abcdef  by anna@desk: died before its end
  write /a
  restart x.service: failed with status 3
  install nginx: outcome unknown: the run died in it`
	if got := strings.Join(tell(run), "\n"); got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
}

func TestLastChangingSkipsWhatWasTakenBack(t *testing.T) {
	write := []string{`{"event":"begin","step":1,"title":"write /a","path":"/a"}`, `{"event":"end","step":1,"status":0}`}
	make := func(name, head string) script.Past {
		return past(t, name, append([]string{head}, append(write, `{"event":"finish","outcome":"converged"}`)...)...)
	}
	first := make("000001", `{"event":"run","tasks":["nginx"],"does":"install"}`)
	second := make("000002", `{"event":"run","tasks":["nginx"],"does":"install"}`)
	back := make("000003", `{"event":"run","tasks":["nginx"],"does":"rollback","of":"000002"}`)
	cut := past(t, "000003", append([]string{`{"event":"run","tasks":["nginx"],"does":"rollback","of":"000002"}`}, append(write, `{"event":"finish","outcome":"cut off"}`)...)...)
	went := past(t, "000004", `{"event":"run","tasks":["nginx"],"does":"rollback","of":"000002"}`, `{"event":"finish","outcome":"converged"}`)
	other := make("000004", `{"event":"run","tasks":["graphite"],"does":"install"}`)
	for _, row := range []struct {
		name string
		runs []script.Past
		want string
		err  string
	}{
		{"the newest", []script.Past{first, second}, "000002", ""},
		{"not one that was taken back", []script.Past{first, second, back}, "000001", ""},
		{"nor the rollback, which was cut off", []script.Past{first, second, cut, went}, "000001", ""},
		{"not under another task's change", []script.Past{first, other}, "", "roll that back first"},
		{"of the task alone", []script.Past{other}, "", "nothing to roll back"},
	} {
		found, err := lastChanging(row.runs, "nginx")
		switch {
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%s: error %v, want %q", row.name, err, row.err)
		case row.err == "" && (err != nil || found.Run != row.want):
			t.Errorf("%s: run %q, error %v, want %s", row.name, found.Run, err, row.want)
		}
	}
	if _, err := lastChanging(nil, "nginx"); !errors.Is(err, ErrNothingToRollBack) {
		t.Errorf("without any run: %v", err)
	}
}

func TestAsBeforeStopsWhatTheRunStartedAndRestartsWhatRan(t *testing.T) {
	run := past(t, "000001",
		`{"event":"run","tasks":["x"],"does":"install"}`,
		`{"event":"begin","step":1,"title":"write /a","path":"/a"}`, `{"event":"end","step":1,"status":0}`,
		`{"event":"begin","step":2,"title":"start new.service","unit":"new.service","verb":"start","found":{"Active":"inactive"}}`, `{"event":"end","step":2,"status":0}`,
		`{"event":"begin","step":3,"title":"reload old.service","unit":"old.service","verb":"reload","found":{"Active":"active"}}`, `{"event":"end","step":3,"status":0}`)
	var ids []string
	for _, item := range asBefore(run, nil).Items {
		ids = append(ids, item.Resource.ID())
		for _, n := range item.Notifies {
			if n != (recipe.Notification{Unit: "old.service", Action: recipe.Reload}) {
				t.Errorf("%s notifies %v", item.Resource.ID(), n)
			}
		}
	}
	if got := strings.Join(ids, " "); got != "service:new.service file:/a service:old.service" {
		t.Errorf("in this order: %s", got)
	}
}
