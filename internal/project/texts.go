package project

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
	"provision/templates"
)

// textWords make texts.
func textWords() []*Word {
	return []*Word{{
		Name: "template", Group: Texts, Manual: "pkg.go.dev/text/template",
		About: "The text that a template makes of values: {{ .domain }}. It is in templates/ beside the task, or beside the inventory. A value that it names and does not get is an error. " +
			"What goes into a configuration passes a function that knows its format: nginxValue, iniName, iniValue, pythonString, javascriptString, unitValue, unitWord, unitAssignment, uwsgiValue, redisValue, address, prefix, lineValue. Of a secret the whole text is one.",
		Example:    "file(\"/etc/nginx/sites-available/shop\", template(\"site.tmpl\", domain = v.domain), notify = reload(\"nginx.service\"))",
		Parameters: []Parameter{required(text("file", "The template's file.")), {Name: anyName, Type: "any", Help: "The values, by the names that the template has for them."}},
		returns:    fillIn,
	}}
}

func fillIn(c *call) (starlark.Value, error) {
	parsed, err := c.template(given[string](c, "file"))
	if err != nil {
		return nil, err
	}
	plainly := plainer{building: c.building}
	data := map[string]any{}
	for _, pair := range c.rest {
		name := string(pair[0].(starlark.String))
		if data[name], err = plainly.value(pair[1]); err != nil {
			return nil, plain("template: "+name+": "+err.Error(), adviceOf(err))
		}
	}
	text, err := parsed.Render(data, maxContent)
	switch {
	case errors.Is(err, templates.ErrTooLong):
		return nil, plain(fmt.Sprintf("template: makes more than %d MiB, which is not written", maxContent>>20), "look for a loop in it that is longer than it was meant")
	case err != nil:
		return nil, plain("template: "+plainly.scrubbed(err.Error()), templateAdvice(err, data))
	}
	if len(plainly.secrets) > 0 {
		return &secret{recipe.NewSecret(text), c.building}, nil
	}
	return starlark.String(text), nil
}

// template returns a template of the project, which is parsed.
func (c *call) template(wanted string) (templates.Template, error) {
	return once(c.building, asked{c.file, templateFolder, wanted, "template"}, func() (templates.Template, error) {
		place, text, err := c.project.use(c.file, templateFolder, wanted, maxContent)
		if err != nil {
			return templates.Template{}, plain("template: "+err.Error(), adviceOf(err))
		}
		parsed, err := templates.Parse(c.project.shown(place), text)
		if err != nil {
			return templates.Template{}, plain("template: "+err.Error(), "templates are Go's: pkg.go.dev/text/template")
		}
		return parsed, nil
	})
}

func adviceOf(err error) string {
	if a, ok := err.(*advised); ok {
		return a.advice
	}
	return ""
}

// templateAdvice says what to do about a template that cannot be filled in.
func templateAdvice(err error, data map[string]any) string {
	if errors.Is(err, templates.ErrUnfit) {
		return "check the value where it comes from: what it holds cannot stand in that format"
	}
	if name, found := strings.CutPrefix(afterLast(err.Error(), "map has no entry for key "), `"`); found {
		name = strings.TrimSuffix(name, `"`)
		var names []string
		for given := range data {
			names = append(names, given)
		}
		if near := recipe.Nearest(name, names); near != "" {
			return "the template says ." + name + ", the call " + near + " = …"
		}
		return fmt.Sprintf("give it the value: template(…, %s = …)", name)
	}
	return "templates are Go's: pkg.go.dev/text/template"
}

func afterLast(text, sep string) string {
	if at := strings.LastIndex(text, sep); at >= 0 {
		return text[at+len(sep):]
	}
	return ""
}

// plainer makes Go's values of Starlark's, for a template, with the secrets in them.
type plainer struct {
	building *building
	secrets  []string
}

func (p *plainer) value(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		n, ok := v.Int64()
		if !ok {
			return nil, plain("a number that is too big", "write it as a text")
		}
		return n, nil
	case starlark.Float:
		return float64(v), nil
	case *secret:
		p.secrets = append(p.secrets, v.text.Reveal())
		return v.text.Reveal(), nil
	case starlark.String:
		text, has, err := p.building.revealed(string(v))
		if has {
			p.secrets = append(p.secrets, text)
		}
		return text, err
	case *starlark.Dict:
		return p.dict(v)
	case starlark.Iterable:
		all := []any{}
		for one := range starlark.Elements(v) {
			value, err := p.value(one)
			if err != nil {
				return nil, err
			}
			all = append(all, value)
		}
		return all, nil
	}
	return nil, plain(fmt.Sprintf("%s is no value for a template", v.Type()), "name the values that it needs, one by one: domain = v.domain")
}

func (p *plainer) dict(dict *starlark.Dict) (any, error) {
	all := map[string]any{}
	for _, item := range dict.Items() {
		key, ok := starlark.AsString(item[0])
		if !ok {
			return nil, plain("a dict whose keys are no texts", "{\"name\": …}")
		}
		var err error
		if all[key], err = p.value(item[1]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// scrubbed is an error without the secrets that it may repeat.
func (p *plainer) scrubbed(text string) string {
	for _, word := range p.secrets {
		if word != "" {
			quoted := strconv.Quote(word)
			for _, form := range []string{quoted, quoted[1 : len(quoted)-1], word} { // the second within a longer text
				text = strings.ReplaceAll(text, form, "[secret]")
			}
		}
	}
	return text
}
