package tasks

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
)

// verifyGraphite writes a metric as a client would, reads it back and draws it; and sees
// that nobody gets in who should not. Requests of the host itself go through nginx.
func verifyGraphite(in recipe.Input) ([]recipe.Check, error) {
	g := graphite{Input: in}
	checks := []recipe.Check{
		{
			// A metric of its own: of two values in ten seconds only the last would come back.
			// -1 is carbon's own time: the controller's clock may be off.
			Name: takesMetric, From: recipe.FromHost, Within: 10 * time.Second,
			TCP: &recipe.TCPCheck{Address: "127.0.0.1:2003", Send: verifyMetric + " $NONCE -1\n"},
		},
		g.comesBack(),
		g.local("a graph is drawn", recipe.HTTPCheck{
			URL:    "/render?target=" + verifyMetric + "&from=-5min&width=586&height=308",
			Prefix: "\x89PNG", Type: "image/png",
		}),
		g.local("/healthz", recipe.HTTPCheck{URL: "/healthz", Contains: "1."}),
		g.local("the composer", recipe.HTTPCheck{URL: "/composer/", Contains: "Graphite"}),
		g.local("the dashboard", recipe.HTTPCheck{URL: "/dashboard/", Contains: "Graphite", Lacks: "Invalid theme"}),
		g.local("the admin's login", recipe.HTTPCheck{URL: "/admin/login/", Contains: "csrfmiddlewaretoken"}),
		g.local("a static file", recipe.HTTPCheck{URL: "/static/css/dashboard.css", Type: "text/css"}),
		ticks("the list of metrics is made anew", indexTimer),
		ticks("nginx's logs are rotated", logrotateTimer),
	}
	if !isLoopback(in.Address) { // there nothing sees the host from outside
		checks = append(checks, g.outside()...)
	}
	return append(checks, forgetMetrics()), nil
}

const (
	takesMetric  = "carbon takes a metric"
	verifyMetric = "provision.verify-$NONCE"
)

// comesBack sends the metric again where a carbon that is restarted has lost it, as beside
// an install.
func (g graphite) comesBack() recipe.Check {
	check := g.local("the metric comes back", recipe.HTTPCheck{
		URL:      "/render?target=" + verifyMetric + "&from=-5min&format=json&noCache=1",
		Contains: "[$NONCE.0,", Type: "application/json",
	})
	check.Again = takesMetric
	return check
}

// forgetMetrics removes what this verify has written, and what earlier ones have: carbon
// may write a metric down only after its verify is over. Those of ten minutes may be of one
// that still goes on.
func forgetMetrics() recipe.Check {
	return recipe.Check{
		Name: "its metric is removed", From: recipe.FromHost, Within: 10 * time.Second,
		Command: &recipe.CommandCheck{Script: `cd / && ` + asUser(graphiteUser) + `sh -c '
cd /var/lib/graphite/whisper/provision 2>/dev/null || exit 0
find . -maxdepth 1 -type f \( -name "verify-*$1.wsp" -o -name "verify*.wsp" -mmin +10 \) -delete' sh "$NONCE"`},
	}
}

// local is a request that the host makes itself. Any certificate will do: it is for the
// names of outside.
func (g graphite) local(name string, request recipe.HTTPCheck) recipe.Check {
	request.URL = g.address("127.0.0.1") + request.URL
	request.Insecure = g.tls()
	return recipe.Check{Name: name, From: recipe.FromHost, Within: 10 * time.Second, HTTP: &request}
}

// address is where the site answers under a name or address.
func (g graphite) address(host string) string {
	scheme, usual := "http", 80
	if g.tls() {
		scheme, usual = "https", 443
	}
	if g.port() != usual {
		host += ":" + strconv.Itoa(g.port())
	}
	return scheme + "://" + host
}

// fromOutside is a request that the controller makes: to the host's address, with a name that the
// site answers to. That it resolves here already is not what is asked, nor that the address is one of
// allowed_hosts.
func (g graphite) fromOutside(name string, request recipe.HTTPCheck) recipe.Check {
	request.URL = g.address("$HOST") + request.URL
	request.Insecure = g.tls()
	if hosts := g.allowedHosts(); hosts[0] != "*" {
		request.Header = map[string]string{"Host": cmp.Or(g.serverName(), "localhost")}
	}
	return recipe.Check{Name: name, From: recipe.FromController, Within: 5 * time.Second, HTTP: &request}
}

// outside are the checks that the controller makes.
func (g graphite) outside() []recipe.Check {
	closed := func(port string) recipe.Check {
		return recipe.Check{
			Name: "port " + port + " is closed", From: recipe.FromController,
			TCP: &recipe.TCPCheck{Address: "$HOST:" + port, Closed: true},
		}
	}
	render := "/render?target=" + verifyMetric + "&format=json"
	var checks []recipe.Check
	password := g.Vars.Secret("password")
	switch {
	case !g.auth():
		checks = append(checks, g.fromOutside("it answers from outside", recipe.HTTPCheck{URL: render}))
	case password.Empty():
		checks = append(checks, g.fromOutside("nobody gets in without the password", recipe.HTTPCheck{URL: render, Status: 401}))
	default:
		checks = append(checks,
			g.fromOutside("nobody gets in without the password", recipe.HTTPCheck{URL: render, Status: 401}),
			g.fromOutside("the password opens", recipe.HTTPCheck{URL: render, User: g.Vars.String("user"), Password: password}),
		)
	}
	if !g.public() {
		checks = append(checks, closed("2003"), closed("2004"))
	} else if !g.Vars.Bool("carbon_pickle") {
		checks = append(checks, closed("2004"))
	}
	if g.clustered() {
		checks = append(checks, closed(strconv.Itoa(nodePort)), closed(strconv.Itoa(nodeWebPort)))
	}
	return append(checks, closed("7002"))
}

// serverName is the first name of the site that is one, without a wildcard.
func (g graphite) serverName() string {
	for _, name := range g.Vars.List("server_names") {
		if !strings.HasPrefix(name, "*") {
			return name
		}
	}
	return ""
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "" || host == "localhost" || err == nil && address.IsLoopback()
}

// home is where a person finds the site.
func (g graphite) home() string { return g.address(cmp.Or(g.serverName(), bracketed(g.Address))) + "/" }

// bracketed is an address as a URL has it.
func bracketed(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

// afterGraphite says where it answers and where the password is kept, never the password.
func afterGraphite(in recipe.Input) []string {
	g := graphite{Input: in}
	lines := []string{"Graphite answers at " + g.home()}
	if g.auth() {
		line := "user " + g.Vars.String("user") + ", the password is in " + graphitePassword + " on the host: sudo cat " + graphitePassword
		if !g.Vars.Secret("password").Empty() {
			line = "user " + g.Vars.String("user") + ", with the password from graphite.password"
		}
		lines = append(lines, line)
	} else {
		lines = append(lines, "nobody is asked for a password (auth is false)")
	}
	if networks := in.Vars.List("carbon_listen"); len(networks) > 0 {
		return append(lines, "carbon takes metrics at "+bracketed(in.Address)+":2003 from "+strings.Join(networks, ", "))
	}
	return append(lines, "carbon takes metrics at 127.0.0.1:2003 on the host")
}

// GraphiteSite is where a host's Graphite answers on the host itself, by graphite's variables.
func GraphiteSite(vars recipe.Values) string {
	return graphite{Input: recipe.Input{Vars: vars}}.address("127.0.0.1")
}
