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
	for with, want := range map[bool][]string{
		false: {"file:/etc/shop", "package:shop", "package:shop-data"}, true: {"file:/etc/shop", "package:shop", "package:shop-data", "command:fill"},
	} {
		task := recipe.Task{Name: "shop", Build: func(recipe.Input) (recipe.Recipe, error) {
			var r recipe.Recipe
			r.Add(resource.File{Path: "/etc/shop"}, reload...)
			r.Add(resource.Package{Name: "shop", Restarts: []string{"shop.service"}})
			r.Add(resource.Deb{Name: "shop-data", Version: "1", Restarts: []string{"shop.service"}})
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
			if notifier, ok := item.Resource.(recipe.Notifier); ok && len(notifier.Restarted()) > 0 {
				t.Errorf("with the command %v: %s restarts %q, which is not there", with, item.Resource.ID(), notifier.Restarted())
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("with the command %v: %q, %v", with, got, err)
		}
	}
}

// What stays where a task is removed is there before the task, in the proof of that; a package from a file too.
func TestPremisesAlone(t *testing.T) {
	task := recipe.Task{Name: "shop", Build: func(recipe.Input) (recipe.Recipe, error) {
		var r recipe.Recipe
		r.Add(resource.File{Path: "/etc/shop"}, recipe.Notification{Unit: "shop.service"})
		r.Add(resource.Package{Name: "openssl"})
		r.Add(resource.Deb{Name: "shop", Version: "1", Restarts: []string{"shop.service"}}, recipe.Notification{Unit: "shop.service"})
		r.Add(resource.User{Name: "shop"})
		r.Add(resource.Alternative{Name: "editor", Path: "/usr/bin/vim.basic"})
		r.Add(resource.Service{Unit: "shop.service"})
		return r, nil
	}}
	premisesAlone(&task)
	premises, err := task.Build(recipe.Input{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range premises.Items {
		got = append(got, item.Resource.ID())
		if deb, ok := item.Resource.(resource.Deb); len(item.Notifies) > 0 || ok && len(deb.Restarts) > 0 {
			t.Errorf("%s notifies who is not there", item.Resource.ID())
		}
	}
	if want := []string{"package:openssl", "package:shop", "user:shop"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
