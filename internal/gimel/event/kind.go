package event

import (
	"math"
	"strconv"
)

// Kind is what a goal counts, as it was declared.
type Kind string

const (
	// Unique is whether a participant reaches the goal, which makes a proportion.
	// It is the kind of a goal of which nothing was declared.
	Unique Kind = "unique"
	// Count is how often the goal is reached: by whom, the parameter visitor says.
	Count Kind = "count"
	// Value is what a participant brings who reaches the goal: the parameter
	// value, of each uuid once.
	Value Kind = "value"
)

// IsKind says whether a goal may be declared so.
func IsKind(kind Kind) bool { return kind == Unique || kind == Count || kind == Value }

// MaxAmount is the largest value, to either side: the squares of a billion such
// ones can still be added up.
const MaxAmount = 1e9

// MinAmount is the smallest value beside 0, to either side: Redis keeps 17
// decimals of a sum (HINCRBYFLOAT), which are five digits of the square of it.
const MinAmount = 1e-6

// longestAmount is more than the longest text of a float64 with all its digits.
const longestAmount = 32

// Amount is the event's value, or the reason why it has none.
func (e Event) Amount() (float64, Reason) {
	if e.Value == "" {
		return 0, MissingValue
	}
	amount, err := strconv.ParseFloat(e.Value, 64)
	size := math.Abs(amount)
	if err != nil || len(e.Value) > longestAmount || !(size <= MaxAmount) || size < MinAmount && size != 0 { // NaN is not
		return 0, BadValue
	}
	return amount, ""
}
