package tasks

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// secureMetrics is what the recipe and the checks are made from: which of both ends the host is, and
// whom it knows at the other.
type secureMetrics struct {
	recipe.Input
	receives bool
	statsd   bool       // statsd's line goes this way too
	known    []knownKey // at the other end: a sender knows one, or none yet
	address  string     // of the receiver
	ports    recipe.Values
	out      bool // the receiver shuts this sender out
}

// knownKey is a host whose certificate is known.
type knownKey struct {
	Host, Address string
	Certificate   string // in PEM, without the newline at its end
}

func newSecureMetrics(in recipe.Input) (secureMetrics, error) {
	s := secureMetrics{Input: in, ports: in.Vars, receives: receivesMetrics(in.Host.Tasks(), in.Vars)}
	var peers []recipe.Peer
	if in.Peers != nil {
		all, err := in.Peers(secureMetricsName)
		if err != nil {
			return s, err
		}
		peers = slices.DeleteFunc(slices.Clone(all), func(p recipe.Peer) bool { return p.Name == in.Host.Name() })
	}
	if s.receives {
		return s, s.knowSenders(peers)
	}
	return s, s.knowReceiver(peers)
}

// receivesMetrics reports which of both ends a host is.
func receivesMetrics(tasks []string, vars recipe.Values) bool {
	role := vars.String("role")
	return role == "receiver" || role == "auto" && slices.Contains(tasks, "graphite")
}

// knowSenders finds those who may send.
func (s *secureMetrics) knowSenders(peers []recipe.Peer) error {
	s.statsd = slices.Contains(s.Host.Tasks(), "statsd")
	out := s.Vars.List("shut_out")
	for _, peer := range peers {
		if receivesMetrics(peer.Tasks, peer.Vars) || slices.Contains(out, peer.Name) {
			continue
		}
		certificate, err := exportedCertificate(s.Input, peer.Name, secureMetricsName, secureMetricsCertificate)
		if err != nil {
			return fmt.Errorf("%w; to go on without it: shut_out = [%s]", err, peer.Name)
		}
		if certificate != "" {
			s.known = append(s.known, knownKey{peer.Name, reachedAt(peer), certificate})
		}
	}
	for _, sender := range s.Vars.Records("senders") {
		certificate, err := parseCertificate(sender["certificate"])
		if err != nil {
			return err
		}
		if !slices.Contains(out, sender["name"]) {
			s.known = append(s.known, knownKey{sender["name"], sender["address"], certificate})
		}
	}
	for i, one := range s.known {
		same := slices.IndexFunc(s.known, func(k knownKey) bool { return k.Certificate == one.Certificate })
		if same < i && one.Certificate != madeUpCertificate {
			return fmt.Errorf("%s and %s have one key, as copies of one machine: neither could be shut out alone: remove %s and %s on one, and install it again",
				s.known[same].Host, one.Host, secureMetricsCertificate, secureMetricsKey)
		}
	}
	return nil
}

// knowReceiver finds the one to send to.
func (s *secureMetrics) knowReceiver(peers []recipe.Peer) error {
	if address := s.Vars.String("receiver"); address != "" {
		certificate, err := parseCertificate(s.Vars.String("receiver_certificate"))
		s.address, s.known = address, []knownKey{{address, address, certificate}}
		return err
	}
	peers = slices.DeleteFunc(peers, func(p recipe.Peer) bool { return !receivesMetrics(p.Tasks, p.Vars) })
	switch len(peers) {
	case 0:
		return errors.New("no host is there to receive: give the host with graphite the task secure_metrics too, in hosts.yaml; of one that is not there, set secure_metrics.receiver and receiver_certificate")
	case 1:
	default:
		return fmt.Errorf("%s and %s both receive: set secure_metrics.receiver and receiver_certificate to those of one", peers[0].Name, peers[1].Name)
	}
	receiver := peers[0]
	s.statsd = slices.Contains(receiver.Tasks, "statsd") && !slices.Contains(s.Host.Tasks(), "statsd")
	s.address, s.ports = reachedAt(receiver), receiver.Vars
	s.out = slices.Contains(receiver.Vars.List("shut_out"), s.Host.Name())
	certificate, err := exportedCertificate(s.Input, receiver.Name, secureMetricsName, secureMetricsCertificate)
	if err == nil && certificate != "" {
		s.known = []knownKey{{receiver.Name, s.address, certificate}}
	}
	return err
}

// reachedAt is where others reach a host.
func reachedAt(peer recipe.Peer) string {
	if address := peer.Vars.String("address"); address != "" {
		return address
	}
	return peer.Address
}

// exportedCertificate is what a host's task exports, "" where that is not there yet.
func exportedCertificate(in recipe.Input, host, task, path string) (string, error) {
	if in.Exported == nil {
		return madeUpCertificate, nil
	}
	said, known := in.Exported(host, task, "certificate")
	switch {
	case said.Problem == recipe.NotYet:
		return "", nil
	case said.Problem != "":
		return "", fmt.Errorf("%s of %s %s", path, host, said.Problem)
	case !known && said.Text == "":
		return madeUpCertificate, nil
	}
	certificate, err := parseCertificate(said.Text)
	if err != nil {
		return "", fmt.Errorf("%s of %s %w", path, host, err)
	}
	return certificate, nil
}

// madeUpCertificate stands where a host was not asked yet.
const madeUpCertificate = "(not read yet)"

// parseCertificate returns one certificate in PEM, without the newline at its end. Of what is written in
// hosts.yaml the first and the last line may be left out, and all in one. It refuses what is not one
// alone: whoever exports two could bring in another, who was shut out.
func parseCertificate(text string) (string, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		if content, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
			block, rest = &pem.Block{Type: "CERTIFICATE", Bytes: content}, nil
		}
	}
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return "", errors.New("must be one certificate in PEM, and nothing else")
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return "", fmt.Errorf("must be one certificate in PEM: %w", err)
	}
	return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))), nil
}

// networks are from where the senders come, for the firewall.
func (s secureMetrics) networks() ([]string, error) {
	if networks := s.Vars.List("from"); len(networks) > 0 {
		return networks, nil
	}
	var networks []string
	for _, sender := range s.known {
		address, err := netip.ParseAddr(sender.Address)
		if err != nil {
			return nil, fmt.Errorf("the firewall wants to know from which address %s sends, and hosts.yaml has %q: set secure_metrics.address there, or secure_metrics.from here", sender.Host, sender.Address)
		}
		networks = append(networks, netip.PrefixFrom(address, address.BitLen()).String())
	}
	slices.Sort(networks)
	return slices.Compact(networks), nil
}
