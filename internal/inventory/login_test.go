package inventory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const behind = `
ssh: {identity: keys/all, jump: gate}
groups:
  inner:
    hosts: ["db[08:10]", cache]
    ssh: {user: admin, port: 2222}
  deep:
    hosts: [cache]
    groups: [inner]
hosts:
  gate:
    address: root@192.0.2.1
    ssh: {jump: none}
  db[08:10]: {address: "10.0.0.[8:10]", ssh: {identity: /etc/keys/db}}
  cache: {ssh: {user: root, jump: "anna@gate:22"}}
  "vm[1:2].example":
    address: nat.example:220[1:2]
`

// A host's way is what is nearest to it: its own, its groups' from the inside out, the file's.
func TestLogin(t *testing.T) {
	inv, err := Parse("conf/hosts.yaml", []byte(behind), known(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, host := range inv.Hosts() {
		got = append(got, fmt.Sprintf("%s %s jump=%s identity=%s", host.Name, host.Address, host.Jump(), host.Identity()))
	}
	want := []string{
		"gate root@192.0.2.1 jump=none identity=conf/keys/all",
		"db08 admin@10.0.0.8:2222 jump=gate identity=/etc/keys/db",
		"db09 admin@10.0.0.9:2222 jump=gate identity=/etc/keys/db",
		"db10 admin@10.0.0.10:2222 jump=gate identity=/etc/keys/db",
		"cache root@cache:2222 jump=anna@gate:22 identity=conf/keys/all",
		"vm1.example nat.example:2201 jump=gate identity=conf/keys/all",
		"vm2.example nat.example:2202 jump=gate identity=conf/keys/all",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	named, err := inv.AdHoc([]string{"anna@db[08:09]:22"})
	if err != nil || len(named) != 2 || named[1].Address.String() != "anna@10.0.0.9:22" || named[1].Jump() != "gate" {
		t.Errorf("-H: %v, error %v", named, err)
	}
	if hop, known := inv.JumpHost("anna@gate"); !known || hop.Address.String() != "anna@192.0.2.1" || hop.Identity() != "conf/keys/all" {
		t.Errorf("jump host %v, %v", hop, known)
	}
}

func TestRanges(t *testing.T) {
	for _, row := range []struct {
		text, want string
	}{
		{"web[01:03]", "web01 web02 web03"},
		{"web[9:11].x", "web9.x web10.x web11.x"},
		{"root@[2001:db8::1]:22", "root@[2001:db8::1]:22"},
		{"web[12]", "web[12]"},
		{"web[01:100]", `"web[01:100]": is a range whose numbers have leading zeros and are not as long as each other`},
		{"web[3:1]", `"web[3:1]": is a range that ends before it begins`},
		{"web[1:2][1:2]", `"web[1:2][1:2]": has two ranges`},
		{"web[1:99999]", `"web[1:99999]": is a range of more than 10000 names`},
		{"web[1:99999999999999999999]", `"web[1:99999999999999999999]": is a range of more than 10000 names`},
	} {
		names, err := Expand([]string{row.text})
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.text, got, row.want)
		}
	}
}

func TestLimitTakesRanges(t *testing.T) {
	inv, err := Parse("hosts.yaml", []byte("hosts: {\"web[1:5]\": , db1: }\n"), known(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[string]string{
		"web[2:4]": "web2 web3 web4", "web[1:5],!web[2:4]": "web1 web5", "web[12],db1": "web1 web2 db1",
		"web[4:6]": `limit "web6": there is no such host or group`,
	} {
		hosts, err := inv.Select([]string{limit})
		var names []string
		for _, host := range hosts {
			names = append(names, host.Name)
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("-l %s: %s, want %s", limit, got, want)
		}
	}
}
