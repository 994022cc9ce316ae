package report_test

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/report"
	"provision/internal/report/reporttest"
)

// To programs a proof is an object a line, as docs/json.schema.json has it, without a secret.
func TestProofsJSON(t *testing.T) {
	var text strings.Builder
	p := report.NewProofsJSON(&text)
	p.Begin("shop", "trixie", []string{"correct-horse"})
	p.Proved(report.Proved{Name: "services stay up", Skipped: "it has no service"})
	p.Fault(report.Fault{Proof: "verify fails when it should", At: recipe.Position{File: "tasks/shop.star", Line: 12}, Text: "verify holds", Hint: "not correct-horse"})
	p.Brings(report.Brings{Package: "x", At: recipe.Position{File: "tasks/shop.star", Line: 9}, Brings: []string{"x.service"}})
	p.Changes(report.Changes{Command: "make it", At: recipe.Position{File: "tasks/shop.star", Line: 10}, Changes: []string{}})
	if err := p.End(3); err != nil {
		t.Fatal(err)
	}
	if err := reporttest.Check(text.String(), 3); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`"event":"proving","task":"shop","release":"trixie"}`,
		`"proof":"services stay up","seconds":0,"passed":false,"skipped":"it has no service"}`,
		`"proof":"verify fails when it should","error":"verify holds","hint":"not [secret]","at":"tasks/shop.star:12"}`,
		`"package":"x","brings":["x.service"],"at":"tasks/shop.star:9"}`,
		`"command":"make it","changes":[],"at":"tasks/shop.star:10"}`,
		`"event":"summary","hosts":[],"exit_code":3}`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("shown is\n%s\nwithout %s", text.String(), want)
		}
	}
	if strings.Contains(text.String(), "correct-horse") || p.Faults() != 1 {
		t.Errorf("a secret is shown, or %d faults are not one", p.Faults())
	}
}
