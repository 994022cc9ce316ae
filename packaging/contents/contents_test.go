package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// this is the program that runs the tests.
func this(t *testing.T) *program {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := read(executable)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// released is a program with all that a bill can say.
func released() *program {
	return &program{
		&debug.BuildInfo{
			GoVersion: "go1.26.8",
			Path:      "example.org/you/provision/cmd/provision",
			Main:      debug.Module{Path: "example.org/you/provision", Version: "v1.0.0"},
			Deps: []*debug.Module{
				{Path: "example.org/old", Version: "v2.0.0+incompatible"},
				{Path: "example.org/gone", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/new", Version: "v1.0.1"}},
			},
			Settings: []debug.BuildSetting{{Key: "GOARCH", Value: "arm64"}, {Key: "vcs.time", Value: "2026-11-29T21:41:07Z"}},
		},
		strings.Repeat("0a", 32),
	}
}

// A bill is as the standard says.
func TestBillIsCycloneDX(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, name := range []string{"bom-1.6", "spdx", "jsf-0.82"} {
		text, err := os.ReadFile("testdata/" + name + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource("http://cyclonedx.org/schema/"+name+".schema.json", document); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*program{this(t), released()} {
		var out bytes.Buffer
		if err := writeBill(&out, p); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		made, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(made); err != nil {
			t.Errorf("%s: %v", p.name(), err)
		}
		wrong := strings.Replace(text, `"SHA-256"`, `"SHA256"`, 1)
		if made, err := jsonschema.UnmarshalJSON(strings.NewReader(wrong)); err != nil || schema.Validate(made) == nil {
			t.Errorf("%s: a hash that there is not is none of the schema's business: %v", p.name(), err)
		}
	}
}

// A bill has all that others made, under names that databases of vulnerabilities know.
func TestBillNamesAll(t *testing.T) {
	var out bytes.Buffer
	if err := writeBill(&out, released()); err != nil {
		t.Fatal(err)
	}
	var made bill
	if err := json.Unmarshal(out.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, one := range made.Components {
		urls = append(urls, one.URL)
	}
	want := []string{
		"pkg:golang/example.org/new@v1.0.1", "pkg:golang/example.org/old@v2.0.0%2Bincompatible", "pkg:golang/std@1.26.8",
		"pkg:npm/statsd@0.9.0", "pkg:npm/uplot@1.6.32",
	}
	if fmt.Sprint(urls) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", urls, want)
	}
	if fmt.Sprint(made.Dependencies[0].On) != fmt.Sprint(want) {
		t.Errorf("linked in are %q, want %q", made.Dependencies[0].On, want)
	}
	if got, want := made.Metadata.Component.URL, "pkg:golang/example.org/you/provision@v1.0.0#cmd/provision"; got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
}

// What is brought to hosts is of the version that is said, and has its licence in the tree.
func TestBroughtIsWhatIsSaid(t *testing.T) {
	t.Chdir("../..")
	says := map[string]struct{ file, text string }{
		"statsd": {"internal/npm/statsd/package.json", `"version": "%s"`},
		"uplot":  {"templates/dashboard/page/uPlot.iife.min.js", "uPlot (v%s)"},
	}
	for _, part := range brought["provision"] {
		text, err := os.ReadFile(says[part.name].file)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(says[part.name].text, part.version); !strings.Contains(string(text), want) {
			t.Errorf("%s is not of %s", says[part.name].file, want)
		}
		if licence, err := os.ReadFile(part.licence); err != nil || !strings.Contains(string(licence), "Permission is hereby granted") {
			t.Errorf("%s: the licence is not that of %s: %v", part.name, part.spdx, err)
		}
	}
}

// The licences of what is in several programs are there, each once, and what has none is an error.
func TestLicences(t *testing.T) {
	var out bytes.Buffer
	p := this(t) // go test notes no modules in its programs
	p.Deps = []*debug.Module{{Path: "github.com/santhosh-tekuri/jsonschema/v6", Version: "v6.0.3"}}
	if err := writeLicences(&out, []*program{p, p}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"github.com/santhosh-tekuri/jsonschema/v6 v6.0.3\n====", "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
		"std " + strings.TrimPrefix(p.GoVersion, "go") + "\n====", "Redistributions in binary form", "Additional IP Rights Grant",
	} {
		if n := strings.Count(out.String(), want); n != 1 {
			t.Errorf("%q is there %d times", want, n)
		}
	}
	p.Deps[0].Path = "example.org/none"
	if err := writeLicences(&out, []*program{p}); err == nil {
		t.Error("a module that there is not has a licence")
	}
}
