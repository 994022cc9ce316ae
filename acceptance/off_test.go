package acceptance

import (
	"slices"
	"strings"
	"testing"
)

// offLeavesNothing turns variables on and off again, and looks for what is left.
func offLeavesNothing(t *testing.T, host machine) {
	host.run(t, "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install nftables </dev/null") // packages stay, by design
	tests := []struct {
		name string
		vars []string
		on   func(*testing.T, machine)
		off  func(*testing.T, machine)
	}{
		{"TLS and carbon for others", []string{"graphite.tls=self-signed", "graphite.carbon_listen=[198.19.255.0/24]", "graphite.carbon_pickle=true"}, tlsAndCarbonAreOn, noKeyIsKept},
		{"no password", []string{"graphite.auth=false"}, nobodyIsAsked, func(*testing.T, machine) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := host.look(t)
			var extra []string
			for _, v := range test.vars {
				extra = append(extra, "-e", v)
			}
			provision(t, append([]string{"install", "graphite", "-y", "-H", host.Name}, extra...)...).exits(t, 0)
			test.on(t, host)
			converged(t, host, append([]string{"graphite"}, extra...)...)
			provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
			test.off(t, host)
			host.isAs(t, before, "turned off again", "debian", "working")
			provision(t, "verify", "graphite", "-H", host.Name).exits(t, 0)
		})
	}
}

// noKeyIsKept looks for the key of a certificate that went among the copies of what was replaced.
func noKeyIsKept(t *testing.T, host machine) {
	if found := host.run(t, "grep -rlF 'PRIVATE KEY' /var/lib/provision || true"); found != "" {
		t.Errorf("a key is kept: %s", found)
	}
}

func tlsAndCarbonAreOn(t *testing.T, host machine) {
	listeners, err := host.listeners()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tcp/0.0.0.0:443", "tcp/0.0.0.0:2003", "tcp/0.0.0.0:2004"} {
		if !slices.Contains(listeners, want) {
			t.Errorf("nothing listens on %s: %v", want, listeners)
		}
	}
	web := host.web(t)
	if status, _ := web.get(t, "/"); status != 301 {
		t.Errorf("http: %d, want 301", status)
	}
	web.base = strings.Replace(web.base, "http:", "https:", 1)
	if status, _ := web.get(t, "/"); status != 200 {
		t.Errorf("https: %d, want 200", status)
	}
}

func nobodyIsAsked(t *testing.T, host machine) {
	if status, _ := (website{base: host.web(t).base}).get(t, "/"); status != 200 {
		t.Errorf("without a password: %d, want 200", status)
	}
}
