package run

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// guessing is a task that depends on the host's processors, as an own one may.
func guessing(most int) recipe.Task {
	return recipe.Task{Name: fmt.Sprintf("shop%d", most), Build: func(in recipe.Input) (recipe.Recipe, error) {
		var r recipe.Recipe
		if in.Host.CPUs() < most {
			at := recipe.Position{File: "tasks/shop.star", Line: 3, Column: 9}
			return r, &recipe.SourceError{At: at, Problem: "too small", Guessed: in.Guess}
		}
		r.Add(resource.Directory{Path: "/etc/shop"})
		return r, nil
	}}
}

// What fails for something that is made up is no error before the host was asked, and is one
// after.
func TestGuesses(t *testing.T) {
	small, big := Blueprint{Tasks: []recipe.Task{guessing(1)}}, Blueprint{Tasks: []recipe.Task{guessing(2)}}
	want := []recipe.Probe{{Key: recipe.PathKey("/etc/shop")}}
	if probes, err := small.Probes(); err != nil || !reflect.DeepEqual(probes, want) {
		t.Errorf("%v, %v", probes, err)
	}
	if probes, err := big.Probes(); err != nil || len(probes) > 0 {
		t.Errorf("%v, %v", probes, err)
	}
	failed, unknown := Check([]Work{{Target: Target{Name: "web1"}, Blueprint: small}, {Target: Target{Name: "web2"}, Blueprint: big}})
	if len(failed) > 0 || len(unknown) != 1 {
		t.Errorf("failed %v, unknown %v", failed, unknown)
	}
	for cpus, good := range map[int]bool{1: false, 2: true} {
		platform := recipe.Platforms()[0]
		platform.CPUs = cpus
		built, err := big.Recipe(platform)
		var refused *recipe.SourceError
		if good && (err != nil || len(unasked(nil, built.Probes())) != 1) {
			t.Errorf("%d: %v, %v", cpus, built, err)
		}
		if !good && (!errors.As(err, &refused) || refused.Guessed) {
			t.Errorf("%d: %v", cpus, err)
		}
	}
}
