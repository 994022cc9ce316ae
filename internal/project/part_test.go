package project

import (
	"reflect"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// A part of a task that ships is one value in a task: its resources stand where it is said, and what it
// gives is known before.
func TestParts(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
needs = ["nginx"]

def build(v, host):
    site = nginx.site("shop", "listen 80;\n", listens = [":80"])
    return [
        file("/etc/shop", "my site is %s" % site.path),
        [site, nginx.site("off", content = "", on = False)],
    ]
`)
	task := p.Tasks()[0]
	r := built(t, p, nil)
	want := []recipe.Resource{
		resource.File{Path: "/etc/shop", Content: "my site is /etc/nginx/shop"},
		resource.File{Path: "/etc/nginx/shop", Content: "listen 80;\n"},
		resource.Service{Unit: "nginx.service", Listens: []string{":80"}},
		resource.File{Path: "/etc/nginx/off"},
	}
	if got := listed(r); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i, want := range []string{"tasks/shop.star:6:9", "tasks/shop.star:4:12", "tasks/shop.star:4:12", "tasks/shop.star:7:16"} {
		if got := r.Items[i].At.String(); got != want {
			t.Errorf("%s is at %s, want %s", r.Items[i].Resource.ID(), got, want)
		}
	}
	if want := []recipe.Notification{{Unit: "nginx.service", Action: recipe.Reload}}; !reflect.DeepEqual(r.Items[1].Notifies, want) {
		t.Errorf("the site notifies %v", r.Items[1].Notifies)
	}
	if !reflect.DeepEqual(task.Uses, []string{"nginx"}) {
		t.Errorf("it uses %v", task.Uses)
	}
}
