package workload

import (
	"path/filepath"
	"reflect"
	"testing"

	"provision/internal/project"
	"provision/internal/recipe"
)

// What the bench compares is the same recipe twice, with the same checks.
func TestTask(t *testing.T) {
	p, err := project.Open(filepath.FromSlash("../../../examples/workload"), project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := recipe.Input{
		System: recipe.Platforms()[0].System, Host: recipe.HostOf(recipe.Listed{Name: "app01", Address: "app01.example.org"}, recipe.Platforms()[0]),
		Vars: recipe.Values{"domain": "app.example.org", "workers": 8, "token": recipe.NewSecret("correct horse")},
	}
	build := func(task recipe.Task) (recipe.Recipe, []recipe.Check) {
		r, err := task.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		checks, err := task.Verify(in)
		if err != nil {
			t.Fatal(err)
		}
		return r, checks
	}
	got, gotChecks := build(Task())
	want, wantChecks := build(p.Tasks()[0])
	if len(got.Items) != len(want.Items) || len(gotChecks) != len(wantChecks) {
		t.Fatalf("%d resources and %d checks, want %d and %d", len(got.Items), len(gotChecks), len(want.Items), len(wantChecks))
	}
	for i, item := range want.Items {
		if is := got.Items[i]; !reflect.DeepEqual(is.Resource, item.Resource) || !reflect.DeepEqual(is.Notifies, item.Notifies) {
			t.Errorf("%+v,\nwant %+v", is, item)
		}
	}
	for i, check := range wantChecks {
		check.At = recipe.Position{}
		if !reflect.DeepEqual(gotChecks[i], check) {
			t.Errorf("%+v (%+v),\nwant %+v (%+v)", gotChecks[i], gotChecks[i].HTTP, check, check.HTTP)
		}
	}
}
