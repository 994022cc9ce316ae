package report

import (
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
)

// A proof is a line with its sign; what is wrong is told with its place and what to write instead.
func TestProofs(t *testing.T) {
	var text strings.Builder
	p := NewProofs(&text, Options{})
	p.Begin("shop", "trixie", []string{"correct-horse"})
	p.Proved(Proved{Name: "a plan changes nothing", Elapsed: 1200 * time.Millisecond})
	p.Proved(Proved{Name: "verify fails when it should", Elapsed: time.Second, Failed: true})
	p.Proved(Proved{Name: "services stay up", Skipped: "it has no service"})
	p.Fault(Fault{"verify fails when it should", recipe.Position{File: "tasks/shop.star", Line: 12}, "verify holds while shop.service is stopped", "add a check, correct-horse"})
	p.Brings(Brings{"x", recipe.Position{File: "tasks/shop.star", Line: 9}, []string{"x.service"}})
	p.Changes(Changes{"make it", recipe.Position{File: "tasks/shop.star", Line: 10}, nil})
	want := `shop on trixie
  ✓ a plan changes nothing                           1.2 s
  ✗ verify fails when it should                      1.0 s
  - services stay up                                 it has no service
✗ tasks/shop.star:12: verify holds while shop.service is stopped
  hint: add a check, [secret]
tasks/shop.star:9: it brings what the task asks about; for an exact plan write
  package("x", brings = ["x.service"])
tasks/shop.star:10: what it changes was measured; for an exact plan write
  command("make it", …, changes = [])
`
	if text.String() != want || p.Faults() != 1 {
		t.Errorf("shown is\n%s\nwant\n%s", text.String(), want)
	}
}
