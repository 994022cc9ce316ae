package project

import (
	"reflect"
	"strings"
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

// A part takes a secret as it is, or a text with one in it, and what it refuses of that is not repeated.
func TestSecretOfAPart(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
variables = [var("token", secret)]
needs = ["nginx"]

def build(v, host):
    return [
        nginx.site("a", "", on = False, key = v.token),
        nginx.site("b", "", on = False, key = "key-%s" % v.token),
        nginx.site("c", "", on = False),
    ]
`)
	want := []recipe.Resource{
		resource.File{Path: "/etc/nginx/a"}, resource.File{Path: "/etc/nginx/a.key", Content: "correct-horse", Secret: true},
		resource.File{Path: "/etc/nginx/b"}, resource.File{Path: "/etc/nginx/b.key", Content: "key-correct-horse", Secret: true},
		resource.File{Path: "/etc/nginx/c"},
	}
	if got := listed(built(t, p, recipe.Values{"token": recipe.NewSecret("correct-horse")})); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	_, err := p.Tasks()[0].Build(input(p.Tasks()[0], recipe.Values{"token": recipe.NewSecret("correct horse")}))
	if err == nil || !strings.Contains(err.Error(), "nginx.site: key: has a space in it") || strings.Contains(err.Error(), "correct") {
		t.Error(err)
	}
}
