package tasks

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/netip"

	"provision/internal/recipe"
)

// alertRule is one of alerts.rules, as the program reads it.
type alertRule struct {
	Name      string `json:"name"`
	Target    string `json:"target"`
	Window    string `json:"window"`
	Function  string `json:"function"`
	Direction string `json:"direction"`
	Warning   string `json:"warning"` // "" is none
	Critical  string `json:"critical"`
	Cycles    string `json:"cycles"`
	NoData    string `json:"no_data"`
	Help      string `json:"help"`
}

// The keys of a rule that may be left out, and what they are then.
var alertDefaults = []struct{ key, otherwise string }{
	{"window", "5min"}, {"function", "last"}, {"direction", "above"}, {"warn", ""}, {"critical", ""}, {"cycles", "2"}, {"no_data", "alert"}, {"help", ""},
}

func newAlertRule(record map[string]string) alertRule {
	value := map[string]string{"name": record["name"], "target": record["target"]}
	for _, optional := range alertDefaults {
		value[optional.key] = cmp.Or(record[optional.key], optional.otherwise)
	}
	return alertRule{
		Name: value["name"], Target: value["target"], Window: value["window"], Function: value["function"], Direction: value["direction"],
		Warning: value["warn"], Critical: value["critical"], Cycles: value["cycles"], NoData: value["no_data"], Help: value["help"],
	}
}

// alertService is a unit that is looked after: it listens at addresses, a web server answers for it, and of
// carbon there is an answer to the query of a metric.
type alertService struct {
	Unit    string   `json:"unit"`
	Listens []string `json:"listens"`
	URL     string   `json:"url"`
	Query   string   `json:"query"`
}

// alertMail is who gets mail, and how.
type alertMail struct {
	To      []string `json:"to"`
	From    string   `json:"from"`
	Msmtprc string   `json:"msmtprc"`
}

// alertSettings are what the program reads.
type alertSettings struct {
	URL            string         `json:"url"`
	Own            bool           `json:"own"`
	User           string         `json:"user"`
	PasswordFile   string         `json:"password_file"`
	CAFile         string         `json:"ca_file"`
	Graphs         string         `json:"graphs"`
	Interval       int            `json:"interval"`
	Cycles         string         `json:"cycles"`
	RemindHours    int            `json:"remind_hours"`
	RestartsAtMost int            `json:"restarts_at_most"`
	WatchesItself  bool           `json:"watches_itself"`
	Journal        bool           `json:"journal"`
	Mail           *alertMail     `json:"mail"`
	Command        string         `json:"command"`
	State          string         `json:"state"`
	Restarts       string         `json:"restarts"`
	Verifies       string         `json:"verifies"`
	Rules          []alertRule    `json:"rules"`
	Services       []alertService `json:"services"`
}

func (a alerts) rules() []alertRule {
	rules := []alertRule{}
	for _, record := range a.Vars.Records("rules") {
		rules = append(rules, newAlertRule(record))
	}
	return rules
}

// config is the program's configuration, in JSON.
func (a alerts) config() (string, error) {
	settings := alertSettings{
		URL: a.url(), Own: a.local(), User: a.Vars.String("user"), PasswordFile: alertsGraphs, CAFile: a.Vars.String("ca_file"), Graphs: a.graphs(),
		Interval: a.Vars.Int("interval"), Cycles: "2", RemindHours: a.Vars.Int("remind_hours"), RestartsAtMost: a.Vars.Int("restarts"),
		WatchesItself: true, Journal: true, Command: a.Vars.String("command"),
		State: alertsState, Restarts: alertsData + "/restarts", Verifies: alertsVerify, Rules: a.rules(), Services: append([]alertService{}, a.services()...),
	}
	if a.mails() {
		settings.Mail = &alertMail{To: a.Vars.List("mail_to"), From: a.mailFrom(), Msmtprc: alertsConfig + "/msmtprc"}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(settings)
	return text.String(), err
}

// url is where the program asks.
func (a alerts) url() string {
	if a.local() {
		return a.graphite().address("127.0.0.1")
	}
	return a.Vars.String("url")
}

// graphs is where people see graphs: for them loopback is their own machine.
func (a alerts) graphs() string {
	switch {
	case a.Vars.String("graphs") != "":
		return a.Vars.String("graphs")
	case !a.local():
		return a.Vars.String("url")
	}
	return a.graphite().address(cmp.Or(a.graphite().serverName(), a.Host.Hostname()))
}

func (a alerts) mailFrom() string {
	return cmp.Or(a.Vars.String("mail_from"), "alerts@"+a.Host.Hostname())
}

func (a alerts) mailServer() any {
	return struct {
		Host, From, TLS, User, PasswordFile string
		Port                                int
	}{a.Vars.String("smtp_host"), a.mailFrom(), a.Vars.String("smtp_tls"), a.Vars.String("smtp_user"), smtpPassword, a.Vars.Int("smtp_port")}
}

// monit is what its own files are filled in with.
func (a alerts) monit() any {
	return struct {
		Program, Folder, Account, Data   string
		Interval, Cycle, Every, Restarts int
		Rules                            []alertRule
		Services                         []alertService
	}{alertsProgram, alertsFolder, alertsAccount, alertsData, a.Vars.Int("interval"), monitCycle, a.Vars.Int("interval") / monitCycle, a.Vars.Int("restarts"), a.rules(), a.services()}
}

func loopback(port int) string {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)).String()
}

// checkAlerts refuses what does not go together.
func checkAlerts(vars recipe.Values) (string, error) {
	set := func(name string) bool {
		if secret, is := vars[name].(recipe.Secret); is {
			return !secret.Empty()
		}
		return vars.String(name) != ""
	}
	switch {
	case len(vars.List("mail_to")) > 0 && !set("smtp_host"):
		return "smtp_host", errors.New("mail_to needs it: the mail server that takes the mail")
	case set("smtp_user") && !set("smtp_password"):
		return "smtp_password", errors.New("has to go with smtp_user")
	case set("smtp_user") && vars.String("smtp_tls") == "off":
		return "smtp_tls", errors.New("off would send smtp_password in the open")
	case set("user") && !set("password"):
		return "password", errors.New("has to go with user")
	case !set("url") && (set("user") || set("ca_file")):
		return "url", errors.New("user and ca_file are for a Graphite elsewhere: the host's own asks its host for nothing")
	}
	return "", nil
}
