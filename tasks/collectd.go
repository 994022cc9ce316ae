package tasks

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	collectdName = "collectd"
	collectdUnit = "collectd.service"
	collectdTree = "/etc/collectd"
)

// Collectd measures a host, and sends that to Graphite.
func Collectd() recipe.Task {
	return recipe.Task{
		Name:    collectdName,
		Summary: "measures the host (collectd): processor, memory, disks, network, for Graphite",
		About: "Installs collectd from Debian's package, without what it does not need, and not as root. Every 10 seconds it sends what it measures to 127.0.0.1:2003: on a host with the task graphite that is carbon, " +
			"on one with the task secure_metrics the way to it, by TLS. A host in hosts.yaml needs one of both; collectd.graphite leads elsewhere. " +
			"Metrics are collectd.HOST.cpu.percent-idle and so on, HOST as the host calls itself. While nobody takes them they are lost; nothing waits for it.",
		Uses:      []string{"graphite"}, // whose site verify asks, where it is on the host
		Variables: collectdVariables(),
		Build:     buildCollectd,
		Verify:    verifyCollectd,
		After: func(in recipe.Input) []string {
			return []string{"what is measured here is " + collectdMetrics(in) + "*"}
		},
	}
}

// collectdPlugins are those of Debian's collectd-core that need no other package, no root and no settings.
var collectdPlugins = []string{
	"conntrack", "contextswitch", "cpu", "df", "disk", "entropy", "interface", "irq", "load", "memory", "numa", "processes", "protocols", "swap", "tcpconns", "thermal", "uptime", "users", "vmem",
}

func collectdVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "plugins", Type: recipe.TypeList, Default: []string{"cpu", "df", "disk", "interface", "load", "memory", "processes", "swap", "uptime"},
			Check: func(value any) error {
				if len(value.([]string)) == 0 {
					return errors.New("must be one at least")
				}
				return eachOf(collectdPlugin)(value)
			},
			Help: "What is measured: of " + strings.Join(collectdPlugins, ", ") + ".",
		},
		{
			Name: "interval", Type: recipe.TypeInt, Default: 10, Check: between(1, 60),
			Help: "Seconds from one measurement to the next; graphite.schemas has to keep points as close.",
		},
		{
			Name: "prefix", Type: recipe.TypeString, Default: "collectd.", Check: text(metricPrefix),
			Help: "What the metrics' names begin with, with the dot at its end.",
		},
		{
			Name: "name", Type: recipe.TypeString, Check: optional(hostName),
			Help: "What the host is called in them, with a _ for each dot; with none what it calls itself.",
		},
		{
			Name: "graphite", Type: recipe.TypeString, Check: optional(lineReceiver),
			Help: "Where carbon takes lines, an address and a port; with none 127.0.0.1:2003, on a host with the task graphite or secure_metrics.",
		},
	}
}

func collectdPlugin(name string) error {
	if !slices.Contains(collectdPlugins, name) {
		return fmt.Errorf("%s: must be one of %s", recipe.Quoted(name), strings.Join(collectdPlugins, ", "))
	}
	return nil
}

var metricPrefixes = regexp.MustCompile(`^([A-Za-z0-9_-]+\.)+$`)

func metricPrefix(text string) error {
	if !metricPrefixes.MatchString(text) {
		return fmt.Errorf("%s: must be letters, digits, - and _, with a dot behind each part, as servers. has", recipe.Quoted(text))
	}
	return nil
}

func lineReceiver(text string) error {
	host, number, err := net.SplitHostPort(text)
	if err != nil || reachable(host) != nil || port(number) != nil {
		return fmt.Errorf("%s: must be a host and a port, as 127.0.0.1:2003", recipe.Quoted(text))
	}
	return nil
}

// collectdSends is where a host's metrics go.
func collectdSends(in recipe.Input) (string, error) {
	if to := in.Vars.String("graphite"); to != "" {
		return to, nil
	}
	if slices.Contains(in.Host.Tasks(), "graphite") || slices.Contains(in.Host.Tasks(), secureMetricsName) {
		return carbonLine, nil
	}
	return "", errors.New("nothing on this host takes its metrics: give it the task secure_metrics in hosts.yaml, or graphite, or set collectd.graphite=" + carbonLine)
}

// collectdMetrics is what the names of a host's metrics begin with.
func collectdMetrics(in recipe.Input) string {
	name := in.Vars.String("name")
	if name == "" {
		name = in.Host.Hostname()
	}
	return in.Vars.String("prefix") + strings.ReplaceAll(name, ".", "_") + "."
}

func buildCollectd(in recipe.Input) (recipe.Recipe, error) {
	var r recipe.Recipe
	to, err := collectdSends(in)
	if err != nil {
		return r, err
	}
	host, port, _ := net.SplitHostPort(to)
	r.Add(resource.Directory{Path: collectdTree})
	r.Add(resource.Directory{Path: "/etc/systemd/system/collectd.service.d"})
	err = addFiles(&r, []filePart{{
		path: collectdTree + "/collectd.conf", template: "collectd/collectd.conf.tmpl", notifies: restart(collectdUnit), data: struct {
			Name, Prefix, Host, Port string
			Interval                 int
			Plugins                  []string
		}{in.Vars.String("name"), in.Vars.String("prefix"), host, port, in.Vars.Int("interval"), in.Vars.List("plugins")},
	}, {
		path: "/etc/systemd/system/collectd.service.d/10-provision.conf", template: "collectd/collectd.service.conf.tmpl", notifies: restart(collectdUnit),
	}})
	r.Add(resource.Package{Name: "collectd-core", Brings: []recipe.Key{recipe.UnitKey(collectdUnit)}, Restarts: []string{collectdUnit}})
	r.Add(resource.Service{Unit: collectdUnit, Check: "collectd -t -C " + collectdTree + "/collectd.conf", Trees: []string{collectdTree}})
	return r, err
}

// verifyCollectd sees that somebody takes what is measured, and where Graphite is on the host, that it
// is there. A connection that is refused, or ended at once, is an error in collectd's log each time.
func verifyCollectd(in recipe.Input) ([]recipe.Check, error) {
	to, err := collectdSends(in)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(to)
	interval := in.Vars.Int("interval")
	patience := time.Duration(6*interval)*time.Second + 30*time.Second
	connected := onHost("collectd is connected to "+to, `ss -Htnp state established "( dport = :`+port+` )" | grep -q '"collectd"' || { echo "nobody has taken its connection" >&2; exit 1; }`)
	sent := onHost("what it sends is taken", `failed=$(journalctl -q -u `+collectdUnit+` -p err --since "-`+strconv.Itoa(2*interval+5)+` seconds" -o cat)
[ -z "$failed" ] || { printf '%s\n' "$failed" | tail -n 3 >&2; exit 1; }`)
	notRoot := onHost("it does not run as root", `[ "$(stat -c %U "/proc/$(systemctl show -P MainPID `+collectdUnit+`)")" != root ]`)
	connected.Within, sent.Within = patience, patience
	checks := []recipe.Check{notRoot, connected, sent}
	if slices.Contains(in.Host.Tasks(), "graphite") && to == carbonLine {
		g := graphite{Input: in}
		g.Vars = in.Of("graphite")
		fresh := g.local("what it measures is in Graphite", recipe.HTTPCheck{
			URL:      "/render?target=isNonNull(" + collectdMetrics(in) + "*.*)&from=-" + strconv.Itoa(3*interval) + "s&format=json&noCache=1",
			Contains: "[1",
		})
		fresh.Within = patience
		checks = append(checks, fresh)
	}
	return checks, nil
}
