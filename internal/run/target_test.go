package run

import (
	"reflect"
	"testing"

	"provision/internal/recipe"
)

func TestUnasked(t *testing.T) {
	path := recipe.Probe{Key: recipe.PathKey("/a")}
	digest := recipe.Probe{Key: recipe.PathKey("/a"), Digest: true}
	filled := recipe.Probe{Key: recipe.PathKey("/a"), Digest: true, Unfill: map[string]string{"@@": "/secret"}}
	guard := func(script string) recipe.Probe {
		return recipe.Probe{Key: recipe.CommandKey("guard"), Script: script}
	}
	reads := guard("true")
	reads.Reads = []recipe.Key{recipe.PackageKey("openssl")}
	tests := map[string]struct {
		asked, wanted, missing []recipe.Probe
	}{
		"the same":                         {[]recipe.Probe{path, guard("true")}, []recipe.Probe{path, guard("true")}, nil},
		"less":                             {[]recipe.Probe{path, guard("true")}, []recipe.Probe{path}, nil},
		"another path":                     {nil, []recipe.Probe{path}, []recipe.Probe{path}},
		"a digest that was not asked":      {[]recipe.Probe{path}, []recipe.Probe{digest}, []recipe.Probe{digest}},
		"a digest that is not wanted":      {[]recipe.Probe{digest}, []recipe.Probe{path}, nil},
		"a digest without the secret":      {[]recipe.Probe{digest}, []recipe.Probe{filled}, []recipe.Probe{filled}},
		"a guard that names the host":      {[]recipe.Probe{guard("host")}, []recipe.Probe{guard("web1")}, []recipe.Probe{guard("web1")}},
		"a guard of all platforms":         {[]recipe.Probe{guard("true")}, []recipe.Probe{reads}, nil},
		"a secret where none is filled in": {[]recipe.Probe{filled}, []recipe.Probe{digest}, []recipe.Probe{digest}},
	}
	for name, test := range tests {
		if missing := unasked(test.asked, test.wanted); !reflect.DeepEqual(missing, test.missing) {
			t.Errorf("%s: %+v, want %+v", name, missing, test.missing)
		}
	}
}
