package tasks

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

const (
	secureMetricsName        = "secure_metrics"
	secureMetricsUnit        = "provision-secure-metrics.service"
	secureMetricsDirectory   = configDirectory + "/" + secureMetricsName
	secureMetricsCertificate = secureMetricsDirectory + "/certificate.pem"
	secureMetricsKey         = secureMetricsDirectory + "/key.pem"
	secureMetricsTrusted     = secureMetricsDirectory + "/trusted.pem"
	secureMetricsConfig      = secureMetricsDirectory + "/stunnel.conf"
	// secureMetricsCheck is a way in for root of the receiver alone, with its own key: for verify.
	secureMetricsCheck = "/run/provision-secure-metrics/check.sock"

	carbonLine = "127.0.0.1:2003" // of carbon, and on a sender of the way to it
	statsdLine = "127.0.0.1:8125" // of statsd, over TCP

	// secureMetricsDays is ten years. The other end knows the key itself, as ssh does a host's: a short life
	// would make it none the safer, and who is to be shut out is left out of a file.
	secureMetricsDays = 3650
)

// SecureMetrics is a mutually authenticated way over TLS from hosts that measure to the host that has
// Graphite.
func SecureMetrics() recipe.Task {
	return recipe.Task{
		Name:    secureMetricsName,
		Summary: "a way for metrics from other hosts: TLS with keys on both sides (stunnel)",
		About: "The host that also has graphite receives, the others send: on these 127.0.0.1:2003 is the receiver's carbon, and 127.0.0.1:8125 over TCP its statsd, where the receiver has that task and the host has not. " +
			"Each host makes its own key, which never leaves it, and exports its certificate; the receiver lets in the certificates of the senders and no others, and a sender sends to the certificate of the receiver and to no other. " +
			"One provision install secure_metrics of all of them, from bare, is enough. Who is named in shut_out is out as soon as the receiver is installed again, and its standing connections end. " +
			"Where the receiver has the task firewall, only the senders' addresses reach the port. A sender's programs never wait for the receiver: while that is gone, what they send is lost.",
		Uses:      []string{"graphite", "firewall"},
		Variables: secureMetricsVariables(),
		Exports:   []recipe.Export{{Name: "certificate", Path: secureMetricsCertificate}},
		Check:     checkSecureMetrics,
		Build:     buildSecureMetrics,
		Verify:    verifySecureMetrics,
		After:     afterSecureMetrics,
	}
}

// metricsWay is a service of stunnel: what it takes at one place it brings to another.
type metricsWay struct {
	Name, Accept, Connect string
	Trust                 string // the file of the certificates of who may be at the other end
}

// AcceptsAt and ConnectsTo are these places as stunnel reads them: an address of IPv6 has no brackets.
func (w metricsWay) AcceptsAt() string  { return withoutBrackets.Replace(w.Accept) }
func (w metricsWay) ConnectsTo() string { return withoutBrackets.Replace(w.Connect) }

var withoutBrackets = strings.NewReplacer("[", "", "]", "")

func buildSecureMetrics(in recipe.Input) (recipe.Recipe, error) {
	s, err := newSecureMetrics(in)
	if err != nil {
		return recipe.Recipe{}, err
	}
	var r recipe.Recipe
	ways := s.ways()
	var notifies []recipe.Notification
	if len(ways) > 0 {
		notifies = restart(secureMetricsUnit)
	}
	r.Add(resource.Package{Name: "openssl", Brings: []recipe.Key{}})
	r.Add(resource.Directory{Path: configDirectory})
	r.Add(resource.Directory{Path: secureMetricsDirectory})
	// Its name is the same on all hosts: it is its key that a host is known by, and what a host is called
	// depends on who calls.
	r.Add(resource.Certificate{Path: secureMetricsCertificate, Key: secureMetricsKey, Names: []string{"secure-metrics"}, Days: secureMetricsDays}, notifies...)
	if len(ways) == 0 { // until the receiver has a certificate
		r.Add(resource.Package{Name: "stunnel4", Brings: []recipe.Key{}})
		return r, nil
	}
	if err := s.addConfiguration(&r, ways); err != nil {
		return r, err
	}
	if err := s.addFirewall(&r); err != nil {
		return r, err
	}
	r.Add(resource.Package{Name: "stunnel4", Brings: []recipe.Key{}, Restarts: []string{secureMetricsUnit}})
	trial, err := templates.Render("secure_metrics/trial.sh.tmpl", struct{ Key, Configuration string }{secureMetricsKey, secureMetricsConfig})
	if err != nil {
		return r, err
	}
	var listens []string
	for _, way := range ways {
		listens = append(listens, way.Accept)
	}
	instead := "-e secure_metrics.role=receiver, where the host has Graphite itself"
	if s.receives {
		instead = "-e secure_metrics.carbon_port=12004"
	}
	r.Add(resource.Service{
		Unit: secureMetricsUnit, Check: trial, Trees: []string{secureMetricsDirectory}, Listens: listens, Instead: instead,
	})
	return r, nil
}

// addConfiguration adds what stunnel and systemd read.
func (s secureMetrics) addConfiguration(r *recipe.Recipe, ways []metricsWay) error {
	changed := restart(secureMetricsUnit) // which ends what stands: whoever is shut out, is out
	var parts []filePart
	if len(s.known) > 0 {
		parts = append(parts, filePart{path: secureMetricsTrusted, template: "secure_metrics/trusted.pem.tmpl", data: s.known, notifies: changed})
	}
	return addFiles(r, append(parts, filePart{
		path: secureMetricsConfig, template: "secure_metrics/stunnel.conf.tmpl", notifies: changed, data: struct {
			Certificate, Key string
			Client           bool
			Ways             []metricsWay
		}{secureMetricsCertificate, "/run/credentials/" + secureMetricsUnit + "/key.pem", !s.receives, ways},
	}, filePart{
		path: "/etc/systemd/system/" + secureMetricsUnit, template: "secure_metrics/secure_metrics.service.tmpl", notifies: changed,
		data: struct{ Key, Configuration string }{secureMetricsKey, secureMetricsConfig},
	}))
}

// ways are what stunnel does on the host. A receiver whom nobody sends to opens no port.
func (s secureMetrics) ways() []metricsWay {
	services := []struct{ name, line, port string }{{"carbon", carbonLine, s.port("carbon_port")}}
	if s.statsd {
		services = append(services, struct{ name, line, port string }{"statsd", statsdLine, s.port("statsd_port")})
	}
	var ways []metricsWay
	if s.receives {
		ways = append(ways, metricsWay{"check", secureMetricsCheck, carbonLine, secureMetricsCertificate})
	}
	if len(s.known) == 0 {
		return ways
	}
	for _, service := range services {
		way := metricsWay{service.name, service.line, net.JoinHostPort(s.address, service.port), secureMetricsTrusted}
		if s.receives {
			way.Accept, way.Connect = net.JoinHostPort(s.Vars.String("listen"), service.port), service.line
		}
		ways = append(ways, way)
	}
	return ways
}

// port is one of the receiver's.
func (s secureMetrics) port(name string) string { return strconv.Itoa(s.ports.Int(name)) }

// publicPorts are those that the receiver opens.
func (s secureMetrics) publicPorts() []string {
	var ports []string
	for _, way := range s.ways() {
		if way.Trust == secureMetricsTrusted {
			_, port, _ := net.SplitHostPort(way.Accept)
			ports = append(ports, port)
		}
	}
	return ports
}

// addFirewall lets the senders in through the firewall of the receiver, where that has one.
func (s secureMetrics) addFirewall(r *recipe.Recipe) error {
	if !s.receives || len(s.known) == 0 || !slices.Contains(s.Host.Tasks(), "firewall") {
		return nil
	}
	networks, err := s.networks()
	if err != nil {
		return err
	}
	var allow []string
	for _, port := range s.publicPorts() {
		for _, network := range networks {
			allow = append(allow, port+"/tcp from "+network)
		}
	}
	in := s.Input
	in.Vars = recipe.Values{"name": secureMetricsName, "ports": allow}
	opened, _, err := allowPart().Build(in)
	r.Include(opened)
	return err
}

// afterSecureMetrics says who sends where.
func afterSecureMetrics(in recipe.Input) []string {
	s, err := newSecureMetrics(in)
	switch {
	case err != nil:
		return nil
	case !s.receives:
		return []string{"what is sent to " + carbonLine + " on the host comes to " + net.JoinHostPort(s.address, s.port("carbon_port"))}
	case len(s.known) == 0:
		return []string{"no host may send metrics here yet"}
	}
	var names []string
	for _, sender := range s.known {
		names = append(names, sender.Host)
	}
	line := "metrics are taken from " + strings.Join(names, ", ")
	if out := in.Vars.List("shut_out"); len(out) > 0 {
		line += ", and not from " + strings.Join(out, ", ")
	}
	return []string{line}
}
