package store

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"provision/internal/gimel/redistest"
)

// The script's remainders of 63 bit integers in Lua's floating point, below and
// above 2^15 buckets.
func TestSplitMovesWhatBelongsToTheNewBucket(t *testing.T) {
	client := redistest.Start(t).Client()
	random := rand.New(rand.NewPCG(1, 2))
	for _, buckets := range []int64{1, 3, 512, 1 << 15, 1<<16 + 5, 1 << 20} {
		client.FlushAll(t.Context())
		level := levelOf(buckets)
		client.HSet(t.Context(), "meta", "id", "id", "n:c", buckets)
		var stay, move []string
		for range 400 {
			fingerprint := random.Int64()
			fingerprint -= fingerprint % (2 * level) // now of bucket 0 of 2·level
			fingerprint += buckets - level           // of the bucket to split
			if random.IntN(2) == 0 && fingerprint < 1<<62 {
				fingerprint += level
				move = append(move, strconv.FormatInt(fingerprint, 10))
			} else {
				stay = append(stay, strconv.FormatInt(fingerprint, 10))
			}
			client.SAdd(t.Context(), "from", fingerprint)
		}
		err := newScripts().split.Run(t.Context(), client, []string{"meta", "from", "to"},
			"id", "c", strconv.FormatInt(buckets, 10), 2*level, buckets).Err()
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string][]string{"from": stay, "to": move} {
			got, err := client.SMembers(t.Context(), key).Result()
			slices.Sort(got)
			slices.Sort(want)
			if err != nil || !slices.Equal(got, slices.Compact(want)) {
				t.Errorf("%d buckets: %s has %d members, want %d; %v", buckets, key, len(got), len(want), err)
			}
		}
	}
}
