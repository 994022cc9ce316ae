package main

import (
	"encoding/json"
	"io"
	"strings"
)

// The bill of materials is CycloneDX 1.6 (ECMA-424), in JSON.
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

// metadata has the time of the commit instead of that of the build: the same commit is the same bill.
type metadata struct {
	Timestamp string    `json:"timestamp,omitempty"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []licence  `json:"licenses,omitempty"`
	URL        string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type licence struct {
	Licence licenceName `json:"license"`
}

type licenceName struct {
	ID string `json:"id"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// dependency says what is linked into the program; who of these imports whom is not noted in it.
type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn,omitempty"`
}

func writeBill(out io.Writer, p *program) error {
	main := component{
		Type: "application", Name: p.name(), Version: p.Main.Version,
		URL:      part{name: p.Main.Path, version: p.Main.Version, registry: "golang"}.url() + "#" + strings.TrimPrefix(p.Path, p.Main.Path+"/"),
		Hashes:   []hash{{"SHA-256", p.digest}},
		Licences: []licence{{licenceName{"MIT"}}},
	}
	main.Ref = main.URL
	for _, key := range []string{"GOOS", "GOARCH", "CGO_ENABLED", "vcs.revision"} {
		if value := p.setting(key); value != "" {
			main.Properties = append(main.Properties, property{"build:" + key, value})
		}
	}
	made := bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{p.setting("vcs.time"), main}}
	linked := dependency{Ref: main.Ref}
	for _, part := range p.parts() {
		one := component{Type: "library", Ref: part.url(), Name: part.name, Version: part.version, URL: part.url()}
		if part.spdx != "" {
			one.Licences = []licence{{licenceName{part.spdx}}}
		}
		made.Components = append(made.Components, one)
		linked.On = append(linked.On, one.Ref)
	}
	made.Dependencies = []dependency{linked}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(made)
}
