package tasks

import (
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

const (
	haproxyUnit       = "haproxy.service"
	haproxyFile       = "/etc/haproxy/haproxy.cfg"
	balancerUnit      = "provision-balancer.service"
	balancerDirectory = configDirectory + "/balancer"
	balancerScript    = balancerDirectory + "/balancer.sh"
	balancerState     = "/var/lib/provision-balancer"
	balancerMap       = balancerState + "/active.map"
)

// Balancer is a host before two servers, of which one has the visitors.
func Balancer() recipe.Task {
	action := func(word string) string { return "exec sh " + balancerScript + " " + word }
	server := []recipe.Variable{{Name: "server", Type: recipe.TypeString, Needed: true, Check: text(ipv4Address), Help: "Its address, one of balancer.servers."}}
	return recipe.Task{
		Name:    "balancer",
		Summary: "a host before two servers that share no network: the second has the visitors when the first fails (haproxy)",
		About: "Takes connections at its ports and brings them to the first of two servers, as they are: TLS ends there. The check of the first is asked every 0.8 s; within three seconds of its end connections go to the second, and stay there: " +
			"haproxy by itself goes back as soon as the first passes its check, so which of both has the visitors is written down, also over a restart, and only provision do balancer failback changes it back, when the first passes its check. " +
			"When the second fails meanwhile, the first has the visitors at once. The balancer is one host: where it must not be the end of all, give the task failover to two of them. provision do balancer drill measures the switch, and stops nothing.",
		Uses:      []string{"firewall"},
		Variables: balancerVariables(),
		Check:     checkBalancer,
		Build:     buildBalancer,
		Verify:    verifyBalancer,
		Actions: []recipe.Script{
			{Name: "status", Text: action("status"), Timeout: time.Minute, Help: "Says which server passes its check, and which has the visitors."},
			{Name: "failback", Text: action("failback"), Timeout: time.Minute, Help: "Gives the visitors to the first server, when it passes its check; their connections to the second end."},
			{Name: "drill", Text: action("drill"), Timeout: time.Minute, Help: "Lets the check of the server with the visitors fail, and measures until a connection comes to the other one; it fails where that takes more than three seconds. On the servers nothing is stopped."},
			{Name: "drain", Text: action(`drain "$server"`), Arguments: server, Timeout: time.Minute, Help: "Gives the visitors to the other server, when that passes its check, and waits up to 20 s until this one has no connection: before it is changed."},
			{Name: "undrain", Text: action(`undrain "$server"`), Arguments: server, Timeout: time.Minute, Help: "Waits until a server that was drained passes its check, and lets it have the visitors again; those that the other one has stay there."},
		},
		After: func(in recipe.Input) []string {
			servers := in.Vars.List("servers")
			return []string{"visitors of ports " + strings.Join(in.Vars.List("ports"), ", ") + " come to " + servers[0] + ", or to " + servers[1] + ": provision do balancer status"}
		},
	}
}

func balancerVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "servers", Type: recipe.TypeList, Needed: true, Check: eachOf(ipv4Address),
			Help: "The two servers, by their IPv4 addresses; the first has the visitors as a rule.",
		},
		{
			Name: "ports", Type: recipe.TypeList, Default: []string{"80", "443"}, Check: eachOf(port),
			Help: "The ports, here and on the servers.",
		},
		{
			Name: "check_port", Type: recipe.TypeInt, Default: 8080, Check: between(1, 65535),
			Help: "The port of the servers that tells, over plain HTTP, whether one works: that of the task healthcheck as a rule.",
		},
		{
			Name: "check_path", Type: recipe.TypeString, Default: "/health", Check: text(endpointPath),
			Help: "And the path: it is answered with status 200 within 0.8 s.",
		},
		{
			Name: "listen", Type: recipe.TypeString, Default: "0.0.0.0", Check: text(ipv4Address),
			Help: "The address of the balancer that the ports are at; 0.0.0.0 is all of IPv4.",
		},
		{
			Name: "proxy_protocol", Type: recipe.TypeBool,
			Help: "The servers are told who the visitor is, by the PROXY protocol: they have to expect it, as nginx does with listen 443 ssl proxy_protocol. Else all visitors have the balancer's address there.",
		},
	}
}

// What haproxy.cfg takes for a word, without quotes and escapes (configuration.txt, 2.2).
var haproxyPath = regexp.MustCompile(`^/[A-Za-z0-9._~/-]*$`)

func checkBalancer(vars recipe.Values) (string, error) {
	servers, ports := vars.List("servers"), vars.List("ports")
	switch {
	case len(servers) != 2 || servers[0] == servers[1]:
		return "servers", errors.New("must be two")
	case len(ports) == 0:
		return "ports", errors.New("must be one or more")
	case !haproxyPath.MatchString(vars.String("check_path")):
		return "check_path", errors.New("must be a path such as /health")
	}
	return "", nil
}

func buildBalancer(in recipe.Input) (recipe.Recipe, error) {
	var r recipe.Recipe
	for _, path := range []string{configDirectory, balancerDirectory, balancerState, "/etc/haproxy", "/etc/systemd/system/haproxy.service.d"} {
		r.Add(resource.Directory{Path: path})
	}
	if err := addBalancerFiles(&r, in); err != nil {
		return r, err
	}
	if err := openToVisitors(&r, in); err != nil {
		return r, err
	}
	// Before haproxy reads it. Which it is later, the host knows.
	r.Add(resource.Command{
		Name: "begin with the first server", Script: "sh " + balancerScript + " begin", Unless: "test -s " + balancerMap,
		Reads: []recipe.Key{recipe.PathKey(balancerMap)}, Changes: []recipe.Key{}, Makes: []string{balancerMap},
	})
	r.Add(resource.Package{Name: "socat", Brings: []recipe.Key{}})
	r.Add(resource.Package{Name: "haproxy", Brings: []recipe.Key{recipe.UnitKey(haproxyUnit)}, Restarts: []string{haproxyUnit}})
	var listens []string
	for _, port := range in.Vars.List("ports") {
		listens = append(listens, net.JoinHostPort(in.Vars.String("listen"), port))
	}
	r.Add(resource.Service{
		Unit: haproxyUnit, Check: "haproxy -c -f " + haproxyFile, Trees: []string{"/etc/haproxy"}, Listens: listens,
		Instead: "-e balancer.ports=[8080]",
	})
	r.Add(resource.Service{Unit: balancerUnit})
	return r, nil
}

func addBalancerFiles(r *recipe.Recipe, in recipe.Input) error {
	servers, ports := in.Vars.List("servers"), in.Vars.List("ports")
	checkPort, listen := strconv.Itoa(in.Vars.Int("check_port")), in.Vars.String("listen")
	if listen == "0.0.0.0" {
		listen = "127.0.0.1"
	}
	return addFiles(r, []filePart{
		{path: haproxyFile, template: "balancer/haproxy.cfg.tmpl", notifies: reload(haproxyUnit), data: struct {
			Servers, Ports               []string
			CheckPort, Path, Listen, Map string
			Proxy                        bool
		}{servers, ports, checkPort, in.Vars.String("check_path"), in.Vars.String("listen"), balancerMap, in.Vars.Bool("proxy_protocol")}},
		{path: balancerDirectory + "/settings", template: "failover/settings.tmpl", notifies: restart(balancerUnit), data: []setting{
			{"FIRST", script.Quote(servers[0])},
			{"SECOND", script.Quote(servers[1])},
			{"PORTS", script.Quote(strings.Join(ports, " "))},
			{"CHECKED", script.Quote("servers-" + ports[0])},
			{"CHECK_PORT", script.Quote(checkPort)},
			{"CHECK", script.Quote("http://SERVER:" + checkPort + in.Vars.String("check_path"))},
			{"LISTEN", script.Quote(listen)},
		}},
		{path: balancerScript, template: "balancer/balancer.sh.tmpl", notifies: restart(balancerUnit)},
		{path: "/etc/systemd/system/haproxy.service.d/10-provision.conf", template: "balancer/haproxy.service.conf.tmpl", notifies: restart(haproxyUnit)},
		{path: "/etc/systemd/system/" + balancerUnit, template: "balancer/balancer.service.tmpl", notifies: restart(balancerUnit)},
	})
}

// openToVisitors lets them in through the firewall, where the host has it.
func openToVisitors(r *recipe.Recipe, in recipe.Input) error {
	if !slices.Contains(in.Host.Tasks(), "firewall") {
		return nil
	}
	var allow []string
	for _, port := range in.Vars.List("ports") {
		allow = append(allow, port+"/tcp")
	}
	in.Vars = recipe.Values{"name": "balancer", "ports": allow}
	opened, _, err := allowPart().Build(in)
	r.Include(opened)
	return err
}

// verifyBalancer sees that either server could have the visitors, and that one has them.
func verifyBalancer(recipe.Input) ([]recipe.Check, error) {
	return []recipe.Check{
		onHost("haproxy runs, and its configuration is valid", "systemctl is-active "+haproxyUnit+" && haproxy -c -f "+haproxyFile),
		onHost("who has the visitors is written down", "systemctl is-active "+balancerUnit),
		onHost("both servers pass their check", "sh "+balancerScript+" checks"),
		onHost("a connection to each port comes to a server", "sh "+balancerScript+" reaches"),
	}, nil
}
