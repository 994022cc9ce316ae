package tasks

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
)

func gimelVariables() []recipe.Variable {
	return slices.Concat(gimelSiteVariables(), gimelKeyVariables(), gimelWebhookVariables(), gimelReleaseVariables(), gimelCountingVariables(), gimelEventLogVariables(), gimelStoreVariables())
}

func gimelSiteVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "server_names", Type: recipe.TypeList, Check: eachOf(hostName),
			Help: "The names that the site answers to; with none it answers on HTTPS to any name that no other site of the host has.",
		},
		{
			Name: "tls", Type: recipe.TypeString, Default: "self-signed", Choices: []string{"self-signed", "files"},
			Help: "The certificate: self-signed, made and renewed on the host, for a try, as browsers refuse it; or files, with tls_certificate and tls_key. HTTP only redirects.",
		},
		{
			Name: "tls_certificate", Type: recipe.TypeString, Check: optional(hostPath),
			Help: "For tls: files, the path on the host of the certificate in PEM, with those of its issuers behind it.",
		},
		{
			Name: "tls_key", Type: recipe.TypeString, Check: optional(hostPath),
			Help: "For tls: files, the path on the host of the private key in PEM.",
		},
		{
			Name: "track_paths", Type: recipe.TypeList, Default: []string{"/track", "/choice"}, Check: trackPaths,
			Help: "The paths that take events; the first is the original's, but ad-blockers match the word track.",
		},
		{
			Name: "rate_limit", Type: recipe.TypeInt, Default: 50, Check: between(0, 100_000),
			Help: "Events a second that one address may send, with room for a page that catches up; 0 is no limit. Beyond it the answer is 429, and pages send again later.",
		},
		{
			Name: "log_visitors", Type: recipe.TypeBool, Default: false,
			Help: "Whether nginx logs the requests of visitors, with address and time; without it only those for the dashboard and the API. The visitors' ids are in no log.",
		},
	}
}

func gimelKeyVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "password", Type: recipe.TypeSecret, Check: secretOf(8),
			Help: "The dashboard's password; without one a random one is made on the host, once, in " + gimelPassword + ".",
		},
		{
			Name: "api_key", Type: recipe.TypeSecret, Check: secretOf(16),
			Help: "The key of the API (header X-Api-Key); without one a random one is made on the host, once, in " + gimelAPIKey + ".",
		},
		{
			Name: "viewer_password", Type: recipe.TypeSecret, Check: secretOf(8),
			Help: "A second password of the dashboard: who signs in with it sees all and changes nothing. Without one there is none.",
		},
		{
			Name: "read_key", Type: recipe.TypeSecret, Check: secretOf(16),
			Help: "A second key of the API, which shows experiments and changes nothing. Without one there is none.",
		},
		{
			Name: "track_key", Type: recipe.TypeSecret, Check: secretOf(16),
			Help: "A key of the API that sends events to /api/v1/events, for servers that know of conversions themselves, and does no more. Without one there is none.",
		},
	}
}

func gimelWebhookVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "webhook", Type: recipe.TypeSecret, Check: webhookURL,
			Help: "A URL that is told of each verdict and each mismatch of the split, once, from when it is set on: https, or http to the host itself. A secret, for who knows such a URL can often write to what is behind it.",
		},
		{
			Name: "webhook_secret", Type: recipe.TypeSecret, Check: secretOf(16),
			Help: "What the webhook's messages are signed with, as Standard Webhooks are; without one a random one is made on the host, once, in " + gimelWebhookSecret + ".",
		},
	}
}

func gimelReleaseVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "keep_releases", Type: recipe.TypeInt, Default: 5, Check: between(2, 50),
			Help: "How many releases stay on the host, to go back to; the one that runs always does.",
		},
	}
}

func gimelCountingVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "counting", Type: recipe.TypeString, Default: "exact", Choices: []string{"exact", "hll"},
			Help: "exact counts each visitor once, for as long as the experiment lives; hll estimates, in the original gimel's own keys.",
		},
		{
			Name: "undeclared_cap", Type: recipe.TypeInt, Default: 100, Check: between(0, 1_000_000),
			Help: "How many experiments of a namespace are accepted that nobody declared, and ten times as many in all; beyond it those make room that nobody visits. 0 refuses them.",
		},
		{
			Name: "counter_cap", Type: recipe.TypeInt, Default: 200, Check: between(1, 1_000_000),
			Help: "How many counters, event times variant, an experiment has at the most.",
		},
		{
			Name: "max_name_bytes", Type: recipe.TypeInt, Default: 128, Check: between(16, 4096),
			Help: "The longest name of a namespace, experiment, event or variant that is counted.",
		},
		{
			Name: "hash_key", Type: recipe.TypeSecret, Check: secretOf(16),
			Help: "The key under which visitors' ids are hashed; without one a random one is made on the host, once. Hosts that share a Redis need the same. With another one " +
				"every visitor is new.",
		},
		{
			Name: "queue", Type: recipe.TypeInt, Default: 4096, Check: between(1, 1_000_000),
			Help: "Events that may wait for Redis; beyond it the answer is 503, and pages send again.",
		},
		{
			Name: "batch", Type: recipe.TypeInt, Default: 256, Check: between(1, 100_000),
			Help: "Events that travel to Redis together.",
		},
	}
}

func gimelStoreVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "redis_url", Type: recipe.TypeString, Default: "unix://gimel@" + redisSocket, Check: redisURL,
			Help: "The Redis: by default one on the host, installed by the task redis, with its variables; another by redis://USER@HOST:PORT, rediss:// with TLS, " +
				"redis+sentinel://USER@HOST:PORT,HOST:PORT/MASTER or redis+cluster://USER@HOST:PORT,HOST:PORT. A local one that is no longer used stays.",
		},
		{
			Name: "redis_password", Type: recipe.TypeSecret, Check: secretOf(1),
			Help: "The password of a Redis elsewhere.",
		},
		{
			Name: "redis_ca_file", Type: recipe.TypeString, Check: optional(hostPath),
			Help: "For rediss://, the path on the host of the PEM file that the certificate of Redis is checked with, where the system's do not do.",
		},
		{
			Name: "graphite", Type: recipe.TypeString, Check: optional(hostPort),
			Help: "A carbon that takes gimel's own counters, as 127.0.0.1:2003 for the task graphite on the same host.",
		},
		{
			Name: "graphite_prefix", Type: recipe.TypeString, Default: "gimel", Check: graphitePrefix,
			Help: "What the names of those counters begin with.",
		},
	}
}

var trackPathForm = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// What gimel itself answers at (internal/gimel/settings refuses these too).
var gimelRoutes = []string{"/experiments", "/delete", "/healthz", "/readyz", "/metrics", "/login", "/logout", "/api", "/dashboard"}

func trackPaths(value any) error {
	list := value.([]string)
	if len(list) == 0 {
		return errors.New("must have at least one entry")
	}
	return eachOf(func(name string) error {
		// nginx takes . and .. away before it compares.
		if !trackPathForm.MatchString(name) || len(name) > 100 || path.Clean(name) != name {
			return fmt.Errorf("%q: must be a path such as /track", name)
		}
		for _, route := range gimelRoutes {
			if name == route || strings.HasPrefix(name, route+"/") {
				return fmt.Errorf("%q: has another meaning", name)
			}
		}
		return nil
	})(value)
}

// secretOf makes a check of a secret that may be absent: one line, as gimel reads it.
func secretOf(least int) func(any) error {
	return func(value any) error {
		text := value.(recipe.Secret).Reveal()
		if text != "" && (len(text) < least || len(text) > 200 || strings.ContainsAny(text, "\x00\n\r")) {
			return fmt.Errorf("must be one line of %d to 200 bytes", least)
		}
		return nil
	}
}

// webhookURL is checked as gimel does (internal/gimel/webhook); its text is a secret.
func webhookURL(value any) error {
	text := value.(recipe.Secret).Reveal()
	if text == "" {
		return nil
	}
	address, err := url.Parse(text)
	if err != nil || address.Host == "" || address.User != nil || strings.ContainsAny(text, "\x00\n\r") {
		return errors.New("must be a URL without a user")
	}
	host := address.Hostname()
	local := host == "localhost" || net.ParseIP(host).IsLoopback()
	if address.Scheme != "https" && !(address.Scheme == "http" && local) {
		return errors.New("must be https, or http to the host itself")
	}
	return nil
}

// As gimel reads it (internal/gimel/store refuses the rest, on the host): socket, kind, hosts,
// and the path, which is a database, or a master and a database.
var redisURLForm = regexp.MustCompile(`^(?:unix://(?:[A-Za-z0-9._-]+@)?(/[A-Za-z0-9._/-]+)|` +
	`rediss?(\+sentinel|\+cluster)?://(?:[A-Za-z0-9._%-]+@)?([A-Za-z0-9.:,\[\]-]+)(?:/([A-Za-z0-9._/-]*))?)$`)

var redisPath = map[string]*regexp.Regexp{
	"":          regexp.MustCompile(`^[0-9]{0,5}$`),
	"+sentinel": regexp.MustCompile(`^[A-Za-z0-9._-]+(/[0-9]{1,5})?$`),
	"+cluster":  regexp.MustCompile(`^$`),
}

func redisURL(value any) error {
	text := value.(string)
	if at := strings.LastIndex(text, "@"); at > 0 && strings.Count(text[:at], ":") > 1 {
		return errors.New("must have no password in it: that is redis_password")
	}
	part := redisURLForm.FindStringSubmatch(text)
	if part == nil {
		return errors.New("must be a URL such as redis://gimel@10.1.2.3:6379")
	}
	socket, kind, hosts, behind := part[1], part[2], part[3], part[4]
	if socket != "" {
		return hostPath(socket)
	}
	all := strings.Split(hosts, ",")
	switch {
	case kind == "" && len(all) > 1:
		return errors.New("several hosts need redis+sentinel:// or redis+cluster://")
	case kind == "+sentinel" && behind == "":
		return errors.New("redis+sentinel:// needs /MASTER behind the hosts")
	case !redisPath[kind].MatchString(behind):
		return fmt.Errorf("%q behind the hosts: must be a database's number, behind a sentinel's /MASTER, and nothing for a cluster", behind)
	}
	for _, host := range all {
		if hostPort(host) != nil && hostPort(host+":1") != nil {
			return fmt.Errorf("%q: must be HOST:PORT", host)
		}
	}
	return nil
}

func hostPort(text string) error {
	host, number, err := net.SplitHostPort(text)
	if err != nil || port(number) != nil || ipAddress(host) != nil && hostName(host) != nil {
		return fmt.Errorf("%q: must be HOST:PORT", text)
	}
	return nil
}

var graphitePrefixForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func graphitePrefix(value any) error {
	if !graphitePrefixForm.MatchString(value.(string)) {
		return errors.New("must be words of letters, digits, _ and -, with dots between")
	}
	return nil
}
