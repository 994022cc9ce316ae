package tasks

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"provision/internal/recipe"
)

// verifyWebapp asks the application as a visitor does, through nginx, and sees that the limits of its
// workers are in effect.
func verifyWebapp(in recipe.Input) ([]recipe.Check, error) {
	w := webapp{in}
	runs := w.name() + " runs a release"
	checks := []recipe.Check{
		w.onHost(runs, `[ -e `+w.releases().Current()+` ] || { echo "there is no release yet: provision deploy `+in.Named(webappName)+`"; exit 1; }
systemctl is-active `+w.unit(), "active"),
		w.answers("it answers through nginx", recipe.FromHost, "127.0.0.1"),
		w.onHost("no page shows a visitor settings or source", "python3 -B "+w.directory()+"/ask.py "+w.socket(), ""),
		w.onHost("the kernel's limit of its memory is in effect", fmt.Sprintf("systemctl show -p MemoryMax --value %s", w.unit()), fmt.Sprint(w.memoryMax()<<20)),
	}
	if w.measures() {
		checks = append(checks, w.onHost("the memory of each worker is measured, and sent", fmt.Sprintf(`systemctl is-active %s || exit
python3 -B %s/memory.py --print | grep -c '^%s[.].*[.]%s[.]worker[.][0-9]*[.]rss [0-9]'`,
			w.memoryUnit(), w.directory(), strings.ReplaceAll(w.Vars.String("graphite_prefix"), ".", "[.]"), w.settings().Series), fmt.Sprintf("\n%d\n", w.Vars.Int("processes"))))
	}
	if w.guarded() {
		guard := w.onHost("monit looks after it", `monit -B summary | awk '$1 == "`+w.name()+`" { $1 = ""; $NF = ""; print }'; python3 -IB `+w.directory()+"/guard.py", " OK \nanswers, and has ")
		guard.Within = 30 * time.Second // monit's first look
		checks = append(checks, guard)
	}
	if !isLoopback(in.Address) { // there nothing sees the host from outside
		checks = append(checks, w.answers("it answers from outside", recipe.FromController, "$HOST"))
		if w.tls() {
			checks = append(checks, recipe.Check{
				Name: "HTTP redirects to HTTPS", From: recipe.FromController, Within: 10 * time.Second,
				HTTP: &recipe.HTTPCheck{URL: "http://$HOST/", Header: map[string]string{"Host": w.host()}, Status: 301},
			})
		}
	}
	for i := range checks[1:] {
		checks[i+1].Needs = runs
	}
	return append(checks, ticks("nginx's logs are rotated", logrotateTimer)), nil
}

// onHost is a check of a script that prints something.
func (w webapp) onHost(name, script, prints string) recipe.Check {
	return recipe.Check{
		Name: name, From: recipe.FromHost, Within: 10 * time.Second,
		Command: &recipe.CommandCheck{Script: script, Contains: prints},
	}
}

// answers is a check of the page by which the application is known to be well.
func (w webapp) answers(name string, from recipe.Vantage, address string) recipe.Check {
	scheme := map[bool]string{true: "https://", false: "http://"}[w.tls()]
	return recipe.Check{
		Name: name, From: from, Within: 10 * time.Second,
		HTTP: &recipe.HTTPCheck{
			URL: scheme + address + w.Vars.String("health_path"), Header: map[string]string{"Host": w.host()},
			Insecure: true, // the certificate is for the name, not for the address
			Status:   w.Vars.Int("health_status"), Contains: w.Vars.String("health_contains"),
		},
	}
}

// host is a name that the site answers to.
func (w webapp) host() string {
	name := "localhost"
	if names := w.Vars.List("server_names"); len(names) > 0 {
		name = names[0]
	}
	if domain, wild := strings.CutPrefix(name, "*"); wild {
		return "verify" + domain
	}
	return name
}

// afterWebapp says where it answers, and what a deploy is.
func afterWebapp(in recipe.Input) []string {
	w := webapp{in}
	name := w.host()
	if len(w.Vars.List("server_names")) == 0 {
		name = cmp.Or(in.Address, name)
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	scheme := map[bool]string{true: "https://", false: "http://"}[w.tls()]
	return []string{
		w.name() + ": " + scheme + name + "/",
		"another release: provision deploy " + in.Named(webappName) + " --artifact FILE.tar",
	}
}
