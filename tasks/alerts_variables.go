package tasks

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"provision/internal/recipe"
)

func alertsVariables() []recipe.Variable {
	return slices.Concat(alertRuleVariables(), alertGraphiteVariables(), alertMessageVariables())
}

func alertRuleVariables() []recipe.Variable {
	var optional []string
	for _, key := range alertDefaults {
		optional = append(optional, key.key)
	}
	return []recipe.Variable{
		{
			Name: "rules", Type: recipe.TypeRecords, Fields: []string{"name", "target"}, Optional: optional, Check: alertRules,
			Help: "What is asked. target is as Graphite's render takes it; of several series the worst counts. function makes one value of the points of the window (5min): last, avg, max, min, or \"3 of 5\", " +
				"for which 3 of the last 5 points have to be beyond a limit. warn and critical are limits, of which one has to be there; direction is above, or below. cycles (2) is how many checks " +
				"in succession have to agree before anything is told, or \"2 of 3\". no_data is alert, or ok where it is well that no points come. help is what to do, in a sentence: it stands in the message.",
		},
		{
			Name: "interval", Type: recipe.TypeInt, Default: 30, Check: alertInterval,
			Help: "Seconds between two checks of a rule.",
		},
		{
			Name: "services", Type: recipe.TypeBool, Default: true,
			Help: "Also look after carbon, graphite-web and nginx, where Graphite is the host's own.",
		},
		{
			Name: "restarts", Type: recipe.TypeInt, Default: 3, Check: between(0, 100),
			Help: "How often a service that does not answer is restarted, within an hour and until it answers again; 0 is never.",
		},
	}
}

func alertGraphiteVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "url", Type: recipe.TypeString, Check: optional(httpURL),
			Help: "A Graphite elsewhere, as https://graphite.example.org; without it the host has its own, by the task graphite and its variables.",
		},
		{
			Name: "user", Type: recipe.TypeString, Check: optional(oneWordUser),
			Help: "The name with which a Graphite elsewhere is asked.",
		},
		{Name: "password", Type: recipe.TypeSecret, Check: secretOf(1), Help: "The password that goes with it."},
		{
			Name: "ca_file", Type: recipe.TypeString, Check: optional(hostPath),
			Help: "The path on the host of the PEM file that its certificate is checked with, where the system's do not do.",
		},
		{
			Name: "graphs", Type: recipe.TypeString, Check: optional(httpURL),
			Help: "The address under which people see graphs, for the links in messages; without it what url says, or the first of graphite.server_names, or the host's name.",
		},
	}
}

func alertMessageVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "command", Type: recipe.TypeString, Check: optional(shellCommand),
			Help: "A command line of sh that is run for each message, as the account " + alertsAccount + ": the text is on its standard input, and in its environment ALERT_NAME, ALERT_STATE (ok, warning, critical, " +
				"\"no data\" or stopped), ALERT_WAS, ALERT_SUBJECT, ALERT_TEXT, ALERT_VALUE, ALERT_SERIES, ALERT_SINCE, ALERT_GRAPH, ALERT_HELP and ALERT_HOST. It may write to /run and " + alertsState + ". When it fails, it is run again.",
		},
		{Name: "mail_to", Type: recipe.TypeList, Check: eachOf(mailAddress), Help: "Who gets mail; what comes together is one."},
		{Name: "mail_from", Type: recipe.TypeString, Check: optional(mailAddress), Help: "From whom it is; without it alerts@ the host's name."},
		{Name: "smtp_host", Type: recipe.TypeString, Check: optional(hostOrAddress), Help: "The mail server that takes it."},
		{Name: "smtp_port", Type: recipe.TypeInt, Default: 587, Check: between(1, 65535), Help: "Its port: 587 with starttls, 465 with tls, 25 as a rule with off."},
		{
			Name: "smtp_tls", Type: recipe.TypeString, Default: "starttls", Choices: []string{"starttls", "tls", "off"},
			Help: "How the connection is encrypted; its certificate is checked.",
		},
		{Name: "smtp_user", Type: recipe.TypeString, Check: optional(oneWordUser), Help: "The name with which the host logs in there."},
		{Name: "smtp_password", Type: recipe.TypeSecret, Check: secretOf(1), Help: "The password that goes with it."},
		{
			Name: "remind_hours", Type: recipe.TypeInt, Check: between(0, 24*30),
			Help: "Hours after which what is still wrong is told again; 0 is never.",
		},
	}
}

var (
	alertNameForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	alertWindowForm = regexp.MustCompile(`^[1-9][0-9]{0,4}(s|min|h|d)$`)
	alertLimitForm  = regexp.MustCompile(`^-?[0-9]{1,18}(\.[0-9]{1,9})?$`)
	shareForm       = regexp.MustCompile(`^([1-9][0-9]{0,2}) of ([1-9][0-9]{0,2})$`)
)

func alertName(name string) error {
	if !alertNameForm.MatchString(name) {
		return fmt.Errorf("%s: must be lower case letters, digits, - and _, 63 at most", recipe.Quoted(name))
	}
	return nil
}

func alertRules(value any) error {
	seen := map[string]bool{}
	for _, record := range value.([]map[string]string) {
		rule := newAlertRule(record)
		if err := alertName(rule.Name); err != nil {
			return fmt.Errorf("name %w", err)
		}
		if seen[rule.Name] {
			return fmt.Errorf("name %q: is there twice", rule.Name)
		}
		seen[rule.Name] = true
		if err := rule.check(); err != nil {
			return fmt.Errorf("rule %s: %w", rule.Name, err)
		}
	}
	return nil
}

func (r alertRule) check() error {
	switch {
	case len(r.Target) > 2000 || !onePrintableLine(r.Target):
		return errors.New("target: must be one line, of 2,000 bytes at most")
	case r.Help != "" && (len(r.Help) > 1000 || !onePrintableLine(r.Help)):
		return errors.New("help: must be one line, of 1,000 bytes at most")
	case !alertWindowForm.MatchString(r.Window):
		return fmt.Errorf("window %s: must be as 30s, 5min, 2h or 1d", recipe.Quoted(r.Window))
	case !slices.Contains([]string{"last", "avg", "max", "min"}, r.Function) && !isShare(r.Function, 999):
		return fmt.Errorf("function %s: must be last, avg, max, min, or as 3 of 5", recipe.Quoted(r.Function))
	case r.Direction != "above" && r.Direction != "below":
		return fmt.Errorf("direction %s: must be above or below", recipe.Quoted(r.Direction))
	case r.NoData != "alert" && r.NoData != "ok":
		return fmt.Errorf("no_data %s: must be alert or ok", recipe.Quoted(r.NoData))
	case !isShare(r.Cycles+" of 20", 20) && !isShare(r.Cycles, 20):
		return fmt.Errorf("cycles %s: must be a number from 1 to 20, or as 2 of 3", recipe.Quoted(r.Cycles))
	}
	return r.checkLimits()
}

func (r alertRule) checkLimits() error {
	if cmp.Or(r.Warning, r.Critical) == "" {
		return errors.New("has neither warn nor critical")
	}
	limits := map[string]float64{}
	for name, text := range map[string]string{"warn": r.Warning, "critical": r.Critical} {
		if text == "" {
			continue
		}
		if !alertLimitForm.MatchString(text) {
			return fmt.Errorf("%s %s: must be a number such as 0.5", name, recipe.Quoted(text))
		}
		limits[name], _ = strconv.ParseFloat(text, 64) // it has that form
	}
	if len(limits) == 2 && (limits["warn"] >= limits["critical"]) == (r.Direction == "above") {
		return fmt.Errorf("warn %s would never be told before critical %s, for %s", r.Warning, r.Critical, r.Direction)
	}
	return nil
}

// isShare reports whether a text is as 2 of 3, with no more than most.
func isShare(text string, most int) bool {
	part := shareForm.FindStringSubmatch(text)
	if part == nil {
		return false
	}
	least, _ := strconv.Atoi(part[1]) // three digits at most
	of, _ := strconv.Atoi(part[2])
	return least <= of && of <= most
}

func onePrintableLine(text string) bool {
	return text == strings.TrimSpace(text) && text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

func alertInterval(value any) error {
	if n := value.(int); n < 10 || n > 3600 || n%monitCycle != 0 {
		return fmt.Errorf("must be between 10 and 3600, and a multiple of %d", monitCycle)
	}
	return nil
}

// httpURL is the beginning of addresses, to which /render is added.
func httpURL(text string) error {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || hostName(parsed.Hostname()) != nil && ipAddress(parsed.Hostname()) != nil ||
		parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" || strings.HasSuffix(text, "/") || strings.ContainsAny(text, "*?#\"\\ ") {
		return fmt.Errorf("%s: must be as https://graphite.example.org, without a name, a query or a / at its end", recipe.Quoted(text))
	}
	return nil
}

func oneWordUser(text string) error { return userName(text) }

func shellCommand(text string) error {
	if len(text) > 4000 || !onePrintableLine(text) {
		return errors.New("must be one line, of 4,000 bytes at most")
	}
	return nil
}

// mailAddress takes what needs no quoting in a header, or as an argument.
func mailAddress(text string) error {
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || strings.HasPrefix(text, "-") || strings.ContainsAny(text, "\" ,;<>()\\'`$") || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%s: must be an address such as ops@example.org", recipe.Quoted(text))
	}
	return nil
}

func hostOrAddress(text string) error {
	if strings.HasPrefix(text, "*") || hostName(text) != nil && ipAddress(text) != nil {
		return fmt.Errorf("%s: must be a host name or an address", recipe.Quoted(text))
	}
	return nil
}
