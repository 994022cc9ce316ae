package resource_test

import (
	"errors"
	"net/netip"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// Who listens where a service is to: it is the service itself, or another, or there is room.
func TestServiceIsRefusedWhereAnotherListens(t *testing.T) {
	at := func(address, process, unit string) recipe.Listener {
		return recipe.Listener{Address: netip.MustParseAddr(address), Process: process, Unit: unit}
	}
	apache := at("::", "apache2", "apache2.service")
	for _, c := range []struct {
		name    string
		listens string
		found   []recipe.Listener
		want    string // "" is room
	}{
		{"nobody", ":80", nil, ""},
		{"another, everywhere", ":80", []recipe.Listener{apache}, "port 80 is held by apache2 (apache2.service), and u.service wants to listen there"},
		{"another, at one address", ":80", []recipe.Listener{at("10.1.2.3", "varnishd", "varnish.service")}, "port 80 is held by varnishd (varnish.service), and u.service wants to listen there"},
		{"another, where one address is wanted", "127.0.0.1:80", []recipe.Listener{apache}, "port 80 is held by apache2 (apache2.service), and u.service wants to listen there"},
		{"another, at another address", "127.0.0.1:80", []recipe.Listener{at("10.1.2.3", "x", "x.service")}, ""},
		{"the kernel", ":80", []recipe.Listener{at("0.0.0.0", "", "")}, "port 80 is held by the kernel, or a process that is not to be seen, and u.service wants to listen there"},
		{"by hand", ":80", []recipe.Listener{at("0.0.0.0", "python3", "session-3.scope")}, "port 80 is held by python3 (session-3.scope), and u.service wants to listen there"},
		{"the service itself", ":80", []recipe.Listener{at("0.0.0.0", "u", "u.service"), at("::", "u", "u.service")}, ""},
		{"its socket", ":80", []recipe.Listener{at("::", "systemd", "u.socket")}, ""},
		{"an instance of it", ":80", []recipe.Listener{at("::", "u", "u@15-main.service")}, ""},
		{"what listens elsewhere by then", ":80", []recipe.Listener{at("::", "before", "before.service")}, ""},
		{"what will be stopped", ":80", []recipe.Listener{at("::", "old", "old.service")}, ""},
	} {
		wanted := resource.Service{Unit: "u.service", Listens: []string{c.listens, "/run/u.sock"}, Follows: "before.service", Instead: "-e u.port=8080"}
		facts := recipe.Facts{
			recipe.ListenerKey(80):         {Value: c.found},
			recipe.UnitKey("old.service"):  {Value: recipe.Unit{Load: "loaded", Active: "inactive"}},
			recipe.UnitKey("else.service"): {Value: recipe.Unit{Load: "loaded", Active: "active"}},
		}
		err := wanted.Refuse(facts)
		if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestHeldPortsAreToldOnce(t *testing.T) {
	both := []recipe.Listener{
		{Address: netip.IPv4Unspecified(), Process: "apache2", Unit: "apache2.service"},
		{Address: netip.IPv6Unspecified(), Process: "apache2", Unit: "apache2.service"},
	}
	facts := recipe.Facts{recipe.ListenerKey(80): {Value: both}, recipe.ListenerKey(443): {Value: both}}
	err := resource.Service{Unit: "nginx.service", Listens: []string{":80", ":443"}, Instead: "-e graphite.port=8080"}.Refuse(facts)
	var held *resource.HeldError
	if !errors.As(err, &held) {
		t.Fatal(err)
	}
	if want := "ports 80 and 443 are held by apache2 (apache2.service), and nginx.service wants to listen there"; err.Error() != want {
		t.Errorf("got %q", err)
	}
	if want := "-e graphite.port=8080; or on the host, where it is not needed: systemctl disable --now apache2.service"; held.Hint() != want {
		t.Errorf("hint %q", held.Hint())
	}
}

// Two tasks share a service, and each says where its part listens.
func TestServicesThatListenElsewhereMerge(t *testing.T) {
	a := resource.Service{Unit: "nginx.service", Check: "nginx -t", Listens: []string{":8080"}, Instead: "-e graphite.port=8081"}
	b := resource.Service{Unit: "nginx.service", Check: "nginx -t", Listens: []string{":80", ":8080"}}
	both, ok := a.Merge(b)
	if got := both.(resource.Service); !ok || len(got.Listens) != 2 || got.Instead != a.Instead {
		t.Errorf("got %+v, %v", both, ok)
	}
	b.Check = "true"
	if _, ok := a.Merge(b); ok {
		t.Error("different checks are taken for the same")
	}
}
