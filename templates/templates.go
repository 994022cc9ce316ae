// Package templates holds the configuration files that tasks write, a folder per
// system, and renders them. Nothing is left to chance: a name that the data does not
// have is an error with the template's file and line, and every value passes a function
// that knows the format it goes into (escape.go).
package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strings"
	"text/template"
)

//go:embed */*.tmpl
var files embed.FS

//go:embed dashboard/page
var pages embed.FS

// ErrUnknown is what Render wraps when there is no template of the given name.
var ErrUnknown = errors.New("no such template")

// ErrTooLong says that a template makes more than it may.
var ErrTooLong = errors.New("makes too long a text")

// Page returns the files of the dashboard's page, by name: they go to the host as they are.
func Page() map[string]string {
	const folder = "dashboard/page"
	found := map[string]string{}
	entries, err := fs.ReadDir(pages, folder)
	if err != nil { // it is embedded
		panic(err)
	}
	for _, entry := range entries {
		text, err := fs.ReadFile(pages, folder+"/"+entry.Name())
		if err != nil {
			panic(err)
		}
		found[entry.Name()] = string(text)
	}
	return found
}

// Render fills in the template of that name. An error reads
// "templates/graphite/carbon.conf.tmpl:12: <.Port>: can't evaluate field Port …".
func Render(name string, data any) (string, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("templates/%s: %w", name, ErrUnknown)
	}
	return render(name, string(text), data)
}

func render(name, text string, data any) (string, error) {
	parsed, err := Parse("templates/"+name, text)
	if err != nil {
		return "", err
	}
	return parsed.Render(data, math.MaxInt)
}

// Template is one that is parsed. It may be rendered from several goroutines at once.
type Template struct{ parsed *template.Template }

// Parse reads a template that is not of this package. The name is its file's, for errors.
func Parse(name, text string) (Template, error) {
	parsed, err := template.New(name).Option("missingkey=error").Funcs(functions()).Parse(text)
	if err != nil {
		return Template{}, located(name, err)
	}
	return Template{parsed}, nil
}

// Render fills in the template, as long as that makes no more than most bytes.
func (t Template) Render(data any, most int) (string, error) {
	out := bounded{left: most}
	if err := t.parsed.Execute(&out, data); err != nil {
		return "", located(t.parsed.Name(), err)
	}
	return out.text.String(), nil
}

// bounded takes so many bytes, and then ends what writes: a loop that is longer than it was meant
// takes no more memory than that.
type bounded struct {
	text bytes.Buffer
	left int
}

// Write implements io.Writer.
func (b *bounded) Write(text []byte) (int, error) {
	if b.left -= len(text); b.left < 0 {
		return 0, ErrTooLong
	}
	return b.text.Write(text)
}

// functions returns what templates may call: those of escape.go.
func functions() template.FuncMap {
	return template.FuncMap{
		"nginxValue":       nginxValue,
		"iniName":          iniName,
		"iniValue":         iniValue,
		"pythonString":     pythonString,
		"javascriptString": javascriptString,
		"unitValue":        unitValue,
		"unitWord":         unitWord,
		"unitAssignment":   unitAssignment,
		"uwsgiValue":       uwsgiValue,
		"address":          address,
		"prefix":           prefix,
		"redisValue":       redisValue,
		"lineValue":        lineValue,
	}
}

// The errors of text/template read `template: NAME:LINE:COLUMN: executing "NAME" at
// <.Field>: reason` and `template: NAME:LINE: reason`.
var place = regexp.MustCompile(`^template: ([^:]+):(\d+)(?::\d+)?: (?s:(.*))$`)

var executing = regexp.MustCompile(`^executing "[^"]*" at |error calling \w+: `)

func located(name string, err error) error {
	found := place.FindStringSubmatch(err.Error())
	if found == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	problem := executing.ReplaceAllString(found[3], "")
	return fmt.Errorf("%s:%s: %w", found[1], found[2], reworded{strings.TrimSpace(problem), err})
}

// reworded is an error with a shorter text.
type reworded struct {
	text string
	err  error
}

func (r reworded) Error() string { return r.text }

func (r reworded) Unwrap() error { return r.err }
