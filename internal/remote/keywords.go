package remote

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// use is what a keyword of ssh_config(5) is to provision.
type use int

const (
	honoured use = iota
	harmless     // it changes neither where, as whom nor how safely we connect
	session      // harmless in a file; who asks for it with -o wants what provision does not do
	refused      // with any value but those that mean "not"
	askSSH       // with any value but those that mean "not", only ssh knows what follows
	section      // Host, Match, Include: the reader's own
)

// keyword is a row of the table.
type keyword struct {
	use  use
	form form
	note string   // harmless: why; refused: what to do instead
	not  []string // refused, askSSH: the values that ask for nothing
	as   string   // the name that this one is another of
}

// form says what is wrong with the words that follow a keyword, or "".
type form func(words []string) string

var flag = oneOf("yes", "no", "true", "false")

// keywords are those of OpenSSH 10.0's client, its deprecated ones and Debian's own. One that
// is not here is an error, as for ssh.
var keywords = map[string]keyword{
	"host":    {use: section, form: someWords},
	"match":   {use: section, form: someWords},
	"include": {use: section, form: someWords},

	"addressfamily":                {form: oneOf("any", "inet", "inet6")},
	"batchmode":                    {form: flag},
	"bindaddress":                  {form: oneWord},
	"casignaturealgorithms":        {form: oneWord},
	"certificatefile":              {form: oneWord},
	"ciphers":                      {form: oneWord},
	"connecttimeout":               {form: duration},
	"globalknownhostsfile":         {form: someFiles},
	"hashknownhosts":               {form: flag},
	"hostkeyalgorithms":            {form: oneWord},
	"hostkeyalias":                 {form: oneWord},
	"hostname":                     {form: oneWord},
	"identitiesonly":               {form: flag},
	"identityagent":                {form: oneWord},
	"identityfile":                 {form: oneWord},
	"ignoreunknown":                {form: oneWord},
	"kbdinteractiveauthentication": {form: flag},
	"kexalgorithms":                {form: oneWord},
	"macs":                         {form: oneWord},
	"numberofpasswordprompts":      {form: number(0, math.MaxInt32)},
	"passwordauthentication":       {form: flag},
	"port":                         {form: number(1, 65535)},
	"preferredauthentications":     {form: oneWord},
	"proxycommand":                 {form: anything},
	"proxyjump":                    {form: anything},
	"pubkeyacceptedalgorithms":     {form: oneWord},
	"pubkeyauthentication":         {form: oneOf("yes", "no", "true", "false", "unbound", "host-bound")},
	"requiredrsasize":              {form: number(0, math.MaxInt32)},
	"revokedhostkeys":              {form: oneWord},
	"serveralivecountmax":          {form: number(1, 1000)},
	"serveraliveinterval":          {form: duration},
	"stricthostkeychecking":        {form: oneOf("ask", "yes", "accept-new", "no", "off", "true", "false")},
	"user":                         {form: oneWord},
	"userknownhostsfile":           {form: someFiles},

	"challengeresponseauthentication": {as: "kbdinteractiveauthentication"},
	"dsaauthentication":               {as: "pubkeyauthentication"},
	"identityfile2":                   {as: "identityfile"},
	"protocolkeepalives":              {as: "serveraliveinterval"}, // Debian's, and the next
	"setuptimeout":                    {as: "serveraliveinterval"},
	"pubkeyacceptedkeytypes":          {as: "pubkeyacceptedalgorithms"},
	"skeyauthentication":              {as: "kbdinteractiveauthentication"},
	"smartcarddevice":                 {as: "pkcs11provider"},
	"tisauthentication":               {as: "kbdinteractiveauthentication"},

	"canonicaldomains":            {use: harmless, form: someWords, note: "without CanonicalizeHostname it does nothing; with it, ssh is asked"},
	"canonicalizefallbacklocal":   {use: harmless, form: flag, note: "as CanonicalDomains"},
	"canonicalizehostname":        {use: askSSH, form: oneOf("yes", "no", "true", "false", "always"), not: []string{"no", "false"}},
	"canonicalizemaxdots":         {use: harmless, form: oneWord, note: "as CanonicalDomains"},
	"canonicalizepermittedcnames": {use: askSSH, form: someWords, not: []string{"none"}},

	"bindinterface":     {use: refused, form: oneWord, note: "name the address itself: BindAddress"},
	"checkhostip":       {use: refused, form: flag, not: []string{"no", "false"}, note: "a host is known by its name here; CheckHostIP=no is ssh's default"},
	"knownhostscommand": {use: refused, form: anything, not: []string{"none"}, note: "write what it prints into a file for UserKnownHostsFile"},
	"pkcs11provider":    {use: refused, form: oneWord, not: []string{"none"}, note: "let the agent hold the token's key (ssh-add -s PROVIDER), with -o PKCS11Provider=none"},
	"proxyusefdpass":    {use: refused, form: flag, not: []string{"no", "false"}, note: "give a ProxyCommand that passes the data itself, with -o ProxyUseFdpass=no"},
	"refuseconnection":  {use: refused, form: anything, note: "ssh_config itself says that this host is not to be connected to"},
	"remotecommand":     {use: refused, form: anything, not: []string{"none"}, note: "ssh runs no other command where there is one; -o RemoteCommand=none"},
	"sessiontype":       {use: refused, form: oneOf("none", "subsystem", "default"), not: []string{"default"}, note: "ssh runs no command with that; -o SessionType=default"},

	"dynamicforward":   {use: session, form: someWords, note: "a forwarding is for a person's session"},
	"localcommand":     {use: session, form: anything, note: "what runs here beside a person's session"},
	"localforward":     {use: session, form: someWords, note: "a forwarding is for a person's session"},
	"permitremoteopen": {use: session, form: someWords, note: "of RemoteForward"},
	"remoteforward":    {use: session, form: someWords, note: "a forwarding is for a person's session"},
	"tunnel":           {use: session, form: oneWord, note: "a forwarding is for a person's session"},
	"tunneldevice":     {use: session, form: oneWord, note: "of Tunnel"},

	"addkeystoagent":                   {use: harmless, form: someWords, note: "no key is added to the agent"},
	"channeltimeout":                   {use: harmless, form: someWords, note: "a command's channel has its own end"},
	"clearallforwardings":              {use: harmless, form: flag, note: "there is no forwarding of ssh_config's"},
	"compression":                      {use: harmless, form: flag, note: "what is long is compressed before it is sent"},
	"connectionattempts":               {use: harmless, form: number(1, math.MaxInt32), note: "how often, not where"},
	"controlmaster":                    {use: harmless, form: oneWord, note: "a run has its own connection"},
	"controlpath":                      {use: harmless, form: oneWord, note: "as ControlMaster"},
	"controlpersist":                   {use: harmless, form: oneWord, note: "as ControlMaster"},
	"enableescapecommandline":          {use: harmless, form: flag, note: "no terminal"},
	"enablesshkeysign":                 {use: harmless, form: flag, note: "of HostbasedAuthentication"},
	"escapechar":                       {use: harmless, form: oneWord, note: "no terminal"},
	"exitonforwardfailure":             {use: harmless, form: flag, note: "there is no forwarding of ssh_config's"},
	"fingerprinthash":                  {use: harmless, form: oneWord, note: "what is shown is SHA256"},
	"forkafterauthentication":          {use: harmless, form: flag, note: "about ssh's own process"},
	"forwardagent":                     {use: harmless, form: oneWord, note: "the agent is never forwarded: safer"},
	"forwardx11":                       {use: harmless, form: flag, note: "X11 is never forwarded: safer"},
	"forwardx11timeout":                {use: harmless, form: oneWord, note: "as ForwardX11"},
	"forwardx11trusted":                {use: harmless, form: flag, note: "as ForwardX11"},
	"gatewayports":                     {use: harmless, form: flag, note: "there is no forwarding of ssh_config's"},
	"gssapiauthentication":             {use: harmless, form: flag, note: "a way to log in that is not tried; the others are"},
	"gssapiclientidentity":             {use: harmless, form: oneWord, note: "as GSSAPIAuthentication"},
	"gssapidelegatecredentials":        {use: harmless, form: flag, note: "as GSSAPIAuthentication"},
	"gssapikexalgorithms":              {use: harmless, form: oneWord, note: "as GSSAPIKeyExchange"},
	"gssapikeyexchange":                {use: harmless, form: flag, note: "the host always has to show its key: stricter"},
	"gssapirenewalforcesrekey":         {use: harmless, form: flag, note: "as GSSAPIKeyExchange"},
	"gssapiserveridentity":             {use: harmless, form: oneWord, note: "as GSSAPIAuthentication"},
	"gssapitrustdns":                   {use: harmless, form: flag, note: "as GSSAPIAuthentication"},
	"hostbasedacceptedalgorithms":      {use: harmless, form: oneWord, note: "of HostbasedAuthentication"},
	"hostbasedauthentication":          {use: harmless, form: flag, note: "a way to log in that is not tried; the others are"},
	"hostbasedkeytypes":                {as: "hostbasedacceptedalgorithms"},
	"ipqos":                            {use: harmless, form: someWords, note: "the packets' priority"},
	"kbdinteractivedevices":            {use: harmless, form: oneWord, note: "the server chooses, as by default"},
	"loglevel":                         {use: harmless, form: oneWord, note: "what is said: -v"},
	"logverbose":                       {use: harmless, form: someWords, note: "as LogLevel"},
	"nohostauthenticationforlocalhost": {use: harmless, form: flag, note: "the host always has to show its key: stricter"},
	"obscurekeystroketiming":           {use: harmless, form: oneWord, note: "no terminal"},
	"permitlocalcommand":               {use: harmless, form: flag, note: "of LocalCommand"},
	"rekeylimit":                       {use: harmless, form: someWords, note: "keys are renewed as the cipher needs it"},
	"requesttty":                       {use: harmless, form: oneWord, note: "no terminal"},
	"securitykeyprovider":              {use: harmless, form: oneWord, note: "a FIDO key is the agent's to use"},
	"sendenv":                          {use: harmless, form: someWords, note: "no environment is sent: commands are the same whoever runs them"},
	"setenv":                           {use: harmless, form: someWords, note: "as SendEnv"},
	"stdinnull":                        {use: harmless, form: flag, note: "about ssh's own process"},
	"streamlocalbindmask":              {use: harmless, form: oneWord, note: "there is no forwarding of ssh_config's"},
	"streamlocalbindunlink":            {use: harmless, form: flag, note: "there is no forwarding of ssh_config's"},
	"syslogfacility":                   {use: harmless, form: oneWord, note: "as LogLevel"},
	"tag":                              {use: harmless, form: oneWord, note: "only Match asks for it, and then ssh is asked"},
	"tcpkeepalive":                     {use: harmless, form: flag, note: "a silent host is found by questions of SSH's own"},
	"updatehostkeys":                   {use: harmless, form: oneWord, note: "no key is learnt but a new host's"},
	"usekeychain":                      {use: harmless, form: flag, note: "Apple's: where a passphrase is kept"},
	"verifyhostkeydns":                 {use: harmless, form: oneWord, note: "only known_hosts is trusted: stricter"},
	"versionaddendum":                  {use: harmless, form: anything, note: "what is said to the server before SSH begins"},
	"visualhostkey":                    {use: harmless, form: flag, note: "what is shown is SHA256"},
	"warnweakcrypto":                   {use: harmless, form: oneWord, note: "a warning"},
	"xauthlocation":                    {use: harmless, form: oneWord, note: "as ForwardX11"},
}

// ignoredKeywords are those that ssh itself passes over, most with a warning (readconf.c:
// oIgnore, oDeprecated, oUnsupported).
const ignoredKeywords = `afstokenpassing cipher compressionlevel fallbacktorsh globalknownhostsfile2
	kerberosauthentication kerberostgtpassing protocol rhostsauthentication rhostsrsaauthentication
	rsaauthentication useprivilegedport userknownhostsfile2 useroaming usersh`

func anything([]string) string { return "" }

func someWords(words []string) string {
	if len(words) == 0 || slices.Contains(words, "") {
		return "has no value"
	}
	return ""
}

func someFiles(words []string) string {
	if len(words) > 1 && slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(word, "none") }) {
		return `"none" must stand alone`
	}
	return someWords(words)
}

func oneWord(words []string) string {
	if len(words) > 1 {
		return fmt.Sprintf("has more than one value: %q", words)
	}
	return someWords(words)
}

func oneOf(values ...string) form {
	return func(words []string) string {
		if problem := oneWord(words); problem != "" {
			return problem
		}
		if !slices.Contains(values, strings.ToLower(words[0])) {
			return fmt.Sprintf("%q is none of %s", words[0], strings.Join(values, ", "))
		}
		return ""
	}
}

func number(least, most int) form {
	return func(words []string) string {
		if problem := oneWord(words); problem != "" {
			return problem
		}
		if n, err := strconv.Atoi(words[0]); err != nil || n < least || n > most {
			return fmt.Sprintf("%q is not a number from %d to %d", words[0], least, most)
		}
		return ""
	}
}

func duration(words []string) string {
	if problem := oneWord(words); problem != "" {
		return problem
	}
	if _, ok := parseTime(words[0]); !ok {
		return fmt.Sprintf("%q is not a number of seconds, nor a time such as 1h30m", words[0])
	}
	return ""
}

// parseTime reads a time as sshd_config(5), TIME FORMATS, has it; "none" is 0.
func parseTime(text string) (time.Duration, bool) {
	if text == "none" {
		return 0, true
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	var total time.Duration
	for rest := strings.ToLower(text); rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil {
			return 0, false
		}
		rest = rest[digits:]
		unit := time.Second
		if rest != "" {
			known := false
			if unit, known = units[rest[0]]; !known {
				return 0, false
			}
			rest = rest[1:]
		}
		if total += time.Duration(n) * unit; total > math.MaxInt32*time.Second {
			return 0, false
		}
	}
	return total, text != ""
}
