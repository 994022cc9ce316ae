package tasks

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// healthcheckScript asks a site; what of it differs from site to site is in the unit that runs it.
const healthcheckScript = configDirectory + "/healthcheck.sh"

// Healthcheck answers a checker that speaks plain HTTP for a site that speaks TLS alone.
//
// nginx cannot ask by itself: it compares no body, and of a certificate that it refuses it tells nobody
// but its log. A timer that writes the state down would answer with what was true some time ago. So
// nginx passes the request on to a script that systemd starts for it, once a second at the most, however
// many ask; the script gets nothing of what they sent.
func Healthcheck() recipe.Task {
	return recipe.Task{
		Name:    "healthcheck",
		Summary: "plain HTTP health check of a site that is TLS only, for Route53 and its like",
		About: "For a checker that does not speak the site's TLS, or takes its redirect to HTTPS for health, as Route53 does with each 2xx and 3xx. nginx answers at http://HOST:8080/health: 200 and \"healthy\" when the site, asked now over TLS at healthcheck.address, " +
			"shows a certificate that is trusted, of its name and in its time, the status and the text that are wanted; else 503 and why: \"down: certificate expired\". It never redirects, and serves nothing else there. " +
			"However many ask, the site is asked once a second, and all who ask in that second get the answer. A host may have several, healthcheck@shop and healthcheck@blog, each with a port or a name of its own.",
		Instances: true,
		Uses:      []string{"nginx"},
		Variables: healthcheckVariables(),
		Build:     buildHealthcheck,
		Verify:    verifyHealthcheck,
		After: func(in recipe.Input) []string {
			h := healthcheck{in}
			return []string{
				h.url(in.Address, h.Vars.String("endpoint")) + " says whether https://" + h.Vars.String("domain") + h.Vars.String("path") + " works: 200, or 503 and why",
				"checkers have to be let in: where the task firewall is, by firewall.allow",
			}
		},
	}
}

// healthcheck is what the parts of the recipe are made from.
type healthcheck struct{ recipe.Input }

// site is the name of nginx's site, and of what else there is one of for each instance.
func (h healthcheck) site() string {
	if h.Instance == "" {
		return "healthcheck"
	}
	return "healthcheck-" + h.Instance
}

func (h healthcheck) unit() string   { return "provision-" + h.site() }
func (h healthcheck) socket() string { return "/run/" + h.unit() + ".sock" }

// probe is where the host itself finds the answer of a site that is down, whatever the site does.
func (h healthcheck) probe() string {
	return strings.TrimSuffix(h.Vars.String("endpoint"), "/") + "/down"
}

// healthcheckSettings is what the templates are filled in with.
type healthcheckSettings struct {
	Unit, Socket, Script                string
	Domain, Path, Contains, CA, Address string
	Status                              int
	Seconds                             string // after which the site is down
	Longest                             int    // seconds after which the script is
	Port                                int
	IPv6                                bool
	Name, Endpoint, Probe               string
}

func (h healthcheck) settings() healthcheckSettings {
	timeout := time.Duration(h.Vars.Int("timeout")) * time.Millisecond
	return healthcheckSettings{
		Unit: h.unit(), Socket: h.socket(), Script: healthcheckScript,
		Domain: h.Vars.String("domain"), Path: h.Vars.String("path"), Contains: h.Vars.String("contains"),
		CA: h.Vars.String("ca"), Address: h.Vars.String("address"), Status: h.Vars.Int("status"),
		Seconds: strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64), Longest: int(timeout.Seconds()) + 3,
		Port: h.Vars.Int("port"), IPv6: h.Of("nginx").Bool("ipv6"),
		Name: h.Vars.String("name"), Endpoint: h.Vars.String("endpoint"), Probe: h.probe(),
	}
}

func buildHealthcheck(in recipe.Input) (recipe.Recipe, error) {
	h := healthcheck{in}
	r, err := nginxConfiguration(in.Of("nginx"), in.System)
	if err != nil {
		return r, err
	}
	r.Add(resource.Directory{Path: configDirectory})
	settings, socket := h.settings(), h.unit()+".socket"
	err = addFiles(&r, []filePart{
		// Script and service are read for each answer: nothing has to restart for them.
		{path: healthcheckScript, template: "healthcheck/check.sh.tmpl"},
		{path: "/etc/systemd/system/" + h.unit() + "@.service", template: "healthcheck/check.service.tmpl", data: settings},
		{path: "/etc/systemd/system/" + socket, template: "healthcheck/check.socket.tmpl", data: settings, notifies: restart(socket)},
	})
	if err != nil {
		return r, err
	}
	site, err := nginxSite(h.site(), "healthcheck/nginx.conf.tmpl", settings)
	if err != nil {
		return r, err
	}
	r.Include(site)
	for _, name := range []string{"curl", "ca-certificates"} {
		r.Add(resource.Package{Name: name, Brings: []recipe.Key{}})
	}
	r.Include(nginxPackages())
	r.Add(resource.Service{Unit: socket, Listens: []string{h.socket()}})
	option := "-e " + in.Named("healthcheck")
	r.Include(nginxService([]int{settings.Port},
		"where another site is the default one at the port, give this one a name: "+option+".name=health.example.org", option+".port=8081", h.site()))
	return r, nil
}

// url is where nginx answers, at a host.
func (h healthcheck) url(host, path string) string {
	address := net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(h.Vars.Int("port")))
	return "http://" + strings.TrimSuffix(address, ":80") + path
}

// unasked is in nginx's own answer, where the script does not run.
const unasked = "the check itself does not run"

// verifyHealthcheck asks as a checker does, and for a site that is down. That one is asked for at the
// port 1 of the same address: the real site goes on.
func verifyHealthcheck(in recipe.Input) ([]recipe.Check, error) {
	h := healthcheck{in}
	endpoint := h.Vars.String("endpoint")
	ask := func(name string, from recipe.Vantage, path string, check recipe.HTTPCheck) recipe.Check {
		host := map[recipe.Vantage]string{recipe.FromHost: "127.0.0.1", recipe.FromController: "$HOST"}[from]
		check.URL = fmt.Sprintf("http://%s:%d%s", host, h.Vars.Int("port"), path)
		if name := h.Vars.String("name"); name != "" {
			check.Header = map[string]string{"Host": name}
		}
		return recipe.Check{Name: name, From: from, Within: 10 * time.Second, HTTP: &check}
	}
	checks := []recipe.Check{
		ask("the site is healthy", recipe.FromHost, endpoint, recipe.HTTPCheck{Type: "text/plain", Prefix: "healthy\n"}),
		ask("of one that is down it is told why", recipe.FromHost, h.probe(), recipe.HTTPCheck{Type: "text/plain", Status: 503, Prefix: "down: ", Lacks: unasked}),
		ask("nothing else is served", recipe.FromHost, "/provision-$NONCE", recipe.HTTPCheck{Status: 404}),
	}
	if !isLoopback(in.Address) { // there nothing sees the host from outside
		checks = append(checks,
			ask("it answers from outside", recipe.FromController, endpoint, recipe.HTTPCheck{Type: "text/plain", Prefix: "healthy\n"}),
			ask("and nothing else does", recipe.FromController, h.probe(), recipe.HTTPCheck{Status: 404}))
	}
	return append(checks, ticks("nginx's logs are rotated", logrotateTimer)), nil
}
