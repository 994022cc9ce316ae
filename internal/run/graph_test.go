package run

import "testing"

// Graphite writes what is beyond a double as 1e9999: one such point, which carbon takes from anybody, is not drawn,
// and all others are.
func TestGraphWithInfinity(t *testing.T) {
	g, err := parseGraph([]byte(`[{"target": "load", "datapoints": [[1, 10], [1e9999, 20], [-1e9999, 30], [null, 40], [2.5, 50]]}]`))
	if err != nil {
		t.Fatal(err)
	}
	values := g.Series[0].Values
	if len(values) != 5 || *values[0] != 1 || values[1] != nil || values[2] != nil || values[3] != nil || *values[4] != 2.5 || g.Until != 50 {
		t.Errorf("got %v until %d", values, g.Until)
	}
}
