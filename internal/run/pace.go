package run

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Pace is how a run goes through the hosts that it changes: a window, which the next host enters as soon as
// one has left it proved, and when no further host is begun. The zero value takes as many at once as Forks
// says, and goes on whatever happens.
type Pace struct {
	Canary  *Share  // so many first, and all of them good before another is begun
	Batches []Share // then so many, when all of these have ended so many, and so on; the last one again and again
	Window  *Share  // so many at once
	// MaxFail and MaxUnreachable are how many hosts may fail, or be unreachable, in the whole run: with one
	// more no further host is begun. Nil MaxFail is none where one of the others is set, else any number;
	// nil MaxUnreachable is any number.
	MaxFail, MaxUnreachable *Share
}

// steps reports whether hosts are changed some after others.
func (p Pace) steps() bool { return p.Canary != nil || len(p.Batches) > 0 || p.Window != nil }

// zero reports whether nothing is said of it.
func (p Pace) zero() bool { return !p.steps() && p.MaxFail == nil && p.MaxUnreachable == nil }

// maxFail is MaxFail, with what it is where nobody has said so.
func (p Pace) maxFail() *Share {
	if p.MaxFail == nil && p.steps() {
		return &Share{}
	}
	return p.MaxFail
}

// wave are hosts that are begun before any of the next wave.
type wave struct {
	hosts  int
	atOnce int
	canary bool
}

// waves are how so many hosts are gone through, of which some are still to be canaries; the pace has steps.
func (p Pace) waves(hosts, canaries, forks int) []wave {
	atOnce := max(forks, 1)
	if p.Window != nil {
		atOnce = min(atOnce, p.Window.Of(hosts))
	}
	var waves []wave
	left := hosts
	take := func(number int, canary bool) {
		if number = min(number, left); number > 0 {
			waves = append(waves, wave{number, min(number, atOnce), canary})
			left -= number
		}
	}
	take(canaries, true)
	for at := 0; left > 0 && len(p.Batches) > 0; at++ {
		take(p.Batches[min(at, len(p.Batches)-1)].Of(hosts), false)
	}
	take(left, false)
	return waves
}

// Share is a number of hosts, or a part of them in percent.
type Share struct {
	Number  int
	Percent bool
}

// ParseShare reads a number, or a part in percent: 3, 10%.
func ParseShare(text string) (Share, error) {
	digits, percent := strings.CutSuffix(text, "%")
	number, err := strconv.Atoi(digits)
	if err != nil || number < 0 || percent && number > 100 {
		return Share{}, errors.New("must be a number of hosts, or a part of them such as 10%")
	}
	return Share{number, percent}, nil
}

// String is what ParseShare reads.
func (s Share) String() string {
	if s.Percent {
		return fmt.Sprintf("%d%%", s.Number)
	}
	return strconv.Itoa(s.Number)
}

// Of is how many that is of so many hosts: rounded up, and one at least.
func (s Share) Of(hosts int) int {
	if s.Percent {
		return max((s.Number*hosts+99)/100, 1)
	}
	return max(s.Number, 1)
}

// exceeded reports whether a number of hosts, of so many, is more than that.
func (s Share) exceeded(number, hosts int) bool {
	if s.Percent {
		return number*100 > s.Number*hosts
	}
	return number > s.Number
}
