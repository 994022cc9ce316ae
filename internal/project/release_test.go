package project

import (
	"slices"
	"testing"

	"provision/internal/recipe"
)

// Of a deploy a task brings the release, and then the link to it, which notifies; else neither.
func TestRelease(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
releases = "/opt/shop"

def build(v, host):
    return [
        file("/etc/shop", ""),
        release("shop.tar.gz", unpack = True, keep = 3, notify = restart("shop.service")),
        service("shop.service", needs = releases + "/current"),
    ]
`)
	task := p.Tasks()[0]
	if d := task.Deployed; d == nil || d.Releases != "/opt/shop/releases" || d.Current != "/opt/shop/current" {
		t.Fatalf("it is deployed: %+v", d)
	}
	ids := func(release *recipe.Release) []string {
		in := input(task, nil)
		in.Release = release
		r, err := task.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, item := range r.Items {
			all = append(all, item.Resource.ID())
		}
		if at := slices.Index(all, "link:/opt/shop/current"); at >= 0 && (len(r.Items[at].Notifies) != 1 || r.Items[at].At.Line != 6) {
			t.Errorf("the link notifies %v, and is at %s", r.Items[at].Notifies, r.Items[at].At)
		}
		return all[1 : len(all)-1]
	}
	artifact := func(string) (recipe.Artifact, error) { return recipe.Artifact{Source: "/a", SHA256: "b"}, nil }
	directories := []string{"directory:/opt/shop", "directory:/opt/shop/releases"}
	for name, c := range map[string]struct {
		release *recipe.Release
		want    []string
	}{
		"none": {nil, directories},
		"one": {&recipe.Release{Version: "v1", Artifact: artifact}, append(slices.Clone(directories),
			"command:make room for release v1", "directory:/opt/shop/releases/v1", "file:/opt/shop/releases/v1/shop.tar.gz", "command:unpack release v1", "link:/opt/shop/current")},
		"one that is there": {&recipe.Release{Version: "v1", Present: true}, append(slices.Clone(directories),
			"release:v1", "command:make room for release v1", "link:/opt/shop/current")},
	} {
		if got := ids(c.release); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
