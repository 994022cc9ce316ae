package store

import (
	"testing"

	"provision/internal/gimel/event"
)

// A bucket that is split must send its entries only to itself and the new one.
func TestSplittingMovesEntriesOnlyToTheNewBucket(t *testing.T) {
	for n := int64(1); n < 300; n++ {
		from := n - levelOf(n)
		for fingerprint := range int64(2000) {
			before, after := bucketOf(fingerprint, n), bucketOf(fingerprint, n+1)
			if before < 0 || before >= n {
				t.Fatalf("bucketOf(%d, %d) = %d", fingerprint, n, before)
			}
			if after != before && (before != from || after != n) {
				t.Fatalf("%d moves from %d to %d when bucket %d of %d is split", fingerprint, before, after, from, n)
			}
		}
	}
}

func TestFingerprintDependsOnKeyExperimentAndUUIDOnly(t *testing.T) {
	first := newFingerprinter([]byte("one"))
	e := event.Event{Namespace: "n", Experiment: "e", Name: "participate", Variant: "v", UUID: "u"}
	base := first.of(e)
	same := e
	same.Name, same.Variant = "goal", "w"
	if first.of(same) != base || base < 0 {
		t.Error("event or variant change the fingerprint, or it is negative")
	}
	for name, other := range map[string]event.Event{
		"uuid":       {Namespace: "n", Experiment: "e", UUID: "x"},
		"experiment": {Namespace: "n", Experiment: "f", UUID: "u"},
		"namespace":  {Namespace: "m", Experiment: "e", UUID: "u"},
		"border":     {Namespace: "ne", Experiment: "", UUID: "u"},
	} {
		if first.of(other) == base {
			t.Errorf("another %s gives the same fingerprint", name)
		}
	}
	if newFingerprinter([]byte("two")).of(e) == base {
		t.Error("another key gives the same fingerprint")
	}
}
