package statistics

import (
	"encoding/json"
	"testing"
)

// Whatever is counted, a report can be written as JSON, which knows no infinity.
func TestEveryReportIsFinite(t *testing.T) {
	for name, variants := range map[string][]Variant{
		"values that cancel each other out": {
			{Label: "a", Trials: 1000, Successes: 1000, Values: 1000, Sum: 1e-3, Squares: 1e7},
			{Label: "b", Trials: 1000, Successes: 1000, Values: 1000, Sum: 500, Squares: 1e7}},
		"few beside a large plan": {
			{Label: "a", Trials: 30, Successes: 12, Values: 12, Sum: 12, Squares: 24},
			{Label: "b", Trials: 30, Successes: 15, Values: 15, Sum: 30, Squares: 90}},
		"no spread": {
			{Label: "a", Trials: 1000, Successes: 1000, Values: 1000, Sum: 1000, Squares: 1000},
			{Label: "b", Trials: 1000, Successes: 1000, Values: 1000, Sum: 2000, Squares: 4000}},
		"the largest": {
			{Label: "a", Trials: 1e6, Successes: 1e6, Values: 1e6, Sum: -1e15, Squares: 1e24},
			{Label: "b", Trials: 1e6, Successes: 1e6, Values: 1e6, Sum: 1e15, Squares: 1e24}},
	} {
		for _, kind := range []Kind{Unique, Value} {
			for _, alpha := range []float64{0.05, 1e-12, 0.999999} {
				for _, planned := range []int64{0, 900, 1e10} {
					goal := Goal{Name: "g", Kind: kind, Variants: variants}
					if planned == 900 {
						goal.AtSize = variants
					}
					for _, r := range Analyse([]Goal{goal}, Design{Plan: Plan{Alpha: alpha, TrialsPerVariant: planned}}) {
						if _, err := json.Marshal(r); err != nil {
							t.Errorf("%s, %s, %g, %d: %v", name, kind, alpha, planned, err)
						}
					}
				}
			}
		}
	}
}
