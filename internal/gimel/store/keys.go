package store

import (
	"strconv"
	"strings"
)

// The keys of exact counting. {tag} is "{namespace:experiment}", a Redis
// Cluster hash tag: one experiment lives on one shard, so one script may touch
// all its keys. A script is given all keys that it touches: so a cluster that
// moves them to another shard says where they are before anything is done.
//
//	gimel:{tag}                               hash, the experiment:
//	    id            random, part of every other key: a deleted experiment's
//	                  leftovers cannot meet those of a new one of that name
//	    state         running | archived
//	    created       Unix time
//	    counters      how many counters there are
//	    c:EVENT:VARIANT   count
//	    n:EVENT:VARIANT   number of buckets (absent: 1)
//	    b:EVENT:VARIANT   base, imported from another Redis; added to the count
//	    variants, v:VARIANT   declared variants: their place and weight
//	    m:, s:, q:EVENT:VARIANT   of a goal that counts values: of how many uuids,
//	                  their sum, and that of their squares; of a count: of how many
//	                  the visitor is known, and the visitors' numbers likewise
//	    goals, g:GOAL         declared goals: "PLACE KIND MAX key", without what is not
//	                  said at the end; MAX may be -, and all once had the place 1
//	    k:GOAL        the kind that it had when participants came
//	    o:GOAL        how many of its events were dropped for being above the most
//	    ramped        Unix time of the first change of the weights under traffic
//	    replanned     Unix time of the first change of what else verdicts go by under
//	                  traffic, and what was planned before and the control: "TIME
//	                  PLANNED CONTROL"
//	    f:GOAL        then, the goals of before: 0 is the primary one, 1 each other
//	    planned           planned participants a variant
//	    gap, missed   Unix time of the first event that is counted and was not logged,
//	                  and how many there are; until they have their rows
//	gimel:{tag}:ID:events                     stream, the log: c EVENT:VARIANT, f what was new,
//	                                          8 bytes a fingerprint, x their values, if they
//	                                          have any; see eventlog.go
//	gimel:{tag}:ID:EVENT:VARIANT:NUMBER       set, a bucket of fingerprints
//	gimel:{tag}:ID:EVENT:VARIANT:days         hash, day (UTC) to count; DAY:s and DAY:q
//	                                          to the sums of values and of their squares
//	gimel:{tag}:ID:notes                      hash, what people say of it: see Notes
//	gimel:{tag}:ID:log                        list of "UNIX-TIME TEXT"
//	gimel:{tag}:ID:told                       hash, what a webhook has told, and when
//	gimel:{tag}:ID:EVENT:VARIANT:by:NUMBER    hash, of a count: visitor to number
//	gimel:{tag}:ID:discarded                  hash, an experiment being deleted; evicted where
//	                                          it has made room
//	gimel:{experiments}:declared              set of namespace:experiment
//	gimel:{experiments}:undeclared            set of namespace:experiment
//	gimel:{experiments}:discarded             set of namespace:experiment:ID, of which something
//	                                          may be left; not of one that is there
//	gimel:{experiments}:evicted               set of namespace:experiment:ID, whose rows
//	                                          are to go too; see missed.go
//	gimel:{telling}                           Unix time since when a webhook is told
//	gimel:{lock:NAME}                         who does what one process does at a time
//	gimel:{ready:NUMBER}                      written and removed: is its shard well?
const (
	declaredKey   = "gimel:{experiments}:declared"
	undeclaredKey = "gimel:{experiments}:undeclared"
	discardedKey  = "gimel:{experiments}:discarded"
	evictedKey    = "gimel:{experiments}:evicted"
	tellingKey    = "gimel:{telling}"
)

// A '}' in a name would end the hash tag early.
var tagEscape = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D")

func experimentKey(namespace, experiment string) string {
	return "gimel:{" + tagEscape.Replace(namespace) + ":" + tagEscape.Replace(experiment) + "}"
}

func bucketKey(experimentKey, id, counter string, number int64) string {
	return experimentKey + ":" + id + ":" + counter + ":" + strconv.FormatInt(number, 10)
}

func daysKey(experimentKey, id, counter string) string {
	return experimentKey + ":" + id + ":" + counter + ":days"
}

func eventsKey(experimentKey, id string) string { return experimentKey + ":" + id + ":events" }

// tallies is how many hashes hold the visitors of a count.
const tallies = 256

// tallyOf is the one that holds a visitor: by his last six digits, as a script
// has chosen it, for its numbers hold no more.
func tallyOf(visitor int64) int { return int(visitor % 1e6 % tallies) }

func tallyKey(experimentKey, id, counter string, number int) string {
	return experimentKey + ":" + id + ":" + counter + ":by:" + strconv.Itoa(number)
}

func discardKey(experimentKey, id string) string {
	return experimentKey + ":" + id + ":discarded"
}

func notesKey(experimentKey, id string) string { return experimentKey + ":" + id + ":notes" }

func toldKey(experimentKey, id string) string { return experimentKey + ":" + id + ":told" }

func lockKey(name string) string { return "gimel:{lock:" + name + "}" }

func logKey(experimentKey, id string) string { return experimentKey + ":" + id + ":log" }

func member(namespace, experiment string) string { return namespace + ":" + experiment }

func counterName(event, variant string) string { return event + ":" + variant }

func readyKey(number int) string { return "gimel:{ready:" + strconv.Itoa(number) + "}" }
