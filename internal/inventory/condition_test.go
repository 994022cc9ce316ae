package inventory

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitConditions(t *testing.T) {
	names, conditions, err := SplitConditions([]string{"web[1:3], !release=12", "task=shop*", "db,addresses==10.0.0.[12]"}, []string{"release", "addresses"})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range conditions {
		texts = append(texts, c.String())
	}
	if !slices.Equal(names, []string{"web[1:3]", "db"}) || !slices.Equal(texts, []string{"!release=12", "task=shop*", "addresses=10.0.0.[12]"}) {
		t.Errorf("%q, %q", names, texts)
	}
}

func TestConditionHolds(t *testing.T) {
	for text, hosts := range map[string]map[string]bool{
		"release=12":            {"12": true, "13": false, "": false},
		"!release=12":           {"12": false, "13": true, "": true},
		"release=1[23]":         {"12": true, "13": true, "14": false},
		"addresses=10.0.0.1":    {"192.0.2.1 10.0.0.1": true, "10.0.0.11": false},
		"!addresses=10.*":       {"192.0.2.1 10.0.0.1": false, "192.0.2.1": true},
		"addresses=2001:db8::*": {"2001:db8::1": true},
	} {
		_, conditions, err := SplitConditions([]string{text}, []string{"release", "addresses"})
		if err != nil || len(conditions) != 1 {
			t.Fatalf("%s: %v, %v", text, conditions, err)
		}
		for values, want := range hosts {
			if got := conditions[0].Holds(strings.Fields(values)); got != want {
				t.Errorf("%s of %q: %v", text, values, got)
			}
		}
	}
}
