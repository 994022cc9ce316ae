package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"provision/internal/address"
	"provision/internal/inventory"
	"provision/internal/run"
)

// limited is what -l says, with names for what is written elsewhere: @failed, @unreachable and @notbegun are
// hosts of past runs, @FILE those of a file, @- of standard input. Conditions are no names.
func (s selection) limited(inv *inventory.Inventory) (all []string, conditions []inventory.Condition, err error) {
	limit, conditions, err := inventory.SplitConditions(s.limit, run.FactNames())
	if err != nil {
		return nil, nil, err
	}
	terms, err := inventory.Expand(limit)
	if err != nil {
		return nil, nil, err
	}
	for _, term := range terms {
		bare, not := strings.CutPrefix(term, "!")
		elsewhere, found := strings.CutPrefix(bare, "@")
		if !found {
			all = append(all, term)
			continue
		}
		names, err := s.elsewhere(inv, elsewhere)
		if not && (errors.Is(err, errNoSuchEnd) || errors.Is(err, errNoRun) || errors.Is(err, errNoNames)) { // to take none of them away is what was meant
			err = nil
		}
		if err != nil {
			return nil, nil, err
		}
		for _, name := range names {
			if not {
				name = "!" + name
			}
			all = append(all, name)
		}
	}
	return all, conditions, nil
}

func (s selection) elsewhere(inv *inventory.Inventory, name string) ([]string, error) {
	switch name {
	case "":
		return nil, usage(errors.New(`limit "@": says not where the hosts are`), "-l @failed, -l @hosts.txt")
	case "failed":
		return s.ofPastRuns(inv, name, func(host unwell) bool { return host.failed != nil })
	case "unreachable":
		return s.ofPastRuns(inv, name, func(host unwell) bool { return host.failed != nil && host.failed.ExitCode == exitUnreachable })
	case "notbegun":
		return s.ofPastRuns(inv, name, func(host unwell) bool { return host.notBegun })
	}
	return listedIn(name)
}

// errNoSuchEnd says that no host's end that stands is so.
var errNoSuchEnd = errors.New("there is no such host")

// errNoNames says that nobody is named where names stand.
var errNoNames = errors.New("has no names")

// ofPastRuns are the hosts that are so. Of those that are gone from the inventory since, nobody wants to know more
// than that.
func (s selection) ofPastRuns(inv *inventory.Inventory, name string, so func(unwell) bool) ([]string, error) {
	past, err := pastRunsOf(s)
	if err != nil {
		return nil, err
	}
	runs, err := past.all()
	if err != nil {
		return nil, fmt.Errorf("limit @%s: %w", name, err)
	}
	var hosts, gone []string
	for _, one := range standing(runs) {
		switch {
		case !so(one):
		case inv.Has(one.host):
			hosts = append(hosts, one.host)
		default:
			gone = append(gone, one.host)
		}
	}
	if len(gone) > 0 && s.tell != nil {
		s.tell(fmt.Sprintf("@%s: no longer in the inventory: %s", name, strings.Join(address.Fold(gone), ", ")))
	}
	if len(hosts) == 0 {
		return nil, usage(fmt.Errorf("limit @%s: %w", name, errNoSuchEnd), "provision runs")
	}
	return hosts, nil
}

// maxListed bounds a file with names, in bytes.
const maxListed = 1 << 20

// listedIn reads names, as -l takes them: a line each, or with commas between. What stands behind # is not read.
func listedIn(file string) ([]string, error) {
	in := os.Stdin
	if file != "-" {
		var err error
		if in, err = os.Open(file); err != nil {
			return nil, usage(fmt.Errorf("limit @%s: %w", file, err), "a file with the name of a host in each line; or @failed, @unreachable, @notbegun")
		}
		defer in.Close()
	}
	text, err := io.ReadAll(io.LimitReader(in, maxListed+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("limit @%s: %w", file, err)
	case len(text) > maxListed:
		return nil, fmt.Errorf("limit @%s: is longer than a MiB", file)
	}
	var names []string
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) { // which some editors put there
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, line)
		}
	}
	if len(names) == 0 {
		return nil, usage(fmt.Errorf("limit @%s: %w", file, errNoNames), "the name of a host in each line")
	}
	return inventory.Expand(names)
}
