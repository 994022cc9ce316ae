package proof

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Of a command that does not say what it changes, it is measured: of what is asked about behind it alone,
// and only where it ran.
func TestChanges(t *testing.T) {
	host := &stage{paper: paper{root: t.TempDir()}, active: map[string]bool{}}
	command := func(name string) resource.Command {
		return resource.Command{Name: name, Script: "…", Unless: "…"}
	}
	said := command("says it")
	said.Changes = []recipe.Key{}
	p := proving(
		resource.File{Path: "/before"}, command("fills"), said, resource.File{Path: "/made"}, resource.File{Path: "/same"},
		command("idle"), command("fails"), resource.Service{Unit: "shop.service"}, command("last"),
	)
	p.Host, p.converged, p.Task.Name = host, true, "shop"
	done := 0
	p.Task.UpTo = func(name string, with bool) Command {
		return func(_ context.Context, observe engine.Observer) engine.Finished {
			for _, path := range map[bool][]string{false: {"before", "made", "same"}, true: {"before", "made", "more"}}[with] {
				if err := os.WriteFile(filepath.Join(host.root, path), []byte(name+map[bool]string{true: " ran"}[with]), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if done++; name == "fails" {
				return engine.Finished{Status: engine.StatusFailed, Err: errors.New("no")}
			}
			if with && name == "fills" {
				observe(engine.Changed{Item: recipe.Item{Resource: command(name)}})
			}
			return engine.Finished{Status: engine.StatusChanged}
		}
	}
	if err := p.changes(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []Changes{{"fills", recipe.Position{File: "shop.star", Line: 2}, []string{"/made"}}}
	if !reflect.DeepEqual(p.Changes, want) || done != 5 || host.rewinds != 1 || len(p.Faults) > 0 {
		t.Errorf("found %v after %d runs and %d rewinds, with %q, want %v", p.Changes, done, host.rewinds, texts(p.Faults), want)
	}
}
