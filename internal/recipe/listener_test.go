package recipe

import "testing"

func TestEndpointsOverlap(t *testing.T) {
	for _, test := range []struct {
		one, other string
		want       bool
	}{
		{":80", ":80", true},
		{":80", ":81", false},
		{":80", "127.0.0.1:80", true},
		{"0.0.0.0:80", "[::1]:80", true},
		{"127.0.0.1:80", "127.0.0.1:80", true},
		{"127.0.0.1:80", "[::1]:80", false},
		{"127.0.0.1:80", "127.0.0.2:80", false},
	} {
		one, err := ParseEndpoint(test.one)
		if err != nil {
			t.Fatal(err)
		}
		other, err := ParseEndpoint(test.other)
		if err != nil {
			t.Fatal(err)
		}
		if one.Overlaps(other) != test.want || other.Overlaps(one) != test.want {
			t.Errorf("%s and %s: %v, want %v", one, other, !test.want, test.want)
		}
	}
}
