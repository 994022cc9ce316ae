package tasks

import (
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"

	"provision/internal/npm"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

const (
	statsdUnit          = "statsd.service"
	statsdProgram       = programDirectory + "/statsd"
	statsdListen        = programDirectory + "/statsd-listen.js"
	statsdDirectory     = "/etc/statsd"
	statsdConfiguration = statsdDirectory + "/config.js"

	// programDirectory is where programs lie that are of no package of Debian.
	programDirectory = "/usr/lib/provision"
)

// StatsD is the reference implementation of statsd, which Debian does not have, on Debian's Node.
func StatsD() recipe.Task {
	return recipe.Task{
		Name:    "statsd",
		Summary: "counters, timers, gauges and sets over UDP and TCP, flushed to Graphite",
		About: "Runs statsd 0.9.0, which provision brings, on Debian's nodejs. Applications send it lines such as \"logins:1|c\" at 127.0.0.1:8125; every 10 seconds it sends carbon what they come to: " +
			"stats.counters.logins.count and .rate, stats.timers.NAME.mean, .upper, .upper_90, .count and more, stats.gauges.NAME, stats.sets.NAME.count. It listens on loopback alone, runs as an account that is " +
			"made for it when it starts, and keeps nothing: what came since the last flush is lost when it stops. Graphite's default schemas and aggregations are right for it: counts are summed, upper stays a maximum and lower a minimum.",
		Uses:      []string{"graphite"}, // whose site verify asks, where it is on the host
		Beside:    []string{"graphite"},
		Variables: statsdVariables(),
		Check:     checkStatsd,
		Build:     buildStatsd,
		Verify:    verifyStatsd,
		After: func(in recipe.Input) []string {
			s := statsd{in}
			lines := []string{
				"statsd takes metrics at " + s.loopback("port") + " on the host, by UDP and TCP: echo 'logins:1|c' >/dev/udp/127.0.0.1/" + strconv.Itoa(in.Vars.Int("port")),
			}
			if s.carbon() == nil {
				return append(lines, "what it counts is thrown away: statsd.carbon is off")
			}
			return append(lines, "a flush later that is "+in.Vars.String("prefix")+".counters.logins.count in Graphite")
		},
	}
}

// statsd is what the parts of the recipe are made from.
type statsd struct{ recipe.Input }

// address is one of a listener.
type address struct {
	Host string
	Port int
}

// carbon is where metrics are sent; nil is nowhere.
func (s statsd) carbon() *address {
	at, err := netip.ParseAddrPort(s.Vars.String("carbon"))
	if err != nil { // it is off: the variable was checked
		return nil
	}
	return &address{at.Addr().String(), int(at.Port())}
}

// loopback is where it listens for one of the variables that are ports.
func (s statsd) loopback(variable string) string {
	return "127.0.0.1:" + strconv.Itoa(s.Vars.Int(variable))
}

func (s statsd) deletes(kind string) bool {
	return slices.Contains(s.Vars.List("delete_idle"), kind)
}

func buildStatsd(in recipe.Input) (recipe.Recipe, error) {
	s := statsd{in}
	var r recipe.Recipe
	program, err := s.program()
	if err != nil {
		return recipe.Recipe{}, err
	}
	r.Add(resource.Directory{Path: programDirectory})
	r.Add(program, restart(statsdUnit)...)
	r.Add(resource.Directory{Path: statsdDirectory})
	percentiles, err := s.percentiles()
	if err != nil {
		return recipe.Recipe{}, err
	}
	unit := struct{ Program, Carbon string }{Program: statsdProgram}
	if carbon := s.carbon(); carbon != nil {
		unit.Carbon = carbon.Host
	}
	err = addFiles(&r, []filePart{
		{path: statsdListen, template: "statsd/listen.js.tmpl", notifies: restart(statsdUnit)},
		{path: statsdConfiguration, template: "statsd/config.js.tmpl", notifies: restart(statsdUnit), data: struct {
			Port, ManagementPort, FlushInterval        int
			Percentiles                                []float64
			DeleteCounters, DeleteTimers, DeleteGauges bool
			Carbon                                     *address
			Prefix                                     string
			Listen, Program                            string
		}{
			in.Vars.Int("port"), in.Vars.Int("management_port"), in.Vars.Int("flush_interval"), percentiles,
			s.deletes("counters"), s.deletes("timers"), s.deletes("gauges"), s.carbon(), in.Vars.String("prefix"),
			statsdListen, statsdProgram,
		}},
		{path: "/etc/systemd/system/" + statsdUnit, template: "statsd/statsd.service.tmpl", notifies: restart(statsdUnit), data: unit},
	})
	if err != nil {
		return recipe.Recipe{}, err
	}
	r.Add(resource.Package{Name: "nodejs", Brings: []recipe.Key{}, Restarts: []string{statsdUnit}})
	return r, s.addService(&r)
}

// program is statsd as it was published.
func (s statsd) program() (resource.Tree, error) {
	files, err := npm.StatsD()
	if err != nil {
		return resource.Tree{}, err
	}
	tree := resource.Tree{Path: statsdProgram}
	return tree, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		tree.Files = append(tree.Files, resource.TreeFile{Name: name, Content: string(content)})
		return err
	})
}

func (s statsd) percentiles() ([]float64, error) {
	var all []float64
	for _, text := range s.Vars.List("percentiles") {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("percentiles: %w", err)
		}
		all = append(all, number)
	}
	return all, nil
}

// addService starts statsd, once its own reader takes the configuration, which is a program.
func (s statsd) addService(r *recipe.Recipe) error {
	trial, err := templates.Render("statsd/trial.sh.tmpl", struct{ Program, Configuration string }{statsdProgram, statsdConfiguration})
	if err != nil {
		return err
	}
	r.Add(resource.Service{
		Unit: statsdUnit, Check: trial, Trees: []string{statsdDirectory, programDirectory}, Dry: true,
		Listens: []string{s.loopback("port"), s.loopback("management_port")}, Instead: "-e statsd.port=8225 -e statsd.management_port=8226",
	})
	return nil
}
