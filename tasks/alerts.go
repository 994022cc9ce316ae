package tasks

import (
	"path"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	alertsName    = "alerts"
	alertsAccount = "provision-alerts"
	alertsFolder  = "/usr/local/lib/provision-alerts"
	alertsProgram = alertsFolder + "/alerts"
	alertsConfig  = configDirectory + "/alerts"
	alertsData    = "/var/lib/provision-alerts"
	alertsState   = alertsData + "/state"               // the account's own
	alertsVerify  = "/run/provision-alerts-verify"      // root's: the rules of a verify
	smtpPassword  = alertsConfig + "/smtp-password"     // where the account may read it
	alertsGraphs  = alertsConfig + "/graphite-password" // and this
)

// Alerts is monit, which asks Graphite what rules say, and tells people.
func Alerts() recipe.Task {
	return recipe.Task{
		Name:    alertsName,
		Summary: "alerts: monit asks Graphite, tells of thresholds, of no data and of recovery, and restarts what hangs",
		About: "Installs monit from Debian's package. It asks Graphite's render API what each rule says, and when a rule has a new answer, it is told once: by mail, by a command, and in the journal. " +
			"A check that crashes, or does not come to its end, is an alert of its own. " +
			"Graphite is that of the host itself, which comes with it, with the variables of the task graphite, or one elsewhere, by alerts.url. Of its own Graphite the services are looked after too: " +
			"what dies is started by systemd, and what runs and does not answer is restarted, a few times and no more; what somebody stopped is told, and stays stopped. " +
			"provision do alerts test RULE shows what a rule says now, drawn; alerts status what all are in; alerts message sends a test.",
		Uses:      []string{"graphite", "nginx", "uwsgi"},
		Variables: alertsVariables(),
		Check:     checkAlerts,
		Build:     buildAlerts,
		Verify:    verifyAlerts,
		Actions:   alertsActions(),
		After:     afterAlerts,
	}
}

// alerts is what the parts of the recipe are made from.
type alerts struct{ recipe.Input }

// local reports whether Graphite is the host's own.
func (a alerts) local() bool { return a.Vars.String("url") == "" }

// graphite is that of the host.
func (a alerts) graphite() graphite {
	in := a.Input
	in.Vars = a.Of("graphite")
	return graphite{Input: in}
}

func (a alerts) mails() bool { return len(a.Vars.List("mail_to")) > 0 }

// buildAlerts brings Graphite too, where it is the host's own: all files come before a package, and all
// packages before a service.
func buildAlerts(in recipe.Input) (recipe.Recipe, error) {
	a := alerts{in}
	var r recipe.Recipe
	a.addAccount(&r)
	if err := a.addProgram(&r); err != nil {
		return recipe.Recipe{}, err
	}
	if err := a.addConfiguration(&r); err != nil {
		return recipe.Recipe{}, err
	}
	if a.local() {
		own, err := buildGraphiteWith(a.graphite().Input, a.addPackages)
		if err != nil {
			return recipe.Recipe{}, err
		}
		r.Include(own)
	} else {
		a.addPackages(&r)
	}
	addMonitService(&r)
	return r, nil
}

// addAccount adds the account that asks and tells, and where it keeps what it has seen. What root notes of
// restarts is beside that, where the account cannot write.
func (a alerts) addAccount(r *recipe.Recipe) {
	r.Add(resource.User{Name: alertsAccount})
	own := recipe.Attributes{Mode: 0o750, Owner: alertsAccount, Group: alertsAccount}
	r.Add(resource.Directory{Path: alertsData, Data: true})
	r.Add(resource.Directory{Path: alertsState, Attributes: own, Data: true})
	r.Add(resource.Directory{Path: alertsData + "/restarts", Data: true})
	r.Add(resource.Directory{Path: configDirectory})
	r.Add(resource.Directory{Path: alertsConfig, Attributes: recipe.Attributes{Mode: 0o750, Group: alertsAccount}})
	r.Add(resource.Directory{Path: alertsFolder})
}

// alertsModules are the files of the program, and the templates that they are made from.
func alertsModules() map[string]string {
	files := map[string]string{"alerts": "alerts/alerts.tmpl", "verify": "alerts/verify.tmpl"}
	for _, module := range []string{"checks", "graphite", "messages", "plot", "services", "states"} {
		files[module+".py"] = "alerts/" + module + ".py.tmpl"
	}
	return files
}

// addProgram adds what monit runs. It is started anew for each check: nothing goes on with the old of it.
func (a alerts) addProgram(r *recipe.Recipe) error {
	modules := alertsModules()
	var parts []filePart
	for _, name := range sortedNames(modules) {
		part := filePart{path: alertsFolder + "/" + name, template: modules[name]}
		if path.Ext(name) == "" {
			part.attributes.Mode = 0o755
		}
		parts = append(parts, part)
	}
	return addFiles(r, parts)
}

// addConfiguration adds what the program reads, each time anew, and what monit reads.
func (a alerts) addConfiguration(r *recipe.Recipe) error {
	readable := recipe.Attributes{Mode: 0o640, Group: alertsAccount}
	if err := addMonitFiles(r); err != nil {
		return err
	}
	config, err := a.config()
	if err != nil {
		return err
	}
	r.Add(resource.File{Path: alertsConfig + "/alerts.json", Content: config, Attributes: readable})
	for _, login := range []struct{ user, password, path string }{{"user", "password", alertsGraphs}, {"smtp_user", "smtp_password", smtpPassword}} {
		if given := a.Vars.Secret(login.password); !given.Empty() && a.Vars.String(login.user) != "" {
			r.Add(resource.File{Path: login.path, Content: given.Reveal() + "\n", Secret: true, Attributes: readable})
		}
	}
	parts := []filePart{
		{path: monitChecks + "/provision-alerts", template: "alerts/monit.conf.tmpl", data: a.monit(), notifies: restart(monitUnit)},
		{path: monitDropIn + "/20-provision-alerts.conf", template: "alerts/monit.service.conf.tmpl", data: a.monit(), notifies: restart(monitUnit)},
	}
	if a.mails() {
		parts = append(parts, filePart{path: alertsConfig + "/msmtprc", template: "alerts/msmtprc.tmpl", data: a.mailServer(), attributes: readable})
	}
	return addFiles(r, parts)
}

func (a alerts) addPackages(r *recipe.Recipe) {
	addMonitPackage(r)
	r.Add(resource.Package{Name: "python3", Brings: []recipe.Key{}})
	if a.mails() {
		r.Add(resource.Package{Name: "msmtp", Brings: []recipe.Key{}})
	}
	if a.mails() || strings.HasPrefix(a.Vars.String("url"), "https:") && a.Vars.String("ca_file") == "" {
		r.Add(authoritiesPackage())
	}
}

func alertsActions() []recipe.Script {
	run := "cd / && exec " + asUser(alertsAccount) + alertsProgram + " "
	return []recipe.Script{
		{
			Name: "test", Help: "Shows what a rule says now: each point of its window, drawn, with the limits.", Timeout: time.Minute,
			Text:      run + `test "$rule"`,
			Arguments: []recipe.Variable{{Name: "rule", Type: recipe.TypeString, Needed: true, Check: text(alertName), Help: "The rule's name."}},
		},
		{Name: "status", Help: "Shows what each rule and service is in.", Timeout: time.Minute, Text: run + "status"},
		{Name: "message", Help: "Sends a test message, by mail and by the command, as they are set.", Timeout: 3 * time.Minute, Text: run + "message"},
	}
}

// services are what is looked after beside Graphite, where it is the host's own.
func (a alerts) services() []alertService {
	if !a.local() || !a.Vars.Bool("services") {
		return nil
	}
	own := a.graphite()
	listens := []string{}
	for _, port := range own.ports() {
		listens = append(listens, loopback(port))
	}
	return []alertService{
		{Unit: carbonUnit, Listens: []string{loopback(2003)}, Query: loopback(7002)},
		{Unit: graphiteWeb.unit(), Listens: []string{}, URL: own.address("127.0.0.1") + "/healthz"},
		{Unit: nginxUnit, Listens: listens, URL: own.address("127.0.0.1") + "/favicon.ico"}, // a file, by nginx alone
	}
}

// afterAlerts says who is told, and how to see what is.
func afterAlerts(in recipe.Input) []string {
	a := alerts{in}
	var ways []string
	if a.mails() {
		ways = append(ways, "mail to "+joined(in.Vars.List("mail_to")))
	}
	if in.Vars.String("command") != "" {
		ways = append(ways, "the command")
	}
	lines := []string{"alerts go to the journal, and by " + joined(ways)}
	if len(ways) == 0 {
		lines = []string{"nobody is told: alerts go to the journal alone; set alerts.mail_to, or alerts.command"}
	}
	if len(in.Vars.Records("rules")) == 0 {
		lines = append(lines, "there is no rule yet: alerts.rules; provision list alerts tells how one is written")
	}
	return append(lines, "provision do alerts message sends a test; provision do alerts status shows what all are in")
}

func joined(words []string) string {
	text := ""
	for i, word := range words {
		switch {
		case i == 0:
			text = word
		case i == len(words)-1:
			text += " and " + word
		default:
			text += ", " + word
		}
	}
	return text
}

func sortedNames(all map[string]string) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
