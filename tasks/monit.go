package tasks

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	monitUnit   = "monit.service"
	monitSocket = "/run/monit.sock"
	monitChecks = "/etc/monit/conf.d"
	monitDropIn = "/etc/systemd/system/" + monitUnit + ".d"
	monitState  = "/var/lib/provision-monit" // what it knows of one start to the next
	monitCycle  = 2                          // seconds
)

// monit is what several tasks of a host may have look after something: each has files of its own in
// monitChecks, and the rest is the same for all.

// addMonitFiles adds its own configuration. It is to come before its package.
func addMonitFiles(r *recipe.Recipe) error {
	for _, path := range []string{"/etc/monit", monitChecks, "/etc/monit/conf-enabled", monitDropIn} {
		r.Add(resource.Directory{Path: path})
	}
	r.Add(resource.Directory{Path: monitState, Data: true})
	data := struct {
		Cycle         int
		Socket, State string
	}{monitCycle, monitSocket, monitState}
	return addFiles(r, []filePart{
		{path: "/etc/monit/monitrc", template: "monit/monitrc.tmpl", data: data, attributes: recipe.Attributes{Mode: 0o600}, notifies: restart(monitUnit)},
		{path: monitDropIn + "/10-provision.conf", template: "monit/monit.service.conf.tmpl", data: data, notifies: restart(monitUnit)},
	})
}

func addMonitPackage(r *recipe.Recipe) {
	r.Add(resource.Package{Name: "monit", Brings: []recipe.Key{recipe.UnitKey(monitUnit)}, Restarts: []string{monitUnit}})
}

// addMonitService starts it, once it takes all that it is to read.
func addMonitService(r *recipe.Recipe) {
	r.Add(resource.Service{
		Unit: monitUnit, Check: "monit -t", Trees: []string{"/etc/monit"}, Listens: []string{monitSocket}, Ready: "monit -B summary",
	})
}
