package event

import (
	"strings"
	"testing"
)

const valid = "experiment=button+color&uuid=u1&variant=blue&event=participate&namespace=shop"

func TestParseReadsWhatAlephBetSends(t *testing.T) {
	got, reason := Parse(valid, DefaultLimits)
	want := Event{Namespace: "shop", Experiment: "button color", Name: "participate", Variant: "blue", UUID: "u1"}
	if reason != "" || got != want {
		t.Fatalf("Parse = %+v, %q; want %+v", got, reason, want)
	}
}

func TestParseDefaultsTheNamespace(t *testing.T) {
	got, reason := Parse("experiment=e&uuid=u&variant=v&event=g", DefaultLimits)
	if reason != "" || got.Namespace != "alephbet" {
		t.Fatalf("Parse = %+v, %q", got, reason)
	}
}

func TestParseGivesTheReasonOfADrop(t *testing.T) {
	long := strings.Repeat("a", 129)
	tests := map[string]struct {
		query string
		want  Reason
	}{
		"empty":                    {"", MissingParameter},
		"no uuid":                  {"experiment=e&variant=v&event=g", MissingParameter},
		"no variant":               {"experiment=e&uuid=u&event=g", MissingParameter},
		"no event":                 {"experiment=e&uuid=u&variant=v", MissingParameter},
		"no experiment":            {"uuid=u&variant=v&event=g", MissingParameter},
		"broken escape":            {"experiment=%zz&uuid=u&variant=v&event=g", BadQuery},
		"semicolon":                {"experiment=e;f&uuid=u&variant=v&event=g", BadQuery},
		"colon in experiment":      {"experiment=a:b&uuid=u&variant=v&event=g", Colon},
		"colon in variant":         {"experiment=e&uuid=u&variant=v%3aw&event=g", Colon},
		"colon in event":           {"experiment=e&uuid=u&variant=v&event=g:", Colon},
		"colon in namespace":       {"experiment=e&uuid=u&variant=v&event=g&namespace=:", Colon},
		"newline":                  {"experiment=e%0a&uuid=u&variant=v&event=g", BadCharacter},
		"NUL in uuid":              {"experiment=e&uuid=%00&variant=v&event=g", BadCharacter},
		"DEL":                      {"experiment=e&uuid=u&variant=%7f&event=g", BadCharacter},
		"right-to-left override":   {"experiment=%E2%80%AE&uuid=u&variant=v&event=g", BadCharacter},
		"not UTF-8":                {"experiment=%ff&uuid=u&variant=v&event=g", BadCharacter},
		"long experiment":          {"experiment=" + long + "&uuid=u&variant=v&event=g", TooLong},
		"long uuid":                {"experiment=e&uuid=" + long + "&variant=v&event=g", TooLong},
		"query of 10 MB":           {"experiment=" + strings.Repeat("a", 10<<20), QueryTooLong},
		"many unknown parameters":  {valid + strings.Repeat("&x=y", 4096), QueryTooLong},
		"colon in uuid is allowed": {"experiment=e&uuid=a:b&variant=v&event=g", ""},
		"umlaut is allowed":        {"experiment=%C3%BC&uuid=u&variant=v&event=g", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, got := Parse(test.query, DefaultLimits); got != test.want {
				t.Errorf("reason = %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(valid)
	f.Fuzz(func(t *testing.T, query string) {
		got, reason := Parse(query, DefaultLimits)
		if reason == "" && (got.Experiment == "" || strings.ContainsAny(got.Experiment+got.Name+got.Variant, ":\n\x00")) {
			t.Errorf("accepted %+v", got)
		}
	})
}
