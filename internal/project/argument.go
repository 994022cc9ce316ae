package project

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// The types of arguments: how each is written, and what it is read to.

// text is a parameter that takes a text: a string. No secret may be in it.
func text(name, help string) Parameter {
	return Parameter{Name: name, Type: "text", Help: help, read: func(c *call, v starlark.Value) (any, error) { return c.text(v) }}
}

func (c *call) text(v starlark.Value) (string, error) {
	if _, is := v.(*secret); is {
		return "", c.public(v.String())
	}
	s, ok := starlark.AsString(v)
	if !ok {
		return "", fmt.Errorf("want a text, found %s", c.found(v))
	}
	if strings.Contains(s, "\x00") {
		return "", fmt.Errorf("has a NUL in it")
	}
	return s, c.public(s)
}

// found describes a value that is of another type.
func (c *call) found(v starlark.Value) string {
	shown := []rune(c.project.shownText(v))
	if len(shown) > 40 {
		shown = append(shown[:39], '…')
	}
	switch v.(type) {
	case starlark.Callable:
		return "the function " + string(shown)
	case starlark.NoneType:
		return "None"
	}
	return fmt.Sprintf("%s %s", article(v.Type()), string(shown))
}

// article names a type of Starlark in words.
func article(kind string) string {
	switch kind {
	case "string":
		return "the text"
	case "int", "float":
		return "the number"
	}
	return "the " + kind
}

// hostPath is a parameter that takes a path on the host.
func hostPath(name, help string) Parameter {
	p := text(name, help)
	p.Type = "path"
	return p
}

// texts is a parameter that takes a list of texts.
func texts(name, help string) Parameter {
	return Parameter{Name: name, Type: "list of texts", Help: help, read: func(c *call, v starlark.Value) (any, error) { return c.texts(v) }}
}

func (c *call) texts(v starlark.Value) ([]string, error) {
	if s, ok := v.(starlark.String); ok {
		return nil, plain(fmt.Sprintf("want a list of texts, found %s", c.found(v)), fmt.Sprintf("[%s]", c.project.shownText(s)))
	}
	list, ok := v.(starlark.Iterable)
	if _, dict := v.(*starlark.Dict); !ok || dict {
		return nil, fmt.Errorf("want a list of texts, found %s", c.found(v))
	}
	var all []string
	for one := range starlark.Elements(list) {
		s, err := c.text(one)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// named is a parameter that takes a dict of texts.
func named(name, help string) Parameter {
	return Parameter{Name: name, Type: "dict of texts", Help: help, read: func(c *call, v starlark.Value) (any, error) {
		dict, ok := v.(*starlark.Dict)
		if !ok {
			return nil, fmt.Errorf("want a dict of texts, found %s", c.found(v))
		}
		all := map[string]string{}
		for _, item := range dict.Items() {
			key, err := c.text(item[0])
			if err != nil {
				return nil, err
			}
			if all[key], err = c.text(item[1]); err != nil {
				return nil, err
			}
		}
		return all, nil
	}}
}

// truth is a parameter that takes True or False.
func truth(name, help string) Parameter {
	return Parameter{Name: name, Type: "True or False", Default: "False", Help: help, read: func(c *call, v starlark.Value) (any, error) {
		b, ok := v.(starlark.Bool)
		if !ok {
			return nil, fmt.Errorf("want True or False, found %s", c.found(v))
		}
		return bool(b), nil
	}}
}

// number is a parameter that takes a whole number.
func number(name, help string) Parameter {
	return Parameter{Name: name, Type: "number", Help: help, read: func(c *call, v starlark.Value) (any, error) { return c.number(v) }}
}

// positive is a parameter that takes a whole number from 1 up.
func positive(name, help string) Parameter {
	return Parameter{Name: name, Type: "number", Help: help, read: func(c *call, v starlark.Value) (any, error) {
		n, err := c.number(v)
		if err == nil && n < 1 {
			return 0, fmt.Errorf("want 1 or more, found %d", n)
		}
		return n, err
	}}
}

func (c *call) number(v starlark.Value) (int, error) {
	if _, ok := v.(starlark.Int); !ok {
		return 0, fmt.Errorf("want a whole number, found %s", c.found(v))
	}
	n, err := starlark.AsInt32(v)
	if err != nil {
		return 0, fmt.Errorf("want a smaller number than %s", v)
	}
	return n, nil
}

var octalMode = regexp.MustCompile(`^0?[0-7]{3,4}$`)

// mode is a parameter that takes the permissions of a file, as chmod(1) has them.
func mode(standard string) Parameter {
	return Parameter{Name: "mode", Type: "octal text", Default: strconv.Quote(standard), Help: "Its permissions, as chmod has them.", read: func(c *call, v starlark.Value) (any, error) {
		if n, ok := v.(starlark.Int); ok {
			return nil, plain(fmt.Sprintf("want a text of octal digits, found the number %s", n), "put it in quotes, as it is typed for chmod: mode = \""+standard+"\"")
		}
		s, err := c.text(v)
		if err != nil {
			return nil, err
		}
		if !octalMode.MatchString(s) {
			return nil, plain(fmt.Sprintf("%q is no octal mode", s), "three or four digits from 0 to 7, as chmod has them: mode = \""+standard+"\"")
		}
		bits, err := strconv.ParseUint(s, 8, 32)
		return uint32(bits), err
	}}
}

// duration is a parameter that takes a time.
func duration(name, help string) Parameter {
	return Parameter{Name: name, Type: "time", Help: help, read: func(c *call, v starlark.Value) (any, error) {
		s, err := c.text(v)
		if err != nil {
			return nil, err
		}
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return nil, plain(fmt.Sprintf("%q is no time", s), "write it as \"10s\" or \"2m\"")
		}
		return d, nil
	}}
}

// content is what may have a secret in it.
type content struct {
	text   string
	secret bool
}

// contentOf is a parameter that takes a text which may have secrets in it.
func contentOf(name, help string) Parameter {
	return Parameter{Name: name, Type: "text", Help: help, read: func(c *call, v starlark.Value) (any, error) {
		if s, ok := v.(*secret); ok {
			return content{s.text.Reveal(), true}, nil
		}
		s, ok := starlark.AsString(v)
		if !ok {
			return nil, fmt.Errorf("want a text, found %s", c.found(v))
		}
		revealed, has, err := c.revealed(s)
		return content{revealed, has}, err
	}}
}

var unitForm = regexp.MustCompile(`^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|path|mount)$`)

// unit is a parameter that takes the name of a systemd unit, with its suffix.
func unit(name, help string) Parameter {
	return Parameter{Name: name, Type: "unit", Help: help, read: func(c *call, v starlark.Value) (any, error) { return c.unit(v) }}
}

func (c *call) unit(v starlark.Value) (string, error) {
	s, err := c.text(v)
	if err != nil {
		return "", err
	}
	return s, checkUnit(s)
}

func checkUnit(name string) error {
	if unitForm.MatchString(name) {
		return nil
	}
	if !strings.Contains(name, ".") && unitForm.MatchString(name+".service") {
		return plain(recipe.Quoted(name)+": a unit is named with its suffix", recipe.Quoted(name+".service"))
	}
	return plain(recipe.Quoted(name)+" is no unit", "as \"shop.service\", \"shop.timer\", \"shop.socket\"")
}

// units is a parameter that takes a list of units.
func units(name, help string) Parameter {
	p := texts(name, help)
	p.Type = "list of units"
	read := p.read
	p.read = func(c *call, v starlark.Value) (any, error) {
		all, err := read(c, v)
		if err != nil {
			return nil, err
		}
		for _, one := range all.([]string) {
			if err := checkUnit(one); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return p
}

// keys is a parameter that takes what a host can be asked about.
func keys(name, help string) Parameter {
	return keysOf(name, help, recipe.KindUser, recipe.KindGroup, recipe.KindPackage)
}

// keysOf is one that takes paths, units, and things of some other kinds.
func keysOf(name, help string, kinds ...recipe.Kind) Parameter {
	form := "list of paths, units"
	for _, kind := range kinds {
		form += ", " + string(kind) + ":NAME"
	}
	return Parameter{
		Name: name, Type: form, Help: help,
		read: func(c *call, v starlark.Value) (any, error) {
			names, err := c.texts(v)
			if err != nil {
				return nil, err
			}
			all := []recipe.Key{} // an empty list says something: nothing
			for _, name := range names {
				key, err := keyOf(name, kinds)
				if err != nil {
					return nil, err
				}
				all = append(all, key)
			}
			return all, nil
		},
	}
}

func keyOf(name string, kinds []recipe.Kind) (recipe.Key, error) {
	kind, rest, prefixed := strings.Cut(name, ":")
	switch {
	case strings.HasPrefix(name, "/"):
		return recipe.PathKey(name), nil
	case prefixed && slices.Contains(kinds, recipe.Kind(kind)) && rest != "":
		return recipe.Key{Kind: recipe.Kind(kind), Name: rest}, nil
	case checkUnit(name) == nil:
		return recipe.UnitKey(name), nil
	}
	return recipe.Key{}, plain(recipe.Quoted(name)+" is neither a path nor a unit", `as "/etc/shop.conf", "shop.service", "user:shop", "group:shop", "package:shop"`)
}

func required(p Parameter) Parameter {
	p.Required = true
	return p
}

// byName is a parameter that can only be given by its name.
func byName(p Parameter) Parameter {
	p.ByName = true
	return p
}

// or is a parameter with what it is without.
func or(p Parameter, standard string) Parameter {
	p.Default = standard
	return p
}
