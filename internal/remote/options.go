package remote

import (
	"slices"
	"strings"
)

// option is one -o or one line of ssh_config, its key in lower case.
type option struct{ key, value string }

// parseOptions reads -o values as ssh does: "Key=Value" or "Key Value". A key
// that no ssh knows is an error, and so is one that asks for what provision
// does not do; one that makes no difference here is accepted.
func parseOptions(texts []string) ([]option, error) {
	var options []option
	for _, text := range texts {
		key, value := splitOption(text)
		lower := strings.ToLower(key)
		switch {
		case key == "" || value == "":
			return nil, configError("-o "+text, "is not Key=Value", "for example: -o StrictHostKeyChecking=accept-new")
		case slices.Contains(strings.Fields(harmlessKeywords), lower):
		case slices.Contains(strings.Fields(unsupportedKeywords), lower):
			return nil, configError("-o "+key, "is not supported", "leave it out, or reach the host through a ProxyCommand that runs ssh")
		case !slices.Contains(strings.Fields(supportedKeywords), lower):
			// Without the value, which may be a password.
			return nil, configError("-o "+key, "unknown ssh option", "see ssh_config(5) for the names")
		}
		options = append(options, option{lower, value})
	}
	return options, nil
}

func splitOption(text string) (key, value string) {
	text = strings.TrimSpace(text)
	at := strings.IndexAny(text, "= \t")
	if at < 0 {
		return text, ""
	}
	value = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text[at:]), "="))
	if len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`) {
		value = value[1 : len(value)-1]
	}
	return text[:at], value
}

// The keywords of ssh_config(5), OpenSSH 10.0, in lower case.
const (
	supportedKeywords = `addressfamily certificatefile connecttimeout globalknownhostsfile hashknownhosts hostkeyalias hostname
		identitiesonly identityagent identityfile kbdinteractiveauthentication passwordauthentication port proxycommand
		proxyjump pubkeyauthentication serveralivecountmax serveraliveinterval stricthostkeychecking
		user userknownhostsfile`

	// harmlessKeywords say nothing about a connection that runs commands, or
	// only what is so here anyway.
	harmlessKeywords = `addkeystoagent batchmode challengeresponseauthentication checkhostip clearallforwardings
		compression connectionattempts controlmaster controlpath controlpersist enableescapecommandline escapechar
		exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout
		forwardx11trusted gatewayports gssapiauthentication gssapidelegatecredentials hostbasedauthentication
		ignoreunknown ipqos kbdinteractivedevices loglevel logverbose nohostauthenticationforlocalhost
		numberofpasswordprompts obscurekeystroketiming permitlocalcommand preferredauthentications protocol
		proxyusefdpass rekeylimit requesttty requiredrsasize sendenv sessiontype setenv stdinnull streamlocalbindmask
		streamlocalbindunlink syslogfacility tag tcpkeepalive updatehostkeys useroaming usekeychain verifyhostkeydns
		versionaddendum visualhostkey warnweakcrypto xauthlocation channeltimeout`

	unsupportedKeywords = `bindaddress bindinterface canonicaldomains canonicalizefallbacklocal
		canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms
		ciphers dynamicforward enablesshkeysign host hostbasedacceptedalgorithms hostkeyalgorithms include
		kexalgorithms knownhostscommand localcommand localforward macs match permitremoteopen pkcs11provider
		pubkeyacceptedalgorithms refuseconnection remotecommand remoteforward revokedhostkeys securitykeyprovider
		smartcarddevice tunnel tunneldevice`
)
