package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/bits"
	"sync"

	"provision/internal/gimel/event"
)

// A uuid is kept as a fingerprint: 63 bits of its HMAC, an integer. A set of
// up to 512 integers (set-max-intset-entries) is one flat array of 8 bytes
// each, so a counter is spread over buckets that stay below that.
//
// Buckets grow by linear hashing: whenever a counter holds more than
// bucketFill entries a bucket on average, the next bucket in turn is split in
// two. Buckets that wait for their turn hold up to twice the average, 380;
// chance adds about 20 (one standard deviation), so 512 is more than six
// deviations away. A bucket beyond it would cost memory, not correctness.
//
// Two uuids of one counter share a fingerprint with odds of n²/2⁶⁴: 5e-8 for a
// counter of a million, 5e-6 for one of ten million; then one is not counted.
const bucketFill = 190

// bucketOf gives the bucket of a fingerprint in a counter of n buckets.
func bucketOf(fingerprint, n int64) int64 {
	level := levelOf(n)
	if number := fingerprint & (2*level - 1); number < n {
		return number
	}
	return fingerprint & (level - 1)
}

// levelOf is the largest power of two that is not above n.
func levelOf(n int64) int64 { return 1 << (bits.Len64(uint64(n)) - 1) }

// fingerprinter makes fingerprints with one key. It is safe for concurrent use.
type fingerprinter struct{ pool sync.Pool }

func newFingerprinter(key []byte) *fingerprinter {
	return &fingerprinter{pool: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// of gives the fingerprint of an event's uuid. Namespace and experiment are
// part of it, so that Redis does not tell which experiments share a visitor.
func (f *fingerprinter) of(e event.Event) int64 {
	mac := f.pool.Get().(hash.Hash)
	defer f.pool.Put(mac)
	mac.Reset()
	buffer := make([]byte, 0, 256)
	for _, text := range [...]string{e.Namespace, e.Experiment, e.UUID} {
		buffer = append(append(buffer, text...), 0)
	}
	mac.Write(buffer)
	sum := mac.Sum(buffer[:0])
	return int64(binary.BigEndian.Uint64(sum) >> 1)
}
