package tasks

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"provision/internal/recipe"
)

const systemCAs = "/etc/ssl/certs/ca-certificates.crt" // of Debian's ca-certificates

func healthcheckVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "domain", Type: recipe.TypeString, Needed: true, Check: text(oneHostName),
			Help: "The site's name: it is asked for by it, in TLS (SNI) and in HTTP, and its certificate has to be for it.",
		},
		{
			Name: "path", Type: recipe.TypeString, Default: "/", Check: text(requestPath),
			Help: "What is asked of the site: a page that its application makes, best one that needs its database too.",
		},
		{
			Name: "contains", Type: recipe.TypeString, Check: optional(bodyText),
			Help: "Text that has to be in one line of the answer, in its first MiB. It is told to everybody when it is missing.",
		},
		{
			Name: "status", Type: recipe.TypeInt, Default: 200, Check: between(200, 599),
			Help: "The status that the answer has to have. A redirect is not followed.",
		},
		{
			Name: "timeout", Type: recipe.TypeInt, Default: 1000, Check: between(100, 30_000),
			Help: "Milliseconds after which the site is down if it has not answered whole. Route53 waits for two seconds; who has to wait for another's answer does so half a second longer.",
		},
		{
			Name: "ca", Type: recipe.TypeString, Default: systemCAs, Check: text(unitPath),
			Help: "A file on the host with the certificates that are trusted, and no others: an authority of your own, or the site's certificate where it vouches for itself, as nginx.tls makes it.",
		},
		{
			Name: "address", Type: recipe.TypeString, Default: "127.0.0.1:443", Check: text(addressAndPort),
			Help: "Where the site is: this host as a rule, or 10.1.2.3:443.",
		},
		{
			Name: "port", Type: recipe.TypeInt, Default: 8080, Check: between(1, 65535),
			Help: "Where nginx answers checkers, over plain HTTP.",
		},
		{
			Name: "name", Type: recipe.TypeString, Check: optional(oneHostName),
			Help: "The name that checkers ask for, where the port is another site's too, as 80. Without one all that comes to the port is answered.",
		},
		{
			Name: "endpoint", Type: recipe.TypeString, Default: "/health", Check: text(endpointPath),
			Help: "The path that checkers ask for. The host itself finds at this and /down what they are told when the site is.",
		},
	}
}

// oneHostName is a name without a wildcard.
func oneHostName(name string) error {
	if strings.HasPrefix(name, "*") {
		return fmt.Errorf("%q: must be one host's name", name)
	}
	return hostName(name)
}

// The characters of RFC 3986, 3.3 and 3.4, without those that curl takes for a pattern, sh for a
// variable and quotes for their end.
var requestPaths = regexp.MustCompile(`^/[A-Za-z0-9._~!&()*+,;=:@%/?-]*$`)

func requestPath(path string) error {
	if !requestPaths.MatchString(path) {
		return fmt.Errorf("%q: must be a path such as /login?next=/", path)
	}
	return nil
}

var endpointPaths = regexp.MustCompile(`^/[A-Za-z0-9._~/-]*$`)

func endpointPath(path string) error {
	if !endpointPaths.MatchString(path) || strings.Contains(path, "//") {
		return fmt.Errorf("%q: must be a path such as /health", path)
	}
	return nil
}

func bodyText(text string) error {
	if len(text) > 200 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.TrimSpace(text) != text {
		return fmt.Errorf("%q: must be a part of one line, of 200 bytes at most, without white space at its ends", text)
	}
	return nil
}

func addressAndPort(text string) error {
	address, err := netip.ParseAddrPort(text)
	if err != nil || address.Port() == 0 || address.Addr().Zone() != "" {
		return fmt.Errorf("%q: must be an address and a port, as 10.1.2.3:443 or [2001:db8::1]:443", text)
	}
	return nil
}
