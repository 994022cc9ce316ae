package tasks

import (
	"errors"
	"fmt"
	"net/netip"

	"provision/internal/recipe"
)

func secureMetricsVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "role", Type: recipe.TypeString, Default: "auto", Choices: []string{"auto", "receiver", "sender"},
			Help: "Which end of the way the host is; auto: the one whose tasks in hosts.yaml have graphite receives, the others send.",
		},
		{
			Name: "address", Type: recipe.TypeString, Check: optional(reachable),
			Help: "Where the other hosts reach this one, or see it come from, where that is not its address in hosts.yaml.",
		},
		{
			Name: "shut_out", Type: recipe.TypeList, Check: eachOf(hostName),
			Help: "On the receiver, the senders that are let in no more, by their names in hosts.yaml; their standing connections end too.",
		},
		{
			Name: "senders", Type: recipe.TypeRecords, Fields: []string{"name", "certificate"}, Optional: []string{"address"}, Check: namedSenders,
			Help: "On the receiver, further senders, which hosts.yaml does not have: a name, the certificate in PEM without its first and last line, all in one line, and for the firewall the address.",
		},
		{
			Name: "carbon_port", Type: recipe.TypeInt, Default: 12003, Check: between(1, 65535),
			Help: "The receiver's port for what goes to carbon.",
		},
		{
			Name: "statsd_port", Type: recipe.TypeInt, Default: 18125, Check: between(1, 65535),
			Help: "The receiver's port for what goes to statsd.",
		},
		{
			Name: "listen", Type: recipe.TypeString, Default: "0.0.0.0", Check: text(ipAddress),
			Help: "The address of the receiver that these ports are at: 0.0.0.0 is all of IPv4, :: all of both.",
		},
		{
			Name: "from", Type: recipe.TypeList, Check: eachOf(network),
			Help: "On a receiver with the task firewall, the networks that reach the ports; with none the senders' own addresses.",
		},
		{
			Name: "receiver", Type: recipe.TypeString, Check: optional(reachable),
			Help: "On a sender, the address of a receiver that hosts.yaml does not have; goes with receiver_certificate.",
		},
		{
			Name: "receiver_certificate", Type: recipe.TypeString, Check: optional(certificate),
			Help: "And its certificate, as those of senders: " + secureMetricsCertificate + " there.",
		},
	}
}

// reachable is an address or a name of a host.
func reachable(text string) error {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		return nil
	}
	if len(text) > 0 && text[0] == '*' {
		return fmt.Errorf("%q: must be one host", text)
	}
	return hostName(text)
}

func certificate(text string) error {
	_, err := parseCertificate(text)
	return err
}

func namedSenders(value any) error {
	seen := map[string]bool{}
	for _, sender := range value.([]map[string]string) {
		name := sender["name"]
		if err := hostName(name); err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("name %q: is there twice", name)
		}
		seen[name] = true
		if err := certificate(sender["certificate"]); err != nil {
			return fmt.Errorf("certificate of %s: %w", name, err)
		}
		if address := sender["address"]; address != "" {
			if err := ipAddress(address); err != nil {
				return fmt.Errorf("address of %s: %w", name, err)
			}
		}
	}
	return nil
}

func checkSecureMetrics(vars recipe.Values) (string, error) {
	switch {
	case vars.Int("carbon_port") == vars.Int("statsd_port"):
		return "statsd_port", errors.New("is carbon_port too")
	case (vars.String("receiver") == "") != (vars.String("receiver_certificate") == ""):
		return "receiver", errors.New("receiver and receiver_certificate go together")
	}
	return "", nil
}
