package tasks

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	relayUnit = "carbon-c-relay.service"

	// nodePort is where a node's carbon-cache takes what the relays of all nodes send it, and
	// nodeWebPort where its graphite-web answers theirs. The packet filter lets in nodes alone.
	nodePort    = 2013
	nodeWebPort = 2080
)

func graphiteClusterVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "carbon_nodes", Type: recipe.TypeList, Check: eachOf(ipAddress),
			Help: "The addresses of all hosts of a cluster, this one among them, on each in the same order: each metric is kept by replication_factor of them, and each answers for all. " +
				"A node that is down gets what it missed from memory when it is back, as long as that is not much. What is there is not moved when the list changes. Between nodes nothing is encrypted. A host without the list has a Graphite of its own again, with the metrics that it kept.",
		},
		{
			Name: "replication_factor", Type: recipe.TypeInt, Default: 2, Check: between(1, 16),
			Help: "How many nodes keep a metric; it makes a difference with carbon_nodes alone.",
		},
	}
}

// checkCluster refuses a cluster that cannot be.
func checkCluster(vars recipe.Values) (string, error) {
	nodes := len(vars.List("carbon_nodes"))
	switch {
	case nodes == 0:
		return "", nil
	case vars.Int("replication_factor") > nodes:
		return "replication_factor", fmt.Errorf("%d: there are %d carbon_nodes", vars.Int("replication_factor"), nodes)
	case vars.Bool("carbon_pickle"):
		return "carbon_pickle", errors.New("does not go with carbon_nodes: their relay takes lines alone")
	}
	return "", nil
}

func (g graphite) clustered() bool { return len(g.Vars.List("carbon_nodes")) > 0 }

// open reports whether carbon-cache listens beyond loopback, behind the packet filter.
func (g graphite) open() bool { return g.public() || g.clustered() }

// nodes are those of the cluster. The variable was checked.
func (g graphite) nodes() []netip.Addr {
	var all []netip.Addr
	for _, text := range g.Vars.List("carbon_nodes") {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// nodeNetworks are the nodes as networks of one host.
func (g graphite) nodeNetworks() []string {
	var all []string
	for _, node := range g.nodes() {
		all = append(all, netip.PrefixFrom(node, node.BitLen()).String())
	}
	return all
}

// at are the nodes at a port.
func (g graphite) at(port int) []string {
	var all []string
	for _, node := range g.nodes() {
		all = append(all, net.JoinHostPort(node.String(), strconv.Itoa(port)))
	}
	return all
}

// carbonPort is that of carbon-cache: of a cluster's the relay has the usual one.
func (g graphite) carbonPort() int {
	if g.clustered() {
		return nodePort
	}
	return 2003
}

// relay is what sends each metric to its nodes.
func (g graphite) relay() []filePart {
	listen := "127.0.0.1"
	if g.public() {
		listen = "0.0.0.0"
		if slices.ContainsFunc(g.networks, func(n netip.Prefix) bool { return n.Addr().Is6() }) {
			listen = "[::]"
		}
	}
	return []filePart{
		{path: "/etc/carbon/relay.conf", template: "graphite/relay.conf.tmpl", notifies: restart(relayUnit), data: struct {
			Listen      string
			Replication int
			Nodes       []string
		}{listen + ":2003", g.Vars.Int("replication_factor"), g.at(nodePort)}},
		{path: "/etc/systemd/system/" + relayUnit + ".d/10-provision.conf", template: "graphite/carbon-c-relay.conf.tmpl", notifies: restart(relayUnit)},
	}
}

func (g graphite) relayService() resource.Service {
	host := "127.0.0.1"
	if g.public() {
		host = ""
	}
	return resource.Service{
		Unit: relayUnit, Listens: []string{host + ":2003"}, Follows: carbonUnit, // which had the port, without a cluster
		Check: "carbon-c-relay -t -f /etc/carbon/relay.conf </dev/null", Trees: []string{"/etc/carbon"}, Dry: true,
	}
}
