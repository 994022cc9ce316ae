package script

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"provision/internal/recipe"
)

// ErrTruncated says that an answer broke off before its end: the connection was lost, or
// the script died.
var ErrTruncated = errors.New("the host's answer broke off")

// answer collects what a host said, section by section.
type answer struct{ recipe.Answer }

// Answer reads what a host printed to the question. Every probe gets a fact; what the host did not mention
// does not exist there.
func (q *Question) Answer(output []byte) (recipe.Answer, error) {
	said := answer{recipe.Answer{Facts: maps.Clone(q.absent)}}
	// A section ends where the next one's name stands in a record's first field. In another
	// field it is no name: there a link's target or a command's output may say anything.
	fields := strings.Split(string(output), "\x00")
	for len(fields) > 0 && fields[0] != heading(end) {
		section, known := q.sections[fields[0]]
		if !known && len(fields) == 1 {
			return recipe.Answer{}, ErrTruncated
		}
		if !known {
			return recipe.Answer{}, fmt.Errorf("the host's answer: unknown section %q", fields[0])
		}
		for fields = fields[1:]; ; fields = fields[section.width:] {
			if len(fields) == 0 {
				return recipe.Answer{}, ErrTruncated
			}
			if q.announces(fields[0]) {
				break
			}
			if len(fields) <= section.width {
				return recipe.Answer{}, ErrTruncated
			}
			if err := section.read(&said, fields[:section.width], section.asked); err != nil {
				return recipe.Answer{}, fmt.Errorf("the host's answer: %w", err)
			}
		}
	}
	if len(fields) == 0 {
		return recipe.Answer{}, ErrTruncated
	}
	return said.Answer, nil
}

// announces reports whether a field is the name of a section, or of the end.
func (q *Question) announces(field string) bool {
	if !strings.HasPrefix(field, "\x01") {
		return false
	}
	_, section := q.sections[field]
	return section || field == heading(end)
}

// ParseAnswer reads what a host printed to a probe script.
func ParseAnswer(probes []recipe.Probe, output []byte) (recipe.Answer, error) {
	return NewQuestion(probes).Answer(output)
}

func (a *answer) set(key recipe.Key, value any) { a.Facts[key] = recipe.Fact{Value: value} }

// lines are those of a command that printed a text, in one record.
func lines(record []string) []string {
	text := strings.TrimSuffix(record[0], "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
