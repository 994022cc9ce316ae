package recipe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"provision/internal/recipe"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	const text = "p4ssw0rd"
	secret := recipe.NewSecret(text)
	type visible struct{ Secret recipe.Secret }
	type hidden struct{ secret recipe.Secret }
	values := map[string]any{
		"itself": secret, "a pointer": &secret, "a field": visible{secret}, "a pointer to a struct": &visible{secret},
		"an unexported field": hidden{secret}, "a deep one": []any{map[string]any{"x": &hidden{secret}}},
		"a list": []recipe.Secret{secret}, "a map": map[string]recipe.Secret{"x": secret}, "values": recipe.Values{"x": secret},
		"a step": recipe.Exec{Name: "x", Input: secret}, "a check": recipe.HTTPCheck{Password: secret},
		"an error": fmt.Errorf("x: %v: %w", secret, errors.New("y")),
	}
	for name, value := range values {
		var said strings.Builder
		for _, verb := range []string{"v", "+v", "#v", "s", "q", "x", "X", "d", "t", "T", "p", "10s", "-10v", "U", "c", "e", "b", "o"} {
			fmt.Fprintf(&said, "%"+verb+"\n", value)
		}
		fmt.Fprintln(&said, value)
		if out, err := json.Marshal(value); err == nil {
			said.Write(out)
		}
		if out, err := yaml.Marshal(value); err == nil {
			said.Write(out)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		said.Write(log.Bytes())
		for _, form := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), "112 52"} {
			if strings.Contains(said.String(), form) {
				t.Errorf("%s: printed as\n%s", name, said.String())
			}
		}
	}
	if got := fmt.Sprint(secret); got != "[secret]" {
		t.Errorf("printed as %q", got)
	}
	if out, err := json.Marshal(visible{secret}); err != nil || string(out) != `{"Secret":"[secret]"}` {
		t.Errorf("JSON %s, %v", out, err)
	}
}

func TestSecret(t *testing.T) {
	a, b := recipe.NewSecret("x"), recipe.NewSecret("x")
	if a.Reveal() != "x" || a.Empty() || a != b || !reflect.DeepEqual(a, b) {
		t.Errorf("two secrets of one text: %q %q", a.Reveal(), b.Reveal())
	}
	if other := recipe.NewSecret("y"); a == other || reflect.DeepEqual(a, other) {
		t.Error("two secrets of two texts are equal")
	}
	for _, empty := range []recipe.Secret{{}, recipe.NewSecret("")} {
		if !empty.Empty() || empty.Reveal() != "" || empty != (recipe.Secret{}) || fmt.Sprint(empty) != "[secret]" {
			t.Errorf("the empty secret: %q", empty.Reveal())
		}
	}
}

// A secret that cannot be read here is taken whatever its variable wants of it: check has to work
// without keys.
func TestUnknownSecretIsTaken(t *testing.T) {
	never := func(any) error { return errors.New("no") }
	for _, v := range []recipe.Variable{
		{Name: "url", Type: recipe.TypeSecret, Check: never},
		{Name: "domain", Type: recipe.TypeString, Check: never},
		{Name: "one", Type: recipe.TypeString, Choices: []string{"a"}},
	} {
		if _, err := v.Decode(recipe.UnknownSecret()); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		if _, err := v.Decode(recipe.NewSecret("b")); err == nil {
			t.Errorf("%s: takes what it refuses", v.Name)
		}
	}
}
