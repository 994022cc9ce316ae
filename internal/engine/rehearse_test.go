package engine_test

import (
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A plan tries what is files alone, of a service that runs, by a check that leaves nothing.
func TestPlanRehearsesWhatItCan(t *testing.T) {
	service := resource.Service{Unit: "daemon.service", Check: "daemon -t", Trees: []string{"/etc/daemon"}, Dry: true}
	for _, c := range []struct {
		name   string
		change func(*resource.Service, *recipe.Recipe)
		found  recipe.Unit
		want   int // steps tried
	}{
		{"a file", nil, recipe.Unit{Load: "loaded", Active: "active"}, 1},
		{"of a service that does not run", nil, recipe.Unit{Load: "loaded", Active: "inactive"}, 0},
		{"by a check that does more", func(s *resource.Service, _ *recipe.Recipe) { s.Dry = false }, recipe.Unit{Load: "loaded", Active: "active"}, 0},
		{"that is not all", func(_ *resource.Service, r *recipe.Recipe) {
			r.Add(resource.Command{Name: "make a certificate", Unless: "false", Script: "true"}, restart("daemon.service"))
		}, recipe.Unit{Load: "loaded", Active: "active"}, 0},
		{"that others are told of", func(_ *resource.Service, r *recipe.Recipe) {
			r.Add(resource.File{Path: "/etc/daemon/other", Content: "x"})
		}, recipe.Unit{Load: "loaded", Active: "active"}, 1},
		{"in a directory that nobody is told of", func(_ *resource.Service, r *recipe.Recipe) {
			r.Add(resource.Directory{Path: "/etc/daemon/conf.d"})
			r.Add(resource.File{Path: "/etc/daemon/conf.d/one", Content: "x"}, restart("daemon.service"))
		}, recipe.Unit{Load: "loaded", Active: "active"}, 3},
	} {
		var wanted recipe.Recipe
		service := service
		wanted.Add(resource.File{Path: "/etc/daemon/daemon.conf", Content: "new\n"}, restart(service.Unit))
		if c.change != nil {
			c.change(&service, &wanted)
		}
		wanted.Add(service)
		facts := recipe.Facts{recipe.UnitKey(service.Unit): {Value: c.found}, recipe.CommandKey("make a certificate"): {Value: recipe.Command{Exit: 1}}}
		plan, err := engine.NewPlan(wanted, facts)
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		for _, rehearsal := range plan.Rehearsals(wanted, facts) {
			steps += len(rehearsal.Steps)
		}
		if steps != c.want {
			t.Errorf("%s: %d steps tried, want %d", c.name, steps, c.want)
		}
	}
}
