package script

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"provision/internal/recipe"
)

// ErrTruncated says that an answer broke off before its end: the connection was lost, or
// the script died.
var ErrTruncated = errors.New("the host's answer broke off")

// answer collects what a host said, section by section.
type answer struct{ recipe.Answer }

// ParseAnswer reads what a probe script printed. Every probe gets a fact; what the host
// did not mention does not exist there.
func ParseAnswer(probes []recipe.Probe, output []byte) (recipe.Answer, error) {
	said := answer{recipe.Answer{Facts: absent(probes)}}
	sections, wanted := map[string]row{}, map[string][]recipe.Probe{}
	for row, asked := range answeredBy(probes) {
		sections[heading(row.name)], wanted[heading(row.name)] = row, asked
	}
	// A section ends where the next one's name stands in a record's first field. In another
	// field it is no name: there a link's target or a command's output may say anything.
	fields := bytes.Split(output, []byte{0})
	for len(fields) > 0 && string(fields[0]) != heading(end) {
		name := string(fields[0])
		row, known := sections[name]
		if !known && len(fields) == 1 {
			return recipe.Answer{}, ErrTruncated
		}
		if !known {
			return recipe.Answer{}, fmt.Errorf("the host's answer: unknown section %q", name)
		}
		for fields = fields[1:]; ; fields = fields[row.width:] {
			if len(fields) == 0 {
				return recipe.Answer{}, ErrTruncated
			}
			first := string(fields[0])
			if _, next := sections[first]; next || first == heading(end) {
				break
			}
			if len(fields) <= row.width {
				return recipe.Answer{}, ErrTruncated
			}
			if err := row.read(&said, texts(fields[:row.width]), wanted[name]); err != nil {
				return recipe.Answer{}, fmt.Errorf("the host's answer: %w", err)
			}
		}
	}
	if len(fields) == 0 {
		return recipe.Answer{}, ErrTruncated
	}
	return said.Answer, nil
}

// absent are the facts of a host that mentions nothing.
func absent(probes []recipe.Probe) recipe.Facts {
	kinds := map[recipe.Kind]any{}
	for _, row := range rows() {
		if row.absent != nil {
			kinds[row.kind] = row.absent
		}
	}
	facts := recipe.Facts{}
	for _, probe := range probes {
		facts[probe.Key] = recipe.Fact{Value: kinds[probe.Key.Kind]}
	}
	return facts
}

func (a *answer) set(key recipe.Key, value any) { a.Facts[key] = recipe.Fact{Value: value} }

func texts(fields [][]byte) []string {
	all := make([]string, len(fields))
	for i, field := range fields {
		all[i] = string(field)
	}
	return all
}

// lines are those of a command that printed a text, in one record.
func lines(record []string) []string {
	text := strings.TrimSuffix(record[0], "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
