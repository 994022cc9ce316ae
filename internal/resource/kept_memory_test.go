package resource

import (
	"testing"

	"provision/internal/recipe"
)

// What a host remembered is told as what it remembers is, by the task's name: its lines are the tool's own.
func TestKeptMemoryIsToldByItsTask(t *testing.T) {
	path := recipe.MemoryPath("webapp@shop")
	back := KeptMemory{Kept: Kept{Path: path, Run: "000003", Step: 2, Copy: "/var/lib/provision/runs/000003/kept/2"}}
	file := func(digest string) recipe.Path {
		return recipe.Path{Type: recipe.PathFile, Mode: 0o600, Owner: "root", Group: "root", SHA256: digest}
	}
	change, err := back.Diff(recipe.Facts{
		recipe.PathKey(path):         {Value: file("now")},
		recipe.PathKey(back.Copy):    {Value: file("then")},
		recipe.ContentKey(back.Copy): {Value: recipe.Content{Bytes: []byte(`{"format":1}`)}},
	})
	if err != nil || len(change.Steps) != 1 {
		t.Fatalf("%+v, %v", change, err)
	}
	if back.ID() != "memory:webapp@shop" || change.Diff != nil || change.Summary != "as before run 000003" {
		t.Errorf("%s: %+v", back.ID(), change)
	}
	if note := recipe.NoteOf(change.Steps[0]); note != back.ID() {
		t.Errorf("its step is of %s", note)
	}
}
