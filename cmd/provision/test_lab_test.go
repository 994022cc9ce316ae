package main

import (
	"slices"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// A task up to one of its commands is one that can be built: nobody is notified who comes later.
func TestUpToCommand(t *testing.T) {
	reload := []recipe.Notification{{Unit: "shop.service"}}
	for with, want := range map[bool][]string{false: {"file:/etc/shop", "package:shop"}, true: {"file:/etc/shop", "package:shop", "command:fill"}} {
		task := recipe.Task{Name: "shop", Build: func(recipe.Input) (recipe.Recipe, error) {
			var r recipe.Recipe
			r.Add(resource.File{Path: "/etc/shop"}, reload...)
			r.Add(resource.Package{Name: "shop", Restarts: []string{"shop.service"}})
			r.Add(resource.Command{Name: "fill", Script: "fill", Unless: "filled"}, reload...)
			r.Add(resource.Service{Unit: "shop.service"})
			return r, nil
		}}
		upToCommand(&task, "fill", with)
		part, err := task.Build(recipe.Input{})
		if err == nil {
			err = part.Validate()
		}
		var got []string
		for _, item := range part.Items {
			got = append(got, item.Resource.ID())
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("with the command %v: %q, %v", with, got, err)
		}
	}
}
