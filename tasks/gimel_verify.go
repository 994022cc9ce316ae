package tasks

import (
	"cmp"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/script"
)

// verifyGimel counts as a page would, through nginx and TLS, and sees that what is not for
// everybody is closed.
func verifyGimel(in recipe.Input) ([]recipe.Check, error) {
	g := gimel{in}
	checks := []recipe.Check{
		{
			Name: gimelRuns, From: recipe.FromHost,
			// Only what may come is waited for: the end of a restart.
			Command: &recipe.CommandCheck{Script: `[ -x ` + gimelCurrent + `/gimel ] || { echo "there is no release yet: provision deploy gimel"; exit 1; }
for _ in 1 2 3 4 5 6 7 8 9 10; do
	systemctl -q is-active gimel.service && exit
	sleep 1
done
systemctl is-active gimel.service`},
		},
		{
			Name: "gimel reaches Redis", From: recipe.FromHost, Within: 10 * time.Second,
			Command: &recipe.CommandCheck{Script: gimelCurrent + "/gimel ready --within 5s"},
		},
		{
			// On the host, for the API key is there, and stays there.
			Name: "an event sent twice is counted once", From: recipe.FromHost, Within: 10 * time.Second,
			Command: &recipe.CommandCheck{Script: g.proof(), Contains: "each counted once"},
		},
	}
	checks = append(checks, g.eventLogChecks()...)
	if !isLoopback(in.Address) { // there nothing sees the host from outside
		checks = append(checks, g.outside()...)
	}
	for i := range checks[1:] {
		checks[i+1].Needs = gimelRuns
	}
	return append(checks, ticks("nginx's logs are rotated", logrotateTimer)), nil
}

const gimelRuns = "gimel runs a release"

// proof is the command that counts, and removes what it has counted. It speaks to nginx as
// everybody does, and checks the certificate against itself.
func (g gimel) proof() string {
	rows := ""
	// It leaves none there either. BigQuery is given a row of it only where two minutes end just then.
	if g.logs() && g.eventLog() != eventLogBigQuery {
		rows = " --event-log unix:" + eventLogSocket
	}
	return gimelCurrent + "/gimel verify --url " + script.Quote(g.URL(g.certified())) + " --address 127.0.0.1:443 --ca-file " +
		script.Quote(g.certificate()) + " --api-key-file " + gimelAPIKey + " --track-path " + script.Quote(g.Vars.List("track_paths")[0]) + rows
}

// outside are the checks that the controller makes, at the host's address, with the site's
// name.
func (g gimel) outside() []recipe.Check {
	request := func(name string, check recipe.HTTPCheck) recipe.Check {
		check.Insecure = true // the certificate is for the name, not for the address
		check.Header = map[string]string{"Host": g.hostHeader()}
		return recipe.Check{Name: name, From: recipe.FromController, Within: 10 * time.Second, HTTP: &check}
	}
	var checks []recipe.Check
	for _, path := range g.Vars.List("track_paths") {
		// No event, so nothing is counted; such a request is answered 200.
		checks = append(checks, request(path+" answers from outside", recipe.HTTPCheck{URL: "https://$HOST" + path}))
	}
	checks = append(checks,
		request("the dashboard asks for its password", recipe.HTTPCheck{URL: "https://$HOST/dashboard/login", Type: "text/html", Contains: "password"}),
		request("nobody reads results without the key", recipe.HTTPCheck{URL: "https://$HOST/experiments", Status: 403}),
		request("the metrics are not for everybody", recipe.HTTPCheck{URL: "https://$HOST/metrics", Status: 403}),
	)
	if len(g.Vars.List("server_names")) > 0 {
		checks = append(checks, request("HTTP redirects to HTTPS", recipe.HTTPCheck{URL: "http://$HOST/dashboard/", Status: 308}))
	}
	return checks
}

// name is the site's first, or what the host is reached at.
func (g gimel) name() string {
	if names := g.Vars.List("server_names"); len(names) > 0 {
		if domain, wild := strings.CutPrefix(names[0], "*"); wild {
			return "verify" + domain
		}
		return names[0]
	}
	return cmp.Or(g.Address, "localhost")
}

// certified is a name that the certificate is for.
func (g gimel) certified() string {
	if g.selfSigned() && len(g.Vars.List("server_names")) == 0 {
		return g.Host.Hostname()
	}
	return g.name()
}

func (g gimel) hostHeader() string {
	if len(g.Vars.List("server_names")) > 0 {
		return g.name()
	}
	return "$HOST"
}

// URL is where the site answers under a name or address.
func (g gimel) URL(name string) string {
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return "https://" + name
}

// afterGimel says where it answers, what a page needs, and where the secrets are kept.
func afterGimel(in recipe.Input) []string {
	g := gimel{in}
	paths := g.Vars.List("track_paths")
	site := g.URL(g.name())
	keeps := func(variable, file string) string {
		if !g.Vars.Secret(variable).Empty() {
			return "as given by gimel." + variable
		}
		return "sudo cat " + file
	}
	return []string{
		"dashboard: " + site + "/dashboard/",
		"its password, on the host: " + keeps("password", gimelPassword),
		"the API's key, on the host: " + keeps("api_key", gimelAPIKey),
		"",
		"on a page (npm install alephbet):",
		"",
		`  import AlephBet from "alephbet"`,
		`  new AlephBet.Experiment({`,
		`    name: "button color",`,
		`    tracking_adapter: new AlephBet.GimelAdapter("` + site + paths[len(paths)-1] + `", "alephbet"),`,
		`    variants: {`,
		`      blue: { activate: () => { /* show the blue button */ } },`,
		`      red: { activate: () => { /* show the red button */ } },`,
		`    },`,
		`  }).add_goals([new AlephBet.Goal("button clicked")])`,
	}
}
