package inventory

import (
	"strings"
	"testing"
)

func names(hosts []Host) string {
	var all []string
	for _, host := range hosts {
		all = append(all, host.Name)
	}
	return strings.Join(all, " ")
}

func withLab(t *testing.T) *Inventory {
	return parse(t, web, nil).With("lab", Host{Name: "lab1", Address: Address{User: "root", Host: "198.18.0.11"}}, Host{Name: "web2"})
}

func TestSelect(t *testing.T) {
	tests := map[string]string{ // limit, a | between elements: hosts
		"":              "web3 web1 web2 db1",
		"all":           "web3 web1 web2 db1",
		"web1":          "web1",
		"web2,web1":     "web2 web1", // as they are named
		"web2|web1":     "web2 web1",
		"web1,web1":     "web1",
		"metrics":       "web1 web2",
		"front":         "web3 web1 web2", // with the groups in it
		"web*":          "web3 web1 web2",
		"web[12]":       "web1 web2",
		"m*":            "web1 web2",     // a group's name matches too
		"db1,metrics":   "db1 web1 web2", // those of a group in the inventory's order
		"web2,metrics":  "web2 web1",
		"metrics,!web1": "web2",
		"!web1,metrics": "web2",
		"!metrics":      "web3 db1",
		"all,!web*":     "db1",
		"!front":        "db1",
		"lab":           "web2 lab1",
		"lab1":          "lab1",
		"l*1,db1":       "lab1 db1",
		"all, lab":      "web3 web1 web2 db1 lab1",
		"metrics,!lab":  "web1",
		"*":             "web3 web1 web2 db1", // not the lab's: who writes * means the inventory
		"?eb1":          "web1",
	}
	for limit, want := range tests {
		var list []string
		if limit != "" {
			list = strings.Split(limit, "|")
		}
		hosts, err := withLab(t).Select(list)
		if err != nil || names(hosts) != want {
			t.Errorf("%q: got %q, %v; want %q", limit, names(hosts), err, want)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	tests := []struct{ limit, problem, hint string }{
		{"metric", `limit "metric": there is no such host or group`, `did you mean "metrics"?`},
		{"web1,wbe2", `limit "wbe2": there is no such host or group`, `did you mean "web2"?`},
		{"!wbe2", `limit "wbe2": there is no such host or group`, `did you mean "web2"?`},
		{"x*", `limit "x*": matches no host and no group`, "put it in quotes, so that the shell leaves it alone; provision list shows the hosts"},
		{"[", `limit "[": is not a pattern`, "* is any text, ? one letter, [ab] one of these"},
		{"web1,,web2", `limit "": is empty`, "write names with commas between them: -l web1,web2"},
		{"!", `limit "": is empty`, "write names with commas between them: -l web1,web2"},
		{"web1,!web1", `limit "web1,!web1": matches no host`, "its exclusions leave nothing"},
		{"root@web1", `limit "root@web1": there is no such host or group`, "an address goes with -H: -H root@web1"},
	}
	for _, test := range tests {
		_, err := parse(t, web, nil).Select([]string{test.limit})
		if err == nil || err.Error() != test.problem || hintOf(err) != test.hint {
			t.Errorf("%q: got %v, hint %q", test.limit, err, hintOf(err))
		}
	}
	if hosts, err := new(Inventory).Select(nil); err == nil || err.Error() != "inventory: has no hosts" {
		t.Errorf("no inventory: got %v, %v", hosts, err)
	}
}

func TestAdHoc(t *testing.T) {
	inv := withLab(t)
	hosts, err := inv.AdHoc([]string{"web1,admin@web2:22,root@new.example", "192.0.2.99:2201,192.0.2.99:2202", "lab1"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"web1 root@192.0.2.10:2222", // its entry
		"web2 admin@[2001:db8::2]:22",
		"new.example root@new.example",
		"192.0.2.99:2201 192.0.2.99:2201",
		"192.0.2.99:2202 192.0.2.99:2202",
		"lab1 root@198.18.0.11",
	}
	if len(hosts) != len(want) {
		t.Fatalf("%d hosts", len(hosts))
	}
	for i, host := range hosts {
		if got := host.Name + " " + host.Address.String(); got != want[i] {
			t.Errorf("got %s, want %s", got, want[i])
		}
		values, err := host.Values("graphite", known(), nil)
		if err != nil || values.String("time_zone") != "Europe/Berlin" {
			t.Errorf("%s: vars are for all hosts, got %v, %v", host.Name, values["time_zone"], err)
		}
	}
	if len(hosts[0].Tasks) == 0 || len(hosts[2].Tasks) != 0 {
		t.Errorf("tasks: got %v and %v", hosts[0].Tasks, hosts[2].Tasks)
	}
	if hosts, err := new(Inventory).AdHoc([]string{"web1"}); err != nil || names(hosts) != "web1" {
		t.Errorf("no inventory: got %v, %v", hosts, err)
	}
}

func TestAdHocRefuses(t *testing.T) {
	tests := []struct{ spec, problem, hint string }{
		{"a,a", `host "a": is given twice, first as "a"`, "name each host once"},
		{"a,root@a", `host "root@a": is given twice, first as "a"`, "name each host once"},
		{"a,a:22", `host "a:22": is given twice, first as "a"`, "name each host once"},
		{"web1,192.0.2.10:2222", `host "192.0.2.10:2222": is given twice, first as "web1"`, "name each host once"},
		{"metrics", `host "metrics": is a group`, "groups go with -l: -l metrics"},
		{"all", `host "all": is a group`, "groups go with -l: -l all"},
		{"a,", `host "": is empty`, "write user@host:port; user and port may be left out"},
		{"a:0", `host "a:0": "0" is not a port`, "a number from 1 to 65535"},
	}
	for _, test := range tests {
		_, err := parse(t, web, nil).AdHoc([]string{test.spec})
		if err == nil || err.Error() != test.problem || hintOf(err) != test.hint {
			t.Errorf("%q: got %v, hint %q", test.spec, err, hintOf(err))
		}
	}
	if _, err := new(Inventory).AdHoc(nil); err == nil {
		t.Error("no host is no error")
	}
}

func TestSelectAllWithoutHosts(t *testing.T) {
	_, err := (&Inventory{}).Select([]string{"all"})
	if err == nil || !strings.Contains(err.Error(), "there are no hosts in an inventory") {
		t.Errorf("error %v", err)
	}
}
