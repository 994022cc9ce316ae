package tasks

import (
	"slices"
	"strconv"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	firewallUnit  = "provision-carbon-firewall.service"
	firewallRules = configDirectory + "/carbon.nft"
	firewallFile  = "/etc/systemd/system/" + firewallUnit
)

// addCarbon adds carbon's configuration, its unit's hardening, and the packet filter
// where it listens beyond loopback.
func (g graphite) addCarbon(r *recipe.Recipe) error {
	carbon := restart(carbonUnit)
	parts := []filePart{
		{path: "/etc/carbon/carbon.conf", template: "graphite/carbon.conf.tmpl", notifies: carbon, data: struct {
			Interface        string
			Port             int
			Pickle           bool
			UpdatesPerSecond int
		}{g.carbonInterface(), g.carbonPort(), g.Vars.Bool("carbon_pickle"), g.Vars.Int("updates_per_second")}},
		{path: "/etc/carbon/storage-schemas.conf", template: "graphite/storage-schemas.conf.tmpl", notifies: carbon, data: g.Vars.Records("schemas")},
		{path: "/etc/carbon/storage-aggregation.conf", template: "graphite/storage-aggregation.conf.tmpl", notifies: carbon, data: g.Vars.Records("aggregations")},
		{path: "/etc/systemd/system/carbon-cache.service.d/10-provision.conf", template: "graphite/carbon-cache.conf.tmpl", notifies: carbon, data: struct {
			Firewall bool
			Networks []string
		}{g.open(), slices.Concat(g.Vars.List("carbon_listen"), g.nodeNetworks())}},
	}
	if g.clustered() {
		parts = append(parts, g.relay()...)
	}
	if g.open() {
		parts = append(parts, g.firewall()...)
	}
	return addFiles(r, parts)
}

// firewall are the rules of the packet filter, and the unit that loads them.
func (g graphite) firewall() []filePart {
	var rules struct{ Networks4, Networks6, Nodes4, Nodes6 []string }
	for _, node := range g.nodes() {
		if node.Is4() {
			rules.Nodes4 = append(rules.Nodes4, node.String())
		} else {
			rules.Nodes6 = append(rules.Nodes6, node.String())
		}
	}
	for _, network := range g.networks {
		if network.Addr().Is4() {
			rules.Networks4 = append(rules.Networks4, network.String())
		} else {
			rules.Networks6 = append(rules.Networks6, network.String())
		}
	}
	return []filePart{
		{path: firewallRules, template: "graphite/carbon.nft.tmpl", data: rules, notifies: reload(firewallUnit)},
		{path: firewallFile, template: "graphite/provision-carbon-firewall.service.tmpl", notifies: restart(firewallUnit)},
	}
}

// carbonInterface is the address that carbon listens at. An IPv6 socket on :: takes IPv4
// too (ipv6(7), IPV6_V6ONLY); it is chosen only where a network asks for it.
func (g graphite) carbonInterface() string {
	for _, network := range g.networks {
		if network.Addr().Is6() {
			return "::"
		}
	}
	for _, node := range g.nodes() {
		if node.Is6() {
			return "::"
		}
	}
	if g.open() {
		return "0.0.0.0"
	}
	return "127.0.0.1"
}

// addCarbonService starts carbon: behind its packet filter, which goes only after carbon
// has gone back to loopback.
func (g graphite) addCarbonService(r *recipe.Recipe) {
	host := "127.0.0.1"
	if g.open() {
		host = ""
		r.Add(resource.Service{Unit: firewallUnit, Check: "nft -c -f " + firewallRules})
	}
	listens := []string{host + ":" + strconv.Itoa(g.carbonPort()), "127.0.0.1:7002"}
	if g.Vars.Bool("carbon_pickle") {
		listens = append(listens, host+":2004")
	}
	r.Add(resource.Service{
		Unit: carbonUnit, Listens: listens,
		Check: "validate-storage-schemas", Trees: []string{"/etc/carbon"},
	})
	if g.clustered() {
		r.Add(g.relayService())
	}
}
