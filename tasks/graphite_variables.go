package tasks

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that a time zone is known whatever the controller has installed
	"unicode"

	"provision/internal/recipe"
)

func graphiteVariables() []recipe.Variable {
	return slices.Concat(graphiteWebVariables(), graphiteAccessVariables(), tlsVariables(), graphiteCarbonVariables(), graphiteClusterVariables())
}

func graphiteWebVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "server_names", Type: recipe.TypeList, Check: eachOf(hostName),
			Help: "The names that the site answers to; with none it answers to any, and is the host's default site.",
		},
		{
			Name: "port", Type: recipe.TypeInt, Check: between(0, 65535),
			Help: "The port that the site answers at, where another program has the usual one; 0 is 80, or with TLS 443, to which 80 then leads. A packet filter has to let it in.",
		},
		{
			Name: "allowed_hosts", Type: recipe.TypeList, Check: eachOf(allowedHost),
			Help: "Further names or addresses that requests may be addressed to, beside server_names and the host's own name; others get the answer 400. " +
				"Without any, and without server_names, all are allowed, as with \"*\".",
		},
		{
			Name: "time_zone", Type: recipe.TypeString, Default: "UTC", Check: timeZone,
			Help: "The time zone of graphs for which none is asked, as Europe/Berlin.",
		},
		{
			Name: "database", Type: recipe.TypeString, Default: "sqlite", Choices: []string{"sqlite", "postgresql"},
			Help: "Where dashboards, events and users are kept: a file, or a PostgreSQL on the same host. What is there is not carried over when it changes, " +
				"and neither PostgreSQL nor its data are removed.",
		},
	}
}

func graphiteAccessVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "auth", Type: recipe.TypeBool, Default: true,
			Help: "Requests from other hosts need a user and a password; false lets everybody in who reaches the host. A password that the host made is kept for when they are asked again; remove --purge takes it.",
		},
		{
			Name: "user", Type: recipe.TypeString, Default: "graphite", Check: userName,
			Help: "The name that goes with the password.",
		},
		{
			Name: "password", Type: recipe.TypeSecret, Check: password,
			Help: "The password; without one a random one is made on the host, once, in " + graphitePassword + "; there stays one that was given before, too.",
		},
	}
}

func graphiteCarbonVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "carbon_listen", Type: recipe.TypeList, Check: eachOf(network),
			Help: "Networks, as 10.1.0.0/16, whose hosts may send metrics to port 2003; with none carbon listens on loopback only. carbon knows no password, " +
				"so a packet filter turns all others away.",
		},
		{
			Name: "carbon_pickle", Type: recipe.TypeBool,
			Help: "Also take metrics in Python's pickle format, at port 2004, from the same hosts.",
		},
		{
			Name: "updates_per_second", Type: recipe.TypeInt, Default: 500, Check: between(1, 1_000_000),
			Help: "Metrics written to disk in a second, at most; the others wait in memory, where graphs find them too.",
		},
		{
			Name: "schemas", Type: recipe.TypeRecords, Fields: []string{"name", "pattern", "retentions"}, Check: schemas,
			Default: defaultSchemas(),
			Help: "How finely and how long metrics are kept: the first pattern, a regular expression, that matches a new metric's name decides. " +
				"10s:6h,1m:7d,10m:1y takes 760 KB a metric, at once; existing metrics keep their shape.",
		},
		{
			Name: "aggregations", Type: recipe.TypeRecords, Fields: []string{"name", "pattern", "method", "x_files_factor"}, Check: aggregations,
			Default: defaultAggregations(),
			Help: "How fine points become coarse ones (average, sum, min, max, last), and which share of them must be known for it, from 0 to 1: the first pattern " +
				"that matches a new metric's name decides.",
		},
	}
}

func defaultSchemas() []map[string]string {
	return []map[string]string{
		{"name": "carbon", "pattern": `^carbon\.`, "retentions": "1m:30d"},
		// statsd and collectd send every 10 seconds: a coarser first archive would keep
		// only the last of the six values of a minute.
		{"name": "default", "pattern": `.*`, "retentions": "10s:6h,1m:7d,10m:1y"},
	}
}

// The patterns know the names that statsd (.count, .lower, .upper_90, .upper_99_9, stats_counts.,
// stats.gauges., with a host's prefix stats.web1.gauges.) and collectd's statsd (count-NAME) send.
func defaultAggregations() []map[string]string {
	aggregation := func(name, pattern, method string) map[string]string {
		return map[string]string{"name": name, "pattern": pattern, "method": method, "x_files_factor": "0"}
	}
	return []map[string]string{
		aggregation("min", `\.(min|lower)(_[0-9]+)*$`, "min"),
		aggregation("max", `\.(max|upper)(_[0-9]+)*$`, "max"),
		aggregation("count", `\.(count|sum|sum_squares)(_[0-9]+)*$|^stats_counts\.|\.count-[^.]+$`, "sum"),
		aggregation("last", `\.last$|^stats\.([^.]+\.)?gauges\.|\.gauge-[^.]+$`, "last"),
		aggregation("default", `.*`, "average"),
	}
}

// The letters, digits and hyphens of RFC 1123, section 2.1, with a wildcard in front.
var hostNameForm = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func hostName(name string) error {
	if len(name) > 253 || !hostNameForm.MatchString(name) {
		return fmt.Errorf("%q: must be a host name", name)
	}
	return nil
}

// Django's forms: a name, .example.org for all below it, an address, or "*".
func allowedHost(name string) error {
	if address, err := netip.ParseAddr(name); err == nil && address.Zone() == "" || name == "*" {
		return nil
	}
	if hostName(strings.TrimPrefix(name, ".")) != nil {
		return fmt.Errorf("%q: must be a host name, .example.org for all below it, or an address", name)
	}
	return nil
}

func timeZone(value any) error {
	name := value.(string)
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return fmt.Errorf("%q: must be a time zone such as Europe/Berlin", name)
	}
	return nil
}

var userNameForm = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

func userName(value any) error {
	if !userNameForm.MatchString(value.(string)) {
		return errors.New("must be letters, digits and . _ @ -, 64 at most")
	}
	return nil
}

// openssl passwd reads one line, and cuts it at 256 bytes.
func password(value any) error {
	text := value.(recipe.Secret).Reveal()
	if len(text) > 200 || strings.ContainsAny(text, "\x00\n\r") {
		return errors.New("must be one line of 200 bytes at most")
	}
	return nil
}

// Paths that end up in nginx's configuration: without what would need quoting there.
var hostPathForm = regexp.MustCompile(`^/[A-Za-z0-9._/@+-]+$`)

func hostPath(name string) error {
	if !hostPathForm.MatchString(name) || path.Clean(name) != name {
		return fmt.Errorf("%q: must be an absolute path of letters, digits and . _ / @ + -, without .. in it", name)
	}
	return nil
}

func network(name string) error {
	prefix, err := netip.ParsePrefix(name)
	switch {
	case err != nil:
		return fmt.Errorf("%q: must be a network such as 10.1.0.0/16, or 10.1.2.3/32 for one host", name)
	case prefix != prefix.Masked():
		return fmt.Errorf("%q: has bits behind its length: %s?", name, prefix.Masked())
	case prefix.Bits() == 0:
		return fmt.Errorf("%q: is everybody: name the networks that send metrics", name)
	}
	return nil
}

// A section's name, as carbon's configparser takes it; DEFAULT has a meaning of its own.
var sectionForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func section(record map[string]string, seen map[string]bool) error {
	name := record["name"]
	switch {
	case !sectionForm.MatchString(name) || name == "DEFAULT" || name == "provision":
		return fmt.Errorf("name %q: must be letters, digits and . _ -, and neither DEFAULT nor provision", name)
	case seen[name]:
		return fmt.Errorf("name %q: is there twice", name)
	}
	seen[name] = true
	return pattern(record["pattern"])
}

// Python's looking ahead and behind, which Go's regular expressions do not have, is taken
// as a group: a broken pattern is still found.
var lookaround = regexp.MustCompile(`\(\?(<?[=!])`)

func pattern(text string) error {
	if text != strings.TrimSpace(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("pattern %q: has white space at an end, or a control character", text)
	}
	_, err := regexp.Compile(lookaround.ReplaceAllString(text, "(?:"))
	var broken *syntax.Error
	if errors.As(err, &broken) {
		return fmt.Errorf("pattern %q: %s", text, broken.Code)
	}
	return err
}

func schemas(value any) error {
	records, seen := value.([]map[string]string), map[string]bool{}
	if len(records) == 0 {
		return errors.New("must have at least one entry")
	}
	for _, record := range records {
		if err := section(record, seen); err != nil {
			return err
		}
		if _, err := retentions(record["retentions"]); err != nil {
			return fmt.Errorf("retentions %q of %s: %w", record["retentions"], record["name"], err)
		}
	}
	return nil
}

var archiveForm = regexp.MustCompile(`^([0-9]{1,9})([smhdwy]?):([0-9]{1,9})([smhdwy]?)$`)

var seconds = map[string]int{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}

const (
	// whisper keeps how far back a metric reaches in 32 bits (whisper.metadataFormat).
	mostRetention = 1<<32 - 1 // seconds
	// A point takes 12 bytes (whisper.pointFormat), and carbon allocates all of a metric at
	// once: one that takes more than 1 GiB is a slip of the pen.
	mostPoints = 1 << 30 / 12
)

// archive is one of a metric's: the points that it has, and the seconds between two.
type archive struct{ step, points int }

// reaches is how far back it goes, in seconds.
func (a archive) reaches() int { return a.step * a.points }

// retentions reads a metric's archives, and refuses what whisper.validateArchiveList does: each
// is finer than the next and a divisor of it, shorter than it, and with points enough to fill one
// of its points.
func retentions(text string) ([]archive, error) {
	var all []archive
	for i, part := range strings.Split(text, ",") {
		next, err := oneArchive(part)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			last := all[i-1]
			switch {
			case next.step <= last.step || next.step%last.step != 0:
				return nil, fmt.Errorf("%q: its step must be a multiple of %d seconds, the one before", part, last.step)
			case next.reaches() <= last.reaches():
				return nil, fmt.Errorf("%q: must reach further back than the one before", part)
			case last.points < next.step/last.step:
				return nil, fmt.Errorf("%q: the one before is too short to fill one of its points", part)
			}
		}
		all = append(all, next)
	}
	return all, nil
}

func oneArchive(text string) (archive, error) {
	part := archiveForm.FindStringSubmatch(strings.TrimSpace(text))
	if part == nil {
		return archive{}, fmt.Errorf("%q: must be a step and a length such as 10s:6h", text)
	}
	step, _ := strconv.Atoi(part[1]) // nine digits at most
	step *= seconds[part[2]]
	points, _ := strconv.Atoi(part[3])
	if step == 0 {
		return archive{}, fmt.Errorf("%q: has no step", text)
	}
	if part[4] != "" {
		points = points * seconds[part[4]] / step
	}
	switch {
	case points > mostPoints:
		return archive{}, fmt.Errorf("%q: would take more than 1 GiB a metric, at once", text)
	case step > mostRetention || step*points > mostRetention:
		return archive{}, fmt.Errorf("%q: reaches back further than the 136 years that whisper can", text)
	case points < 1:
		return archive{}, fmt.Errorf("%q: is shorter than its step", text)
	}
	return archive{step, points}, nil
}

// What whisper knows (whisper.aggregationMethods) in Debian 12 and 13.
var aggregationMethods = []string{"average", "sum", "last", "max", "min", "avg_zero", "absmax", "absmin"}

func aggregations(value any) error {
	records, seen := value.([]map[string]string), map[string]bool{}
	for _, record := range records {
		if err := section(record, seen); err != nil {
			return err
		}
		if !slices.Contains(aggregationMethods, record["method"]) {
			return fmt.Errorf("method %q of %s: must be one of %s", record["method"], record["name"], strings.Join(aggregationMethods, ", "))
		}
		factor, err := strconv.ParseFloat(record["x_files_factor"], 64)
		// Python has no hexadecimal floats.
		if err != nil || !(factor >= 0 && factor <= 1) || strings.ContainsAny(record["x_files_factor"], "xX") {
			return fmt.Errorf("x_files_factor %q of %s: must be between 0 and 1", record["x_files_factor"], record["name"])
		}
	}
	return nil
}

// eachOf makes a check of a list out of one of its entries, and refuses repetition.
func eachOf(check func(string) error) func(any) error {
	return func(value any) error {
		list := value.([]string)
		for i, entry := range list {
			if err := check(entry); err != nil {
				return err
			}
			if slices.Contains(list[:i], entry) {
				return fmt.Errorf("%q: is there twice", entry)
			}
		}
		return nil
	}
}

// text makes a check of a string.
func text(check func(string) error) func(any) error {
	return func(value any) error { return check(value.(string)) }
}

// optional makes a check of a string that may be empty.
func optional(check func(string) error) func(any) error {
	return func(value any) error {
		if text := value.(string); text != "" {
			return check(text)
		}
		return nil
	}
}
