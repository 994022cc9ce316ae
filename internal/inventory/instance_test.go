package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/recipe"
)

// An instance has the values that are its own, and else those of its task; -e goes before hosts.yaml.
func TestInstances(t *testing.T) {
	const text = `
vars:
  shop.domain: all
  shop@blue.domain: blue
  shop.workers: 3
hosts:
  web1:
    tasks: [shop, shop@blue, "shop@g[1:2]"]
    vars:
      shop.domain: own
      shop@g2.workers: 5
`
	inv, err := Parse("hosts.yaml", []byte(text), known(), nil)
	if err != nil {
		t.Fatal(err)
	}
	host := inv.Hosts()[0]
	if diff := cmp.Diff([]string{"shop", "shop@blue", "shop@g1", "shop@g2"}, host.Tasks); diff != "" {
		t.Error(diff)
	}
	var extra []Extra
	for _, text := range []string{"shop.workers=7", "shop@blue.workers=8"} {
		e, err := ParseExtra(text, known())
		if err != nil {
			t.Fatal(err)
		}
		extra = append(extra, e)
	}
	for _, row := range []struct {
		task  string
		extra []Extra
		want  recipe.Values
	}{
		{"shop", nil, recipe.Values{"domain": "own", "workers": 3}},
		{"shop@blue", nil, recipe.Values{"domain": "blue", "workers": 3}},
		{"shop@g1", nil, recipe.Values{"domain": "own", "workers": 3}},
		{"shop@g2", nil, recipe.Values{"domain": "own", "workers": 5}},
		{"shop@blue", extra, recipe.Values{"domain": "blue", "workers": 8}},
		{"shop@g2", extra, recipe.Values{"domain": "own", "workers": 7}},
	} {
		got, err := host.Values(row.task, known(), row.extra)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s, %v: %s", row.task, row.extra, diff)
		}
	}
	effective, err := host.Effective("shop@blue", known(), nil)
	if err != nil || len(effective) != 2 || effective[0].Name != "shop@blue.domain" || effective[0].Line != 4 || effective[1].Line != 5 {
		t.Errorf("%+v, %v", effective, err)
	}
}
