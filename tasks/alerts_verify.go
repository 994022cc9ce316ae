package tasks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
)

// verifyAlerts has a rule of its own for as long as it lasts: what it asks about goes beyond its limit, monit
// has that told, and when it is well again, that too. Its messages go to a file, and to nobody.
func verifyAlerts(in recipe.Input) ([]recipe.Check, error) {
	a := alerts{in}
	var checks []recipe.Check
	if a.local() && !slices.Contains(in.Host.Tasks(), "graphite") { // which else proves it itself
		made, err := verifyGraphite(a.graphite().Input)
		if err != nil {
			return nil, err
		}
		checks = append(checks, made...)
	}
	checks = append(checks, a.firesAndRecovers()...)
	comes := alertsCommand("each check comes to its end", 10*time.Second, "cd / && "+asUser(alertsAccount)+alertsProgram+` status | awk '$1 == "checks" { sub($1 " +", ""); print }'`, "ok")
	checks = append(checks, a.monitLooks(), comes, alertsCommand("nobody reaches monit from outside", 10*time.Second, "ss -Hlnt | grep -w 2812 || echo closed", "closed"))
	if a.mails() {
		checks = append(checks, alertsCommand("the mail server answers", 10*time.Second,
			"cd / && "+asUser(alertsAccount)+"msmtp --file="+alertsConfig+"/msmtprc --serverinfo 2>&1", "SMTP server"))
	}
	return checks, nil
}

func alertsCommand(name string, within time.Duration, script, contains string) recipe.Check {
	return recipe.Check{Name: name, From: recipe.FromHost, Within: within, Command: &recipe.CommandCheck{Script: script, Contains: contains}}
}

const (
	alertsFires    = "what a rule asks about is beyond its limit"
	alertsRecovers = "it is well again"
	alertsMetric   = "provision.verify-alerts-$NONCE"
	// Two cycles of monit, until a program has been run and its answer is taken in, and what a busy host needs.
	alertsToldWithin = 2*monitCycle*time.Second + 16*time.Second
)

// firesAndRecovers are the checks of the rule.
func (a alerts) firesAndRecovers() []recipe.Check {
	// Where nothing was told, what monit's check says is why.
	told := "cd / && " + asUser(alertsAccount) + "cat " + alertsState + "/verify-$NONCE/told 2>/dev/null || { monit -B status verify | sed -n 's/^ *last output */monit says: /p'; exit 1; }"
	sends := func(name string, value int) recipe.Check {
		if !a.local() { // nothing can be sent there: the rule asks for a line of this height
			return alertsCommand(name, 10*time.Second, alertsRule(fmt.Sprintf("constantLine(%d)", value)), "")
		}
		return recipe.Check{
			Name: name, From: recipe.FromHost, Within: 10 * time.Second,
			TCP: &recipe.TCPCheck{Address: loopback(2003), Send: fmt.Sprintf("%s %d -1\n", alertsMetric, value)},
		}
	}
	fires, recovers := sends(alertsFires, 99), sends(alertsRecovers, 1)
	fires.Needs, recovers.Needs = "there is a rule", alertsFires
	alerted := alertsCommand("monit has it told", alertsToldWithin, told, "critical")
	alerted.Again, alerted.Needs = alertsFires, alertsFires
	recovered := alertsCommand("monit has it told that it is well", alertsToldWithin, told, "ok")
	recovered.Again, recovered.Needs = alertsRecovers, alerted.Name
	return []recipe.Check{
		alertsCommand("there is a rule", 10*time.Second, alertsRule("provision.verify-alerts-$NONCE"), ""),
		fires, alerted, recovers, recovered,
		alertsCommand("the rule is gone", 10*time.Second, alertsForget, ""),
	}
}

// alertsRule puts a verify's rule where monit's check finds it. Those that were left by a verify that was cut
// off go.
func alertsRule(target string) string {
	return `set -eu
umask 022
folder=` + alertsVerify + `
mkdir -p "$folder"
find "$folder" -type f -mmin +10 -delete
told=` + alertsState + `/verify-$NONCE
cat >"$folder/.$NONCE" <<RULE
{"state": "$told", "command": "echo \"\$ALERT_STATE\" >>$told/told", "rules": [{"name": "verify-$NONCE", "target": "` + target + `", "window": "1min", "function": "last",
 "direction": "above", "warning": "", "critical": "10", "cycles": "1", "no_data": "ok", "help": ""}]}
RULE
mv -T "$folder/.$NONCE" "$folder/$NONCE.json"`
}

// alertsForget removes what a verify has left: its rule, what it was told, and its metric, which carbon may
// write down later: those of ten minutes go too.
const alertsForget = `rm -f ` + alertsVerify + `/"$NONCE".json
rmdir --ignore-fail-on-non-empty ` + alertsVerify + ` 2>/dev/null
cd / && ` + "setpriv --reuid " + alertsAccount + " --regid " + alertsAccount + ` --init-groups find ` + alertsState + ` -mindepth 1 -maxdepth 1 -name 'verify-*' \( -name "verify-$NONCE" -o -mmin +20 \) -exec rm -r {} +
! id -u ` + graphiteUser + ` >/dev/null 2>&1 || setpriv --reuid ` + graphiteUser + ` --regid ` + graphiteUser + ` --init-groups sh -c '
cd /var/lib/graphite/whisper/provision 2>/dev/null || exit 0
find . -maxdepth 1 -type f \( -name "verify-alerts-$1.wsp" -o -name "verify-alerts-*.wsp" -mmin +10 \) -delete' sh "$NONCE"`

// monitLooks wants monit to look after all, and to have told all. What a rule or a service is in is no fault of
// the task: whether Graphite works is asked by itself.
func (a alerts) monitLooks() recipe.Check {
	names := []string{"graphite", "messages", "verify"}
	for _, service := range a.services() {
		names = append(names, service.Unit)
	}
	for _, rule := range a.rules() {
		names = append(names, "rule-"+rule.Name)
	}
	return alertsCommand("monit looks after all, and has told all", 30*time.Second, `summary=$(monit -B summary) || exit
for name in `+strings.Join(names, " ")+`; do
	status=$(printf '%s\n' "$summary" | awk -v name="$name" '$1 == name { $1 = ""; $NF = ""; gsub(/^ +| +$/, ""); print }')
	case $name:$status in
	*:OK) ;;
	messages:* | verify:Initializing) echo "$name: $status"; exit 1 ;;
	*:"Status failed" | *:Initializing) ;;
	*) echo "$name: ${status:-monit does not know it}"; exit 1 ;;
	esac
done
echo "all is told"`, "all is told")
}
