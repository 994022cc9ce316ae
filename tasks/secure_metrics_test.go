package tasks

import (
	"os"
	"slices"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// The hosts of a small inventory: metrics1 has Graphite, web1 and web2 send.
var (
	metrics1 = recipe.Listed{Name: "metrics1", Address: "192.0.2.11", Tasks: []string{"graphite", "secure_metrics"}}
	web1     = recipe.Listed{Name: "web1", Address: "192.0.2.21", Tasks: []string{"collectd", "failover", "secure_metrics"}}
	web2     = recipe.Listed{Name: "web2", Address: "192.0.2.22", Tasks: []string{"failover", "secure_metrics"}}
)

// peersOf are recipe.Input's Peers there.
func peersOf(t testing.TB, hosts ...recipe.Listed) func(string) ([]recipe.Peer, error) {
	if hosts == nil {
		hosts = []recipe.Listed{metrics1, web1, web2}
	}
	return func(task string) ([]recipe.Peer, error) {
		var peers []recipe.Peer
		for _, host := range hosts {
			if slices.Contains(host.Tasks, task) {
				peers = append(peers, recipe.Peer{Listed: host, Vars: values(t, taskNamed(t, task), nil)})
			}
		}
		return peers, nil
	}
}

// certificateOf is what a host exports.
func certificateOf(t testing.TB, host string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + host + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// seenFrom is the input of a host whose peers export what said has, or else their certificates.
func seenFrom(t testing.TB, host recipe.Listed, raw map[string]any, said map[string]recipe.Said) recipe.Input {
	in := input(t, SecureMetrics(), recipe.Platforms()[0], raw)
	in.Host = recipe.HostOf(host, recipe.Platforms()[0])
	in.Exported = func(peer, task, export string) (recipe.Said, bool) {
		if told, there := said[peer]; there {
			return told, true
		}
		return recipe.Said{Text: certificateOf(t, peer)}, true
	}
	return in
}

func builtFrom(t testing.TB, in recipe.Input) recipe.Recipe {
	t.Helper()
	built, err := SecureMetrics().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	built.Label(secureMetricsName)
	if err := built.Validate(); err != nil {
		t.Fatal(err)
	}
	return built
}

// whole is a certificate as the file of who is known has it.
func whole(text string) string { return strings.TrimSpace(text) }

// content is that of a file of a recipe, "" without one.
func content(built recipe.Recipe, path string) string {
	for _, item := range built.Items {
		if file, ok := item.Resource.(resource.File); ok && file.Path == path {
			return file.Content
		}
	}
	return ""
}

func TestSecureMetricsGoldenFiles(t *testing.T) {
	for name, in := range map[string]recipe.Input{
		"receiver": seenFrom(t, metrics1, nil, nil),
		"sender":   seenFrom(t, web1, nil, nil),
	} {
		golden(t, "testdata/secure_metrics-"+name+".golden", describe(builtFrom(t, in)))
	}
}

// Who has no certificate yet is gone without: a sender then has no way, a receiver nobody to let in,
// and no port for them.
func TestSecureMetricsFromBare(t *testing.T) {
	none := recipe.Said{Problem: recipe.NotYet}
	sender := builtFrom(t, seenFrom(t, web1, nil, map[string]recipe.Said{"metrics1": none}))
	for _, item := range sender.Items {
		if _, runs := item.Resource.(resource.Service); runs || item.Resource.ID() == "file:"+secureMetricsConfig {
			t.Errorf("without the receiver's certificate it has %s", item.Resource.ID())
		}
	}
	receiver := builtFrom(t, seenFrom(t, metrics1, nil, map[string]recipe.Said{"web1": none, "web2": none}))
	if text := content(receiver, secureMetricsConfig); !strings.Contains(text, "[check]") || strings.Contains(text, "12003") {
		t.Errorf("without a sender it has\n%s", text)
	}
	one := builtFrom(t, seenFrom(t, metrics1, nil, map[string]recipe.Said{"web1": none}))
	if text := content(one, secureMetricsTrusted); !strings.Contains(text, whole(certificateOf(t, "web2"))) || strings.Count(text, "BEGIN") != 1 {
		t.Errorf("it lets in\n%s", text)
	}
}

// A sender that is shut out is out of the file of who is let in, and that restarts the way, which ends
// its connections.
func TestShutOut(t *testing.T) {
	host := bareHost(recipe.Platforms()[0])
	if _, err := host.Converge(builtFrom(t, seenFrom(t, metrics1, nil, nil))); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	without := builtFrom(t, seenFrom(t, metrics1, map[string]any{"shut_out": []any{"web2"}}, nil))
	if _, err := host.Converge(without); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(content(without, secureMetricsTrusted), whole(certificateOf(t, "web2"))) || !slices.Contains(host.Done, "restart "+secureMetricsUnit) {
		t.Errorf("it did %q, and lets in\n%s", host.Done, content(without, secureMetricsTrusted))
	}
	// One that cannot be read, as of a host that burns, is in nobody's way.
	gone := map[string]recipe.Said{"web2": {Problem: recipe.Unread + ": no route"}}
	builtFrom(t, seenFrom(t, metrics1, map[string]any{"shut_out": []any{"web2"}}, gone))
}

// Hosts that hosts.yaml does not have are known by what is written there.
func TestSecureMetricsByHand(t *testing.T) {
	lines := strings.Split(whole(certificateOf(t, "web2")), "\n")
	inOneLine := strings.Join(lines[1:len(lines)-1], "")
	receiver := seenFrom(t, metrics1, map[string]any{"senders": []any{map[string]any{"name": "old1", "certificate": inOneLine}}}, nil)
	receiver.Peers = peersOf(t, metrics1, web1)
	if text := content(builtFrom(t, receiver), secureMetricsTrusted); !strings.Contains(text, "# old1\n"+whole(certificateOf(t, "web2"))) || strings.Count(text, "BEGIN") != 2 {
		t.Errorf("it lets in\n%s", text)
	}
	// stunnel 5.68 and 5.74 look "[::]" up as a name.
	six := content(builtFrom(t, seenFrom(t, metrics1, map[string]any{"listen": "::"}, nil)), secureMetricsConfig)
	if !strings.Contains(six, "accept = :::12003\n") {
		t.Errorf("of IPv6 it has\n%s", six)
	}
	sender := seenFrom(t, web1, map[string]any{"receiver": "graphite.example.org", "receiver_certificate": inOneLine}, nil)
	sender.Peers = nil
	if text := content(builtFrom(t, sender), secureMetricsConfig); !strings.Contains(text, "connect = graphite.example.org:12003") {
		t.Errorf("it sends to\n%s", text)
	}
}

// What a host exports is not taken as it is.
func TestSecureMetricsRefuses(t *testing.T) {
	several := certificateOf(t, "web1") + certificateOf(t, "web2")
	for want, in := range map[string]recipe.Input{
		"must be one certificate in PEM, and nothing else": seenFrom(t, metrics1, nil, map[string]recipe.Said{"web1": {Text: several}}),
		"must be one certificate in PEM: x509":             seenFrom(t, metrics1, nil, map[string]recipe.Said{"web1": {Text: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}}),
		"web1 and web2 have one key":                       seenFrom(t, metrics1, nil, map[string]recipe.Said{"web1": {Text: certificateOf(t, "web2")}}),
		"shut_out = [web2]":                                seenFrom(t, metrics1, nil, map[string]recipe.Said{"web2": {Problem: recipe.Unread + ": no route"}}),
		"of metrics1 cannot be read":                       seenFrom(t, web1, nil, map[string]recipe.Said{"metrics1": {Problem: recipe.Unread + ": no route"}}),
	} {
		if _, err := SecureMetrics().Build(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	alone := seenFrom(t, web1, nil, nil)
	alone.Peers = peersOf(t, web1, web2)
	if _, err := SecureMetrics().Build(alone); err == nil || !strings.Contains(err.Error(), "no host is there to receive") {
		t.Errorf("got %v", err)
	}
	both := seenFrom(t, web1, nil, nil)
	other := metrics1
	other.Name = "metrics2"
	both.Peers = peersOf(t, metrics1, other)
	if _, err := SecureMetrics().Build(both); err == nil || !strings.Contains(err.Error(), "metrics1 and metrics2 both receive") {
		t.Errorf("got %v", err)
	}
}

// statsd's line is a sender's to use where the receiver has a statsd and the host has none of its own.
func TestStatsdGoesTheSameWay(t *testing.T) {
	receiver, sender := metrics1, web1
	receiver.Tasks = append([]string{"statsd"}, receiver.Tasks...)
	from := func(host recipe.Listed) string {
		in := seenFrom(t, host, nil, nil)
		in.Peers = peersOf(t, receiver, sender, web2)
		return content(builtFrom(t, in), secureMetricsConfig)
	}
	if text := from(receiver); !strings.Contains(text, "accept = 0.0.0.0:18125\nconnect = 127.0.0.1:8125\n") {
		t.Errorf("the receiver has\n%s", text)
	}
	if text := from(sender); !strings.Contains(text, "accept = 127.0.0.1:8125\nconnect = 192.0.2.11:18125\n") {
		t.Errorf("a sender has\n%s", text)
	}
	own := sender
	own.Tasks = append([]string{"statsd"}, own.Tasks...)
	if text := from(own); strings.Contains(text, "8125") {
		t.Errorf("a sender with a statsd has\n%s", text)
	}
}

// The receiver's firewall lets the senders in, from their addresses, and nobody else.
func TestSecureMetricsBehindTheFirewall(t *testing.T) {
	host := metrics1
	host.Tasks = append([]string{"firewall"}, host.Tasks...)
	built := builtFrom(t, seenFrom(t, host, nil, nil))
	want := "ip saddr 192.0.2.21/32 tcp dport 12003 accept\nip saddr 192.0.2.22/32 tcp dport 12003 accept"
	if text := content(built, hostFirewallParts+"/secure_metrics.nft"); !strings.Contains(text, want) {
		t.Errorf("it lets in\n%s", text)
	}
	// On a host where the firewall is not installed yet, that is all.
	if _, err := bareHost(recipe.Platforms()[0]).Install(model.Task{Name: secureMetricsName, Recipe: built}); err != nil {
		t.Fatal(err)
	}
	named := seenFrom(t, host, nil, nil)
	byName := web2
	byName.Address = "web2.example.org"
	named.Peers = peersOf(t, metrics1, web1, byName)
	if _, err := SecureMetrics().Build(named); err == nil || !strings.Contains(err.Error(), "secure_metrics.address") {
		t.Errorf("got %v", err)
	}
}

// Before any host was asked, two senders are not two copies of one machine.
func TestSendersThatWereNotAskedYetDiffer(t *testing.T) {
	in := seenFrom(t, metrics1, nil, nil)
	in.Peers = peersOf(t)
	for name, exported := range map[string]func(string, string, string) (recipe.Said, bool){
		"nobody was asked": nil,
		"nothing is known": func(string, string, string) (recipe.Said, bool) { return recipe.Said{}, false },
	} {
		in.Exported = exported
		if _, err := SecureMetrics().Build(in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
