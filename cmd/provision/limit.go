package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"provision/internal/address"
	"provision/internal/engine"
	"provision/internal/inventory"
	"provision/internal/report"
	"provision/internal/run"
)

// limited is what -l says, with names for what is written elsewhere: @failed, @unreachable and @notbegun are
// hosts of the last run, @FILE those of a file, @- of standard input. Conditions are no names.
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
		if not && (errors.Is(err, errNoSuchEnd) || errors.Is(err, errNoNames)) { // to take none of them away is what was meant
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
		return s.ofLastRun(inv, name, func(host report.PastHost) bool { return host.ExitCode != exitGood && host.ExitCode != exitPending })
	case "unreachable":
		return s.ofLastRun(inv, name, func(host report.PastHost) bool { return host.ExitCode == exitUnreachable })
	case "notbegun":
		return s.ofLastRun(inv, name, func(host report.PastHost) bool { return host.Status == engine.StatusNotBegun })
	}
	return listedIn(name)
}

// errNoSuchEnd says that the last run ended so on no host.
var errNoSuchEnd = errors.New("there is no such host")

// errNoNames says that nobody is named where names stand.
var errNoNames = errors.New("has no names")

// ofLastRun are the hosts on which it ended so. Of those that are gone from the inventory since, nobody wants to
// know more than that.
func (s selection) ofLastRun(inv *inventory.Inventory, name string, so func(report.PastHost) bool) ([]string, error) {
	past, err := pastRunsOf(s)
	if err != nil {
		return nil, err
	}
	last, err := past.last()
	if err != nil {
		return nil, fmt.Errorf("limit @%s: %w", name, err)
	}
	var hosts, gone []string
	for _, host := range last.Hosts {
		switch {
		case !so(host):
		case inv.Has(host.Host):
			hosts = append(hosts, host.Host)
		default:
			gone = append(gone, host.Host)
		}
	}
	if len(gone) > 0 && s.tell != nil {
		s.tell(fmt.Sprintf("@%s: no longer in the inventory: %s", name, strings.Join(address.Fold(gone), ", ")))
	}
	if len(hosts) == 0 {
		return nil, usage(fmt.Errorf("limit @%s: of the last run, %s, %w", name, last.Command, errNoSuchEnd), "provision runs "+last.ID)
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
