package tasks

import "testing"

func TestClustersThatCannotBe(t *testing.T) {
	nodes := []any{"10.0.0.1", "10.0.0.2"}
	for _, c := range []struct {
		raw  map[string]any
		want string
	}{
		{map[string]any{"carbon_nodes": nodes}, ""},
		{map[string]any{"replication_factor": 3}, ""},
		{map[string]any{"carbon_nodes": nodes, "replication_factor": 3}, "replication_factor"},
		{map[string]any{"carbon_nodes": nodes, "carbon_pickle": true}, "carbon_pickle"},
	} {
		if name, err := checkCluster(values(t, Graphite(), c.raw)); name != c.want || (err == nil) != (name == "") {
			t.Errorf("%v: %q, %v; want %q", c.raw, name, err, c.want)
		}
	}
}
