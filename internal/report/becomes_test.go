package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// unsettledPlan is one with what becomes what is shown, and what may change.
func unsettledPlan() engine.Plan {
	const until = "monit is installed"
	becomes := func(summary string, diff *recipe.FileDiff, deltas ...recipe.Delta) recipe.Change {
		return recipe.Change{Kind: recipe.Becomes, Until: until, Summary: summary, Diff: diff, Deltas: deltas}
	}
	return engine.Plan{Items: []engine.Planned{
		item("shop", "package:monit", recipe.Change{Kind: recipe.Create, Summary: "install"}),
		item("shop", "file:/etc/monit/monitrc", becomes("0600 root:root", &recipe.FileDiff{Path: "/etc/monit/monitrc", After: []byte("set daemon 30\n")})),
		item("shop", "file:/etc/monit/password", becomes("0600 root:root", &recipe.FileDiff{Path: "/etc/monit/password", After: []byte("hunter2-hunter2\n"), Secret: true})),
		item("shop", "file:/etc/monit/token", becomes("0600 root:root", &recipe.FileDiff{Path: "/etc/monit/token", After: []byte("token hunter2-hunter2\n")})),
		item("shop", "file:/etc/motd", becomes(engine.AsItIs, nil)),
		item("shop", "user:monit", becomes("system account, home /nonexistent", nil)),
		item("shop", "link:/etc/monit/default", recipe.Change{Kind: recipe.MayBe, Until: until}),
		item("shop", "directory:/etc/shop", becomes(engine.AsItIs, nil)),
		item("shop", "service:monit.service", becomes("", nil, recipe.Delta{Name: "at boot", After: "enabled"}, recipe.Delta{Name: "state", After: "running"})),
	}}
}

func TestWhatBecomesIsShownWhole(t *testing.T) {
	var out bytes.Buffer
	terminal := NewTerminal(&out, Options{Plan: true, Secrets: []string{"hunter2-hunter2"}})
	terminal.Event(engine.HostEvent{Host: "web1", Event: engine.PlanMade{Plan: unsettledPlan()}})
	const want = `web1

  shop
  + package    monit
  ? file       /etc/monit/monitrc  becomes this, from what is known after monit is installed · 0600 root:root
      │ + set daemon 30
  ? file       /etc/monit/password  becomes this, from what is known after monit is installed · 0600 root:root
      │ content is secret
  ? file       /etc/monit/token  becomes this, from what is known after monit is installed · 0600 root:root
      │ + token [secret]
  ? user       monit  becomes this, from what is known after monit is installed · system account, home /nonexistent
  ? service    monit.service  becomes this, from what is known after monit is installed · at boot → enabled · state → running
  ? 2 stay as they are, or become so again, known after monit is installed
      file /etc/motd, directory /etc/shop
  ? link       /etc/monit/default  may change, known after monit is installed

  1 to create · 7 become as shown · 1 may change

`
	if got := out.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestWhatBecomesInJSON(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out, []string{"hunter2-hunter2"}, codes)
	j.Event(engine.HostEvent{Host: "web1", Event: engine.PlanMade{Plan: unsettledPlan()}})
	var said struct {
		Counts    map[string]int
		Resources []struct {
			Kind, Until, Summary string
			Content              struct {
				Form, Diff string
				Exists     bool
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	file := said.Resources[1]
	if said.Counts["becomes"] != 7 || file.Kind != "becomes" || file.Until != "monit is installed" || file.Content.Exists ||
		file.Content.Diff != "--- /dev/null\n+++ b/etc/monit/monitrc\n@@ -0,0 +1 @@\n+set daemon 30\n" {
		t.Errorf("%+v", said)
	}
	if bytes.Contains(out.Bytes(), []byte("hunter2")) {
		t.Errorf("a secret is told: %s", out.Bytes())
	}
}
