package tasks

import (
	"regexp"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/templates"
)

// statsdVerify is what the template of verify's program is filled in with.
type statsdVerify struct {
	Port, ManagementPort, FlushInterval int
	Carbon                              *address
	Prefix                              string
	Graphite                            string // where this host's answers, if it has one
	Past                                past
}

// past says how old points are written, and from when they are read, so that Graphite takes them
// from the coarsest archive; both in seconds. It is zero where there is
// no other archive, or which ones there are is not known.
type past struct{ Ago, Before int }

// verifyStatsd counts, times, gauges and collects as an application would, and sees that it arrives. Of
// a host without Graphite no more can be known than that carbon takes it.
func verifyStatsd(in recipe.Input) ([]recipe.Check, error) {
	s := statsd{in}
	local := graphite{Input: in}
	local.Vars = in.Of("graphite")
	rolls := s.rollsUp(local.Vars.Records("schemas"))
	program, err := templates.Render("statsd/verify.js.tmpl", statsdVerify{
		Port: in.Vars.Int("port"), ManagementPort: in.Vars.Int("management_port"), FlushInterval: in.Vars.Int("flush_interval"),
		Carbon: s.carbon(), Prefix: in.Vars.String("prefix"), Graphite: local.address("127.0.0.1"), Past: rolls,
	})
	if err != nil {
		return nil, err
	}
	run := func(action string) string {
		return "/usr/bin/node - " + action + " \"$NONCE\" <<'EOT' || exit\n" + program + "EOT\n"
	}
	check := func(name, script string) recipe.Check {
		return recipe.Check{Name: name, From: recipe.FromHost, Within: 10 * time.Second, Needs: statsdUp, Command: &recipe.CommandCheck{Script: script}}
	}
	// Debian's packages alone, which stay when graphite is removed, have no such unit.
	here := func(script string) string {
		return "[ -e /etc/systemd/system/" + graphiteWeb.unit() + " ] || exit 0\n" + script
	}

	up := check(statsdUp, run("up"))
	up.Needs = ""
	checks := []recipe.Check{up, check("it listens on loopback alone", run("alone")), check(statsdTakes, run("send"))}
	if s.carbon() != nil {
		if rolls.Before > 0 {
			checks = append(checks, check(writesPast, here(run("write"))))
		}
		arrives := check("its flush gets through to carbon", run("flushed"))
		arrives.Within += time.Duration(in.Vars.Int("flush_interval")) * time.Second
		arrives.Again = statsdTakes // a restart loses what was sent
		checks = append(checks, arrives,
			check("10 increments are 10 in this host's Graphite, if it has one", here(run("counters"))),
			check("so are a timer, a gauge and a set", here(run("others"))),
		)
		if rolls.Before > 0 {
			coarse := check("in the coarsest archive counts are summed, upper is a maximum, lower a minimum", here(run("rolled")))
			coarse.Again = writesPast
			checks = append(checks, coarse)
		}
	}
	return append(checks, check("what it sent is removed", run("forget")+s.forgetFiles())), nil
}

const (
	statsdUp    = "statsd says that it is up"
	statsdTakes = "it takes metrics by UDP and TCP"
	writesPast  = "points of the past are written"
)

// rollsUp finds the archives of a count of statsd's in Graphite's schemas.
func (s statsd) rollsUp(schemas []map[string]string) past {
	name := s.Vars.String("prefix") + ".counters.provision.old-1.udp.count"
	for _, schema := range schemas {
		pattern, err := regexp.Compile(schema["pattern"])
		if err != nil { // it is of Python's own: what it matches is not known
			break
		}
		if !pattern.MatchString(name) {
			continue
		}
		archives, err := retentions(schema["retentions"])
		if last := len(archives) - 1; err == nil && last > 0 {
			return past{Ago: archives[0].reaches() / 2, Before: archives[last-1].reaches() + archives[last].step}
		}
		break
	}
	return past{}
}

// forgetFiles removes what this verify has written, and what earlier ones have, as forgetMetrics
// does: carbon may write a metric down only after its verify is over.
func (s statsd) forgetFiles() string {
	return `[ -d /var/lib/graphite/whisper ] || exit 0
sleep 1.5 # what carbon has got it writes within a second
cd / && ` + asUser(graphiteUser) + `sh -c '
cd "/var/lib/graphite/whisper/$2" 2>/dev/null || exit 0
find counters timers gauges sets -mindepth 2 -maxdepth 2 -path "*/provision/*" \
	\( -name "verify-$1" -o -name "old-$1" -o \( -name "verify-*" -o -name "old-*" \) -mmin +10 \) -exec rm -r {} + 2>/dev/null || :
find counters timers gauges sets -maxdepth 1 -name provision -empty -delete 2>/dev/null || :' sh "$NONCE" "` + strings.ReplaceAll(s.Vars.String("prefix"), ".", "/") + `"`
}
