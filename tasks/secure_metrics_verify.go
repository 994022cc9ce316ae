package tasks

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"provision/internal/recipe"
	"provision/internal/script"
)

// verifySecureMetrics uses the way from the end that the host is: whoever may send gets through, and
// nobody else does, with a key that is not known or without any.
func verifySecureMetrics(in recipe.Input) ([]recipe.Check, error) {
	s, err := newSecureMetrics(in)
	if err != nil {
		return nil, err
	}
	checks := []recipe.Check{
		onHost("carbon and statsd are on loopback alone", loopbackAlone),
		onHost("the certificate is good for another month", "openssl x509 -in "+secureMetricsCertificate+" -noout -checkend 2592000"),
	}
	if len(in.Of("graphite").List("carbon_listen")) > 0 { // which lets hosts in without a key, as somebody wanted
		checks = checks[1:]
	}
	if s.receives {
		return append(checks, s.receiving()...), nil
	}
	return append(checks, s.sending()...), nil
}

// onHost is a check by a script that has to succeed.
func onHost(name, script string) recipe.Check {
	return recipe.Check{Name: name, From: recipe.FromHost, Within: 10 * time.Second, Command: &recipe.CommandCheck{Script: script}}
}

const loopbackAlone = `open=$(ss -Hltnu | awk '{print $5}' | grep -E ':(2003|2004|7002|8125|8126)$' | grep -v -E '^(127\.|\[::1\]|\[::ffff:127\.)')
[ -z "$open" ] || { echo "others may reach" $open >&2; exit 1; }`

// tlsCall is sh that says a line over TLS and takes a second for what comes back: of TLS 1.3 a ticket,
// once the other end has seen and taken the certificate, or its alert.
const tlsCall = `call() {
	said=$({ printf '%s\n' "$line"; sleep 1; } | timeout 10 openssl s_client "$@" -tls1_3 -nocommands -verify_return_error 2>&1)
	case $said in
	*"New Session Ticket arrived"*) answer=taken ;;
	*"SSL alert number"*) answer=refused ;;
	*) answer=none ;;
	esac
}
`

const (
	secureMetricsOwn = " -cert " + secureMetricsCertificate + " -key " + secureMetricsKey
	throughTLS       = "a metric comes over TLS"
	unknownKey       = "a key that is not known is refused"
)

// refusesUnknown is a check that who listens at address, with a certificate, takes neither a new key nor none.
func refusesUnknown(name, address, certificate string) recipe.Check {
	return onHost(name, tlsCall+`line="provision.verify-unknown-$NONCE $NONCE -1"
made=$(mktemp -d) || exit
trap 'rm -rf "$made"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=secure-metrics -keyout "$made/key" -out "$made/certificate" 2>/dev/null
for key in "-cert $made/certificate -key $made/key" ""; do
	call -connect `+address+` $key -CAfile `+certificate+`
	[ "$answer" = refused ] || { echo "with ${key:-no key}: $answer" >&2; exit 1; }
done`)
}

// receiving are the checks of the receiver.
func (s secureMetrics) receiving() []recipe.Check {
	checks := []recipe.Check{onHost(throughTLS, tlsCall+`line="provision.verify-tls-$NONCE $NONCE -1"
call -unix `+secureMetricsCheck+secureMetricsOwn+" -CAfile "+secureMetricsCertificate+`
[ "$answer" = taken ] || { printf '%s\n' "$said" | tail -n 3 >&2; exit 1; }`)}
	for _, port := range s.publicPorts() {
		checks = append(checks, refusesUnknown(unknownKey+" at port "+port, s.own(port), secureMetricsCertificate))
	}
	ports := []string{"8125", "2003", "2004", "7002"}
	if slices.Contains(s.Host.Tasks(), "graphite") {
		checks = append(checks, s.inGraphite()...)
		ports = ports[:1] // the others graphite's own verify tries
	}
	if !isLoopback(s.Input.Address) {
		for _, port := range ports {
			checks = append(checks, recipe.Check{
				Name: "port " + port + " is closed to others", From: recipe.FromController,
				TCP: &recipe.TCPCheck{Address: "$HOST:" + port, Closed: true},
			})
		}
	}
	return checks
}

// inGraphite asks Graphite, where it is on the host, for what was sent.
func (s secureMetrics) inGraphite() []recipe.Check {
	g := graphite{Input: s.Input}
	g.Vars = s.Of("graphite")
	render := func(name, metric string, answer recipe.HTTPCheck) recipe.Check {
		answer.URL = "/render?target=provision.verify-" + metric + "-$NONCE&from=-5min&format=json&noCache=1"
		return g.local(name, answer)
	}
	came := render("and is in Graphite", "tls", recipe.HTTPCheck{Contains: "[$NONCE.0,"})
	came.Again = throughTLS
	checks := []recipe.Check{came}
	if len(s.publicPorts()) > 0 {
		checks = append(checks, render("nothing of a key that is not known is", "unknown", recipe.HTTPCheck{Contains: "[", Lacks: "$NONCE.0"}))
	}
	return append(checks, forgetMetrics())
}

// own is where the host itself reaches one of its public ports.
func (s secureMetrics) own(port string) string {
	listen := s.Vars.String("listen")
	if netip.MustParseAddr(listen).IsUnspecified() {
		listen = "127.0.0.1"
	}
	return net.JoinHostPort(listen, port)
}

// sending are the checks of a sender.
func (s secureMetrics) sending() []recipe.Check {
	if len(s.known) == 0 {
		return []recipe.Check{onHost("the receiver is known", `echo "the receiver at `+s.address+` has no certificate yet: provision install secure_metrics of it and of this host" >&2; exit 1`)}
	}
	name, right, otherwise := "the receiver lets this host in", "=", "the receiver does not let this host in"
	if s.out {
		name, right, otherwise = "the receiver shuts this host out", "!=", "the receiver still lets this host in"
	}
	in := onHost(name, tlsCall+`line=
call -connect `+script.Quote(net.JoinHostPort(s.address, s.port("carbon_port")))+secureMetricsOwn+" -CAfile "+secureMetricsTrusted+`
[ "$answer" `+right+` taken ] && exit
[ "$answer" = none ] || echo "`+otherwise+`: provision install secure_metrics there too" >&2
printf '%s\n' "$said" | tail -n 3 >&2
exit 1`)
	in.Within = 30 * time.Second // it may be installed beside this
	checks := []recipe.Check{in}
	for _, way := range s.ways() {
		if !s.out {
			checks = append(checks, through(way))
		}
	}
	return checks
}

// through is a check that a connection to a way stands: stunnel ends it at once where the receiver, or
// who takes it there, does not have it. bash is Essential, and knows TCP.
func through(way metricsWay) recipe.Check {
	line := `"provision.secure_metrics.$(uname -n | tr . _) $NOW -1"`
	if way.Name == "statsd" {
		line = `"provision.secure_metrics.$(uname -n | tr . _):1|c"`
	}
	host, port, _ := net.SplitHostPort(way.Accept)
	return onHost("what is sent to "+way.Accept+" goes through", `line=`+line+` timeout 20 bash -c '
exec 3<>/dev/tcp/`+host+`/`+port+` || exit
printf "%s\n" "$line" >&3
timeout 3 cat <&3
[ $? = 124 ] || { echo "the connection was ended at the other end" >&2; exit 1; }'`)
}
