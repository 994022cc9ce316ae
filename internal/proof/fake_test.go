package proof

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// stage is a host of which only units and files are there, as the test sets them.
type stage struct {
	paper
	said     string // of what all may ask
	active   map[string]bool
	triggers map[string]string
	ran      []string
	rewinds  int
}

func (s *stage) Checkpoint(context.Context) error { return nil }

func (s *stage) Rewind(context.Context) error {
	s.rewinds++
	return nil
}

// Run does to units what systemctl does.
func (s *stage) Run(_ context.Context, script, _ string) (string, error) {
	s.ran = append(s.ran, script)
	words := strings.Fields(strings.ReplaceAll(script, "'", ""))
	switch {
	case strings.HasPrefix(script, told):
		return s.said, nil
	case strings.HasSuffix(script, installScripts), strings.HasPrefix(script, "dpkg-query -S "):
		return s.paper.said, nil
	case strings.HasPrefix(script, "systemctl stop "), strings.HasPrefix(script, "systemctl start "):
		for _, unit := range words[2:] {
			s.active[unit] = words[1] == "start"
		}
	case strings.HasPrefix(script, "systemctl show"):
		var said strings.Builder
		for _, unit := range slices.Sorted(maps.Keys(s.active)) {
			state := map[bool]string{true: "active", false: "inactive"}[s.active[unit]]
			fmt.Fprintf(&said, "Id=%s\nActiveState=%s\nInvocationID=1\nTriggeredBy=%s\n\n", unit, state, s.triggers[unit])
		}
		return said.String(), nil
	}
	return "", nil
}

// checking is a verify that needs some units and content.
func checking(s *stage, needs ...string) func(func(recipe.Check) time.Duration) Command {
	return func(within func(recipe.Check) time.Duration) Command {
		return func(_ context.Context, observe engine.Observer) engine.Finished {
			check := recipe.Check{Name: "it answers", Within: time.Minute, At: recipe.Position{File: "shop.star", Line: 30}}
			for _, unit := range needs {
				if !s.active[unit] {
					observe(engine.Checked{Check: check, Err: errors.New("refused")})
					return engine.Finished{Status: engine.StatusFailed, Err: engine.ErrVerify}
				}
			}
			observe(engine.Checked{Check: check})
			return engine.Finished{Status: engine.StatusVerified}
		}
	}
}

// Each service is stopped by itself, with what would start it when it is asked, and runs again after.
func TestVerifyFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		needs []string
		want  []string
	}{
		{"each is needed", []string{"a.service", "b.socket", "apt-daily.timer"}, nil},
		{"one is not", []string{"a.service", "apt-daily.timer"}, []string{"shop.star:2: verify holds while b.service is stopped: no check needs it"}},
		{"none is", nil, []string{
			"shop.star:1: verify holds while a.service is stopped: no check needs it",
			"shop.star:2: verify holds while b.service is stopped: no check needs it",
			"shop.star:3: verify holds while apt-daily.timer is stopped: no check needs it",
		}},
		{"it never held", []string{"c.service"}, []string{"shop.star:30: verify: verify: it answers: refused"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			host := &stage{active: map[string]bool{"a.service": true, "b.service": true, "b.socket": true, "apt-daily.timer": true}, triggers: map[string]string{"b.service": "b.socket"}}
			p := proving(resource.Service{Unit: "a.service"}, resource.Service{Unit: "b.service"}, resource.Service{Unit: "apt-daily.timer"})
			p.Host, p.Task.Verify, p.verified = host, checking(host, test.needs...), true
			p.services, _ = units(t.Context(), host)
			if err := p.verifyFails(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := texts(p.Faults); !slices.Equal(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
			for unit, runs := range host.active {
				if !runs {
					t.Errorf("%s was not started again", unit)
				}
			}
		})
	}
}

// A check that should fail is tried for no longer than it takes where it holds; one that holds late is
// given its time.
func TestImpatient(t *testing.T) {
	p := &prover{checks: []engine.Checked{{Check: recipe.Check{Name: "late"}, Elapsed: 4 * time.Second}, {Check: recipe.Check{Name: "soon"}, Elapsed: 10 * time.Millisecond}}}
	for name, want := range map[string]time.Duration{"late": 10 * time.Second, "soon": 1030 * time.Millisecond, "other": 10 * time.Second} {
		if got := p.impatient(recipe.Check{Name: name, Within: 10 * time.Second}); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// A run is killed in a command's middle, on a host that was wound back, and the next one's failure is told with the moment.
func TestKills(t *testing.T) {
	host := &stage{paper: paper{root: t.TempDir()}, active: map[string]bool{}}
	p := proving(resource.Command{Name: "fill", Script: "mkdir /store"})
	p.Host, p.converged, p.Kills = host, true, 1
	runs := 0
	failed := &engine.StepError{Step: recipe.Numbered{Resource: "command:fill", Step: recipe.Exec{Name: "fill"}}, Status: 1, Output: "mkdir: cannot create\n", At: recipe.Position{File: "shop.star", Line: 1}}
	p.Task.Install = func(_ context.Context, observe engine.Observer) engine.Finished {
		runs++
		observe(engine.StepBegan{Number: 1, Title: "fill", Resource: "command:fill"})
		observe(engine.StepEnded{Number: 1, Title: "fill", Elapsed: 20 * time.Millisecond})
		switch runs {
		case 1:
			return engine.Finished{Status: engine.StatusChanged}
		case 2:
			return engine.Finished{Status: engine.StatusUnreachable, Err: errors.New("lost")}
		}
		return engine.Finished{Status: engine.StatusFailed, Err: failed}
	}
	if err := p.kills(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{`shop.star:1: the run after one that was killed in "fill", 10ms after it began: command:fill: fill failed with status 1`}
	if got := texts(p.Faults); !slices.Equal(got, want) || runs != 3 || host.rewinds != 2 {
		t.Errorf("found %q after %d runs and %d rewinds, want %q", got, runs, host.rewinds, want)
	}
	if !slices.Contains(host.ran, killRuns) {
		t.Error("nothing was killed")
	}
}

// Where its packages and accounts were before, a task of these alone changes nothing, and there is nothing to remove.
func TestNothingButPackages(t *testing.T) {
	host := &stage{paper: paper{root: t.TempDir()}, active: map[string]bool{}}
	if err := os.WriteFile(filepath.Join(host.root, "there"), nil, 0o644); err != nil { // as of a host that is mounted
		t.Fatal(err)
	}
	p := proving(resource.Package{Name: "shop"})
	p.Host, p.converged = host, true
	well := func(context.Context, engine.Observer) engine.Finished {
		return engine.Finished{Status: engine.StatusSame}
	}
	p.Task.Premises, p.Task.Install = well, well
	p.Task.Remove = func(context.Context, engine.Observer) engine.Finished {
		return engine.Finished{Status: engine.StatusRefused, Err: errors.New("nothing of it is noted")}
	}
	if err := p.removeLeavesNothing(t.Context()); !errors.Is(err, errSkipped) || len(p.Faults) > 0 {
		t.Errorf("found %q, %v", texts(p.Faults), err)
	}
}
