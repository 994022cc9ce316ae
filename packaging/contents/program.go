package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"
)

// program is one that was built, with its SHA-256.
type program struct {
	*debug.BuildInfo
	digest string
}

// part is somebody else's work that is in a program.
type part struct {
	name, version string
	registry      string // as a package URL names it: golang or npm
	licence       string // its text's file, in this tree; "" of a module, which has its own
	spdx          string // the licence's name, where it is known
}

// brought are the parts that are no Go modules: files of others that the program brings to hosts.
// A test holds the versions against the files.
var brought = map[string][]part{
	"provision": {
		{"statsd", "0.9.0", "npm", "internal/npm/statsd/LICENSE", "MIT"},
		{"uplot", "1.6.32", "npm", "templates/dashboard/page/uPlot.LICENSE.txt", "MIT"},
	},
}

// standard is the name of Go's own library, as vulnerability databases have it.
const standard = "std"

// name is the program's.
func (p *program) name() string { return path.Base(p.Path) }

// parts are all that others made, by their names: the library of Go, the modules that are linked in, and
// what it brings.
func (p *program) parts() []part {
	all := []part{{name: standard, version: strings.TrimPrefix(p.GoVersion, "go"), registry: "golang"}}
	for _, module := range p.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		all = append(all, part{name: module.Path, version: module.Version, registry: "golang"})
	}
	all = append(all, brought[p.name()]...)
	slices.SortFunc(all, func(a, b part) int { return strings.Compare(a.url(), b.url()) })
	return all
}

// setting is what the go command noted of the build.
func (p *program) setting(key string) string {
	for _, setting := range p.Settings {
		if setting.Key == key {
			return setting.Value
		}
	}
	return ""
}

// url is the part's package URL (github.com/package-url/purl-spec).
func (p part) url() string {
	return "pkg:" + p.registry + "/" + p.name + "@" + strings.ReplaceAll(p.version, "+", "%2B")
}

func digestOf(file string) (string, error) {
	opened, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, opened); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
