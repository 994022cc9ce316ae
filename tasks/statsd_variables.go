package tasks

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

func statsdVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "prefix", Type: recipe.TypeString, Default: "stats", Check: text(statsdPrefix),
			Help: "What all names begin with. Where several hosts send to one Graphite each wants its own, as stats.web1: of two that send the same name only one would be kept.",
		},
		{
			Name: "flush_interval", Type: recipe.TypeInt, Default: 10, Check: between(1, 60),
			Help: "Seconds between two flushes to carbon. The first step of Graphite's schemas may not be longer, or of each of its steps only the last flush is kept.",
		},
		{
			Name: "percentiles", Type: recipe.TypeList, Default: []string{"90"}, Check: eachOf(percentile),
			Help: "For each the timers have mean, upper, sum and count of the fastest of so many in a hundred: 90 makes upper_90, and 99.9 upper_99_9.",
		},
		{
			Name: "delete_idle", Type: recipe.TypeList, Check: eachOf(idleKind),
			Help: "Of which kinds (counters, timers, gauges) a name is no longer sent when nothing came of it since the last flush. Without it counters and timers go on as 0, and a gauge as it was: " +
				"so averages over time are right, and each name that there ever was is sent until statsd restarts. A set goes on never.",
		},
		{
			Name: "carbon", Type: recipe.TypeString, Default: "127.0.0.1:2003", Check: text(carbonAddress),
			Help: "Where carbon takes lines, as address and port: of this host's Graphite, or of a way to another's. Nothing is encrypted. \"off\" throws away what is counted.",
		},
		{
			Name: "port", Type: recipe.TypeInt, Default: 8125, Check: between(1, 65535),
			Help: "The port on loopback at which statsd takes metrics, by UDP and by TCP.",
		},
		{
			Name: "management_port", Type: recipe.TypeInt, Default: 8126, Check: between(1, 65535),
			Help: "The port on loopback at which it tells of itself: echo stats | nc 127.0.0.1 8126.",
		},
	}
}

// checkStatsd refuses two listeners at one port.
func checkStatsd(vars recipe.Values) (string, error) {
	if vars.Int("port") == vars.Int("management_port") {
		return "management_port", fmt.Errorf("%d: is port already", vars.Int("port"))
	}
	return "", nil
}

// Names of Graphite, whose parts are separated by dots, of what statsd itself lets through
// (sanitizeKeyName in stats.js).
var statsdPrefixForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}$`)

func statsdPrefix(name string) error {
	if !statsdPrefixForm.MatchString(name) {
		return fmt.Errorf("%q: must be letters, digits, _ and -, with dots between: stats.web1", name)
	}
	return nil
}

var percentileForm = regexp.MustCompile(`^[1-9]?[0-9](\.[0-9]{0,2}[1-9])?$`)

func percentile(text string) error {
	// As a number it goes into names: it has one form.
	if !percentileForm.MatchString(text) || text == "0" {
		return fmt.Errorf("%q: must be more than 0 and less than 100, as 90 or 99.9", text)
	}
	return nil
}

var idleKinds = []string{"counters", "timers", "gauges"}

func idleKind(name string) error {
	if !slices.Contains(idleKinds, name) {
		return fmt.Errorf("%q: must be one of %s", name, strings.Join(idleKinds, ", "))
	}
	return nil
}

// carbonAddress is an address, not a name: statsd is kept from all others.
func carbonAddress(text string) error {
	address, err := netip.ParseAddrPort(text)
	switch {
	case text == carbonOff:
		return nil
	case err != nil || address.Addr().Zone() != "":
		return fmt.Errorf("%q: must be an address and a port, as 127.0.0.1:2003 or [2001:db8::7]:2003, or off", text)
	case address.Port() == 0 || address.Addr().IsUnspecified():
		return errors.New(strconv.Quote(text) + ": nothing can be sent there")
	}
	return nil
}

const carbonOff = "off"
