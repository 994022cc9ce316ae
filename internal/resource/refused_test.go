package resource_test

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

var badPaths = []string{"", "etc/a", "./a", "/etc/../a", "/..", "/etc/a/", "//etc/a", "/etc//a", "/etc/./a", "/", "/a\x00b", "/a\nb", "~/a", "-x"}

// goodPaths are odd, and meant.
var goodPaths = []string{"/a", "/etc/two words", "/etc/it's", "/etc/..a", "/etc/-x", "/etc/*", "/etc/$x", `/etc/back\slash`, "/etc/ü"}

func TestPathsThatAreRefused(t *testing.T) {
	kinds := map[string]func(path string) recipe.Validator{
		"file": func(p string) recipe.Validator { return resource.File{Path: p} },
		"fill": func(p string) recipe.Validator {
			return resource.File{Path: "/a", Content: "x\n", Fill: map[string]string{"x": p}}
		},
		"directory": func(p string) recipe.Validator { return resource.Directory{Path: p} },
		"link":      func(p string) recipe.Validator { return resource.Link{Path: p, Target: "x"} },
		"line":      func(p string) recipe.Validator { return resource.Line{Path: p, Line: "x"} },
		"block":     func(p string) recipe.Validator { return resource.Block{Path: p, Name: "x", Text: "x"} },
		"secret":    func(p string) recipe.Validator { return resource.Secret{Path: p} },
		"artifact":  func(p string) recipe.Validator { return resource.Artifact{Path: p} },
		"tree":      func(p string) recipe.Validator { return resource.Service{Unit: "u.service", Trees: []string{p}} },
	}
	for kind, validator := range kinds {
		for _, path := range badPaths {
			if err := validator(path).Validate(); err == nil {
				t.Errorf("%s %q: not refused", kind, path)
			}
		}
		for _, path := range goodPaths {
			if err := validator(path).Validate(); err != nil {
				t.Errorf("%s %q: %v", kind, path, err)
			}
		}
	}
	for _, path := range badPaths[1:] {
		if err := (resource.User{Name: "u", Home: path}).Validate(); err == nil {
			t.Errorf("home %q: not refused", path)
		}
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	common := []string{"", " ", "a b", "a;b", "a$(id)", "a\nb", "a\x00b", "-o", "-oDebug=1", "--x", "../x", "/x", "a/b", "ü", "a'b", `a"b`, "a*", "a,b"}
	for kind, test := range map[string]struct {
		validator func(string) recipe.Validator
		bad, good []string
	}{
		"package": {
			func(name string) recipe.Validator { return resource.Package{Name: name} },
			[]string{"foo;rm", "-oDpkg::x", "foo-", "foo+", "foo--", "foo+-", "foo-+", "++", "foo=1", "foo/stable", "foo:i386", "Foo", "a", "+a", ".a", "foo_bar"},
			[]string{"nginx-light", "g++", "g++-12", "libstdc++6", "python3.11", "0ad", "a2"},
		},
		"unit": {
			func(name string) recipe.Validator { return resource.Service{Unit: name} },
			[]string{"../x.service", "x", "x.conf", "x.service ", "-.mount", ".service/x", "x.service;y.service", "x y.service", "x\n.service"},
			[]string{"nginx.service", "a@b.service", "a@.timer", "a-b_c.d:e.socket", "x.target", "x.path", "home.mount"},
		},
		"user": {
			func(name string) recipe.Validator { return resource.User{Name: name} },
			[]string{"root;id", "0", "1000", "a.b", "A", "a:b", "a$", strings.Repeat("a", 33)},
			[]string{"root", "_graphite", "www-data", "a1", strings.Repeat("a", 32)},
		},
		"group": {
			func(name string) recipe.Validator { return resource.Group{Name: name} },
			[]string{"a:b", "4"}, []string{"adm"},
		},
		"member": {
			func(name string) recipe.Validator { return resource.Membership{User: name, Group: "adm"} },
			[]string{"a:b", "4"}, []string{"adm"},
		},
		"membership": {
			func(name string) recipe.Validator { return resource.Membership{User: "u", Group: name} },
			[]string{"a:b", "4"}, []string{"adm"},
		},
	} {
		for _, name := range append(test.bad, common...) {
			if err := test.validator(name).Validate(); err == nil {
				t.Errorf("%s %q: not refused", kind, name)
			}
		}
		for _, name := range test.good {
			if err := test.validator(name).Validate(); err != nil {
				t.Errorf("%s %q: %v", kind, name, err)
			}
		}
	}
}

func TestModesThatAreRefused(t *testing.T) {
	kinds := map[string]func(recipe.Attributes) recipe.Validator{
		"file":      func(a recipe.Attributes) recipe.Validator { return resource.File{Path: "/a", Attributes: a} },
		"directory": func(a recipe.Attributes) recipe.Validator { return resource.Directory{Path: "/a", Attributes: a} },
		"secret":    func(a recipe.Attributes) recipe.Validator { return resource.Secret{Path: "/a", Attributes: a} },
		"artifact":  func(a recipe.Attributes) recipe.Validator { return resource.Artifact{Path: "/a", Attributes: a} },
	}
	for kind, validator := range kinds {
		// The numbers without 0o are those that are written when it is forgotten.
		for _, mode := range []uint32{888, 644, 755, 600, 700, 750, 660, 440, 0o10000, 0o100644, 0o077} {
			if err := validator(recipe.Attributes{Mode: mode}).Validate(); err == nil {
				t.Errorf("%s: mode %o: not refused", kind, mode)
			}
		}
		for _, mode := range []uint32{0, 0o644, 0o600, 0o400, 0o440, 0o755, 0o1777, 0o2775, 0o4750, 0o7777} {
			if err := validator(recipe.Attributes{Mode: mode}).Validate(); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

func TestOtherFieldsThatAreRefused(t *testing.T) {
	fill := func(content, placeholder string) resource.File {
		return resource.File{Path: "/a", Content: content, Fill: map[string]string{placeholder: "/k"}}
	}
	for name, bad := range map[string]recipe.Validator{
		"two lines":                      resource.Line{Path: "/a", Line: "a\nb"},
		"a carriage return":              resource.Line{Path: "/a", Line: "a\r"},
		"no line":                        resource.Line{Path: "/a"},
		"a key that is not its own":      resource.Line{Path: "/a", Line: "a = 1", Key: "b ="},
		"a secret without a name":        resource.Line{Path: "/a", Line: "a = 1", Secret: true},
		"a secret that is not its key's": resource.Line{Path: "/a", Line: "hunter2", Key: "b =", Secret: true},
		"no target":                      resource.Link{Path: "/a"},
		"a target of two lines":          resource.Link{Path: "/a", Target: "a\nb"},
		"no placeholder":                 fill("x\n", ""),
		"a placeholder of 2 lines":       fill("x\n", "a\nb"),
		"filled, no newline":             fill("x", "x"),
		"filled, NUL":                    fill("x\x00\n", "x"),
		"a long secret":                  resource.Secret{Path: "/a", Length: 1025},
		"a short secret":                 resource.Secret{Path: "/a", Length: -1},
		"a colon in a home":              resource.User{Name: "u", Home: "/a:b"},
		"what no guard reads":            resource.Command{Name: "c", Script: "x", Reads: []recipe.Key{recipe.PathKey("/a")}},
		"no script":                      resource.Command{Name: "c", Unless: "x"},
		"no name":                        resource.Command{Unless: "x", Script: "x"},
		"a name of two lines":            resource.Command{Name: "a\nb", Unless: "x", Script: "x"},
		"gone, with a check":             resource.Service{Unit: "u.service", Absent: true, Check: "x"},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		}
		if line, ok := bad.(resource.Line); ok && line.Secret && strings.Contains(bad.Validate().Error(), line.Line) {
			t.Errorf("%s: shown: %v", name, bad.Validate())
		}
	}
	if err := fill("x\n", "x").Validate(); err != nil {
		t.Error(err)
	}
}
