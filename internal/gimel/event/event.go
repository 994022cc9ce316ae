// Package event reads one tracking event out of a query string and says
// whether it can ever be valid.
//
// An event that can never be valid is answered 200 and dropped: the AlephBet
// client takes only 200 for success and resends everything else with each
// later event, so a 4xx would come back for ever.
package event

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Participate is the event that counts a visitor of a variant; every other
// event is a goal.
const Participate = "participate"

// DefaultNamespace is the namespace of an event that names none.
const DefaultNamespace = "alephbet"

// Event is one valid tracking event.
type Event struct {
	Namespace  string
	Experiment string
	Name       string // "participate" or a goal
	Variant    string
	UUID       string // as it came; never written to a log
	Value      string // as it came; what it must be is Amount's to say
	Visitor    string // as it came: whose event of a Count it is; "" where that is not known
	Keyed      bool   // it came with a key to track
}

// Limits bounds what an event may be. All are in bytes.
type Limits struct {
	Query int // the raw query string
	Name  int // each of namespace, experiment, event and variant
	UUID  int
}

// DefaultLimits holds every name and uuid that AlephBet makes, with room.
var DefaultLimits = Limits{Query: 8192, Name: 128, UUID: 128}

// Reason says why an event was dropped. The empty reason means it was not.
// Reasons are label values of the metrics, so their texts are stable.
type Reason string

// The reasons for which an event can never be valid.
const (
	QueryTooLong     Reason = "query_too_long"
	BadQuery         Reason = "bad_query" // a broken %-escape, or a ';'
	MissingParameter Reason = "missing_parameter"
	TooLong          Reason = "too_long"
	Colon            Reason = "colon" // the original splits its keys at ':'
	BadCharacter     Reason = "bad_character"
)

// The reasons that depend on what is declared, and that a store gives.
const (
	UndeclaredExperiment Reason = "undeclared_experiment"
	TooManyExperiments   Reason = "too_many_experiments"
	UndeclaredVariant    Reason = "undeclared_variant"
	UndeclaredGoal       Reason = "undeclared_goal"
	TooManyCounters      Reason = "too_many_counters"
	Archived             Reason = "archived"
	MissingValue         Reason = "missing_value"
	BadValue             Reason = "bad_value"
	MissingKey           Reason = "missing_key"
)

// Reasons lists every reason, so that each has its counter from the start.
func Reasons() []Reason {
	return []Reason{
		QueryTooLong, BadQuery, MissingParameter, TooLong, Colon, BadCharacter,
		UndeclaredExperiment, TooManyExperiments, UndeclaredVariant, UndeclaredGoal,
		TooManyCounters, Archived, MissingValue, BadValue, MissingKey,
	}
}

// Parse reads an event from a raw query string. A reason other than "" means
// that the event can never be valid.
func Parse(rawQuery string, limits Limits) (Event, Reason) {
	if len(rawQuery) > limits.Query {
		return Event{}, QueryTooLong
	}
	parsed, ok := split(rawQuery)
	if !ok {
		return Event{}, BadQuery
	}
	if parsed.Namespace == "" {
		parsed.Namespace = DefaultNamespace
	}
	for _, name := range []string{parsed.Namespace, parsed.Experiment, parsed.Name, parsed.Variant} {
		if reason := CheckName(name, limits.Name); reason != "" {
			return Event{}, reason
		}
	}
	if reason := checkText(parsed.UUID, limits.UUID); reason != "" {
		return Event{}, reason
	}
	return parsed, ""
}

// split takes the parameters of an event out of a query; the first of a name
// counts, and others are ignored. It is url.ParseQuery without a map, which
// was a tenth of the work for an event.
func split(rawQuery string) (Event, bool) {
	var parsed Event
	for rest := rawQuery; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if strings.Contains(pair, ";") {
			return Event{}, false
		}
		name, value, _ := strings.Cut(pair, "=")
		field := parsed.field(name)
		if field == nil || *field != "" {
			continue
		}
		text, err := url.QueryUnescape(value)
		if err != nil {
			return Event{}, false
		}
		*field = text
	}
	return parsed, true
}

func (e *Event) field(name string) *string {
	switch name {
	case "namespace":
		return &e.Namespace
	case "experiment":
		return &e.Experiment
	case "event":
		return &e.Name
	case "variant":
		return &e.Variant
	case "uuid":
		return &e.UUID
	case "value":
		return &e.Value
	case "visitor":
		return &e.Visitor
	}
	return nil
}

// CheckName says why a namespace, experiment, event or variant cannot be one,
// or "".
func CheckName(name string, limit int) Reason {
	if reason := checkText(name, limit); reason != "" {
		return reason
	}
	if strings.Contains(name, ":") {
		return Colon
	}
	return ""
}

func checkText(text string, limit int) Reason {
	if text == "" {
		return MissingParameter
	}
	if len(text) > limit {
		return TooLong
	}
	if !utf8.ValidString(text) {
		return BadCharacter
	}
	for _, char := range text {
		// IsPrint leaves out control and formatting characters (such as
		// those that reverse the direction of text) and every space but ' '.
		if !unicode.IsPrint(char) {
			return BadCharacter
		}
	}
	return ""
}
