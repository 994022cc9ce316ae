package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/recipe"
)

// known are a few tasks with a variable of each type.
func known() Known {
	all := Known{
		"graphite": {Formerly: []string{"carbon"}, Variables: []recipe.Variable{
			{Name: "auth", Type: recipe.TypeBool, Default: true, Help: "Ask for a password."},
			{Name: "user", Type: recipe.TypeString, Default: "graphite", Help: "Who may log in."},
			{Name: "password", Type: recipe.TypeSecret, Help: "Its password.", Check: func(value any) error {
				if text := value.(recipe.Secret).Reveal(); strings.Contains(text, "\n") {
					return fmt.Errorf("%q has a newline", text)
				}
				return nil
			}},
			{Name: "server_name", Type: recipe.TypeString, Help: "The site's name."},
			{Name: "time_zone", Type: recipe.TypeString, Default: "UTC", Help: "The time zone of graphs."},
			{Name: "allowed_hosts", Type: recipe.TypeList, Help: "Names that the site answers to."},
			{Name: "tls", Type: recipe.TypeString, Default: "off", Choices: []string{"off", "self-signed", "files"}, Help: "Where the certificate comes from."},
			{Name: "schemas", Type: recipe.TypeRecords, Fields: []string{"name", "pattern", "retentions"}, Help: "How long points are kept."},
			{Name: "carbon_listen", Type: recipe.TypeList, Help: "Networks that may send metrics.", Check: func(value any) error {
				for _, network := range value.([]string) {
					if _, err := netip.ParsePrefix(network); err != nil {
						return fmt.Errorf("%q is not a network", network)
					}
				}
				return nil
			}},
			{Name: "workers", Type: recipe.TypeInt, Default: 4, Help: "How many processes."},
			{Name: "mode", Type: recipe.TypeString, Default: "0640", Help: "Of the log files."},
		}},
		"nginx": {Variables: []recipe.Variable{{Name: "worker_connections", Type: recipe.TypeInt, Default: 768, Help: "Connections of each worker."}}},
		"monit": {},
		"shop": {Instances: true, Variables: []recipe.Variable{
			{Name: "domain", Type: recipe.TypeString, Default: "shop", Help: "The site's name."},
			{Name: "workers", Type: recipe.TypeInt, Default: 2, Help: "How many processes."},
		}},
		"redis": {Variables: []recipe.Variable{{Name: "save", Type: recipe.TypeString, Help: "When to write to disk."}}},
	}
	for name, task := range all {
		task.Name = name
		all[name] = task
	}
	return all
}

const web = `
vars:
  graphite.time_zone: Europe/Berlin
  nginx.worker_connections: 1024
groups:
  metrics:
    hosts: [web1, web2]
    tasks: [graphite]
    vars:
      graphite.auth: false
      graphite.workers: 2
  front:
    groups: [metrics]
    hosts: [web3]
    tasks: [nginx]
    vars:
      graphite.workers: 8
      graphite.user: front
hosts:
  web3:
  web1:
    address: root@192.0.2.10:2222
    tasks: [monit, nginx]
    vars: {graphite.user: anna, graphite.allowed_hosts: [a.example, "[::1]"]}
  web2: {address: "[2001:db8::2]"}
  db1:
    vars:
      graphite.schemas:
        - {name: fast, pattern: '^fast\.', retentions: 1s:1d}
`

func parse(t *testing.T, text string, secrets Decrypter) *Inventory {
	t.Helper()
	inv, err := Parse("hosts.yaml", []byte(text), known(), secrets)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func TestHostsHaveWhatTheirGroupsBring(t *testing.T) {
	inv := parse(t, web, nil)
	type line struct{ name, address, groups, tasks string }
	var got []line
	for _, h := range inv.Hosts() {
		got = append(got, line{h.Name, h.Address.String(), strings.Join(h.Groups, " "), strings.Join(h.Tasks, " ")})
	}
	want := []line{
		{"web3", "web3", "front", "nginx"},
		{"web1", "root@192.0.2.10:2222", "front metrics", "nginx graphite monit"},
		{"web2", "[2001:db8::2]", "front metrics", "nginx graphite"},
		{"db1", "db1", "", ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNearestWins(t *testing.T) {
	inv := parse(t, web, nil)
	extra, err := ParseExtra("graphite.time_zone=no", known())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		host, variable string
		extra          []Extra
		want           any
	}{
		{"db1", "auth", nil, true},                  // the task's default
		{"db1", "time_zone", nil, "Europe/Berlin"},  // vars
		{"web1", "auth", nil, false},                // the group
		{"web1", "workers", nil, 2},                 // the inner group, not the outer
		{"web3", "workers", nil, 8},                 // the outer group alone
		{"web2", "user", nil, "front"},              // the outer group, for the inner one's hosts
		{"web1", "user", nil, "anna"},               // the host
		{"web1", "time_zone", []Extra{extra}, "no"}, // -e
		{"web1", "allowed_hosts", nil, []string{"a.example", "[::1]"}},
		{"db1", "schemas", nil, []map[string]string{{"name": "fast", "pattern": `^fast\.`, "retentions": "1s:1d"}}},
		{"db1", "carbon_listen", nil, []string(nil)},
	}
	for _, test := range tests {
		hosts, err := inv.Select([]string{test.host})
		if err != nil {
			t.Fatal(err)
		}
		values, err := hosts[0].Values("graphite", known(), test.extra)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, values[test.variable]); diff != "" {
			t.Errorf("%s: %s: %s", test.host, test.variable, diff)
		}
		if len(values) != len(known()["graphite"].Variables) {
			t.Errorf("%s: %d values, want one for each variable", test.host, len(values))
		}
	}
}

func TestAHostDecidesBetweenItsGroups(t *testing.T) {
	text := `
groups:
  a: {hosts: [x, z], vars: {graphite.user: a}}
  b: {hosts: [x], vars: {graphite.user: b}}
  c: {hosts: [z], vars: {graphite.user: a}}
hosts:
  x: {vars: {graphite.user: own}}
  z:
`
	values, err := parse(t, text, nil).Hosts()[0].Values("graphite", known(), nil)
	if err != nil || values.String("user") != "own" {
		t.Errorf("user = %v, %v; want own", values["user"], err)
	}
}

func TestAnInnerGroupDecidesBetweenOuterOnes(t *testing.T) {
	text := `
groups:
  a: {hosts: [x], vars: {graphite.user: a}, groups: [c]}
  b: {hosts: [x], vars: {graphite.user: b}}
  c: {hosts: [x], vars: {graphite.user: c}}
hosts: {x: }
`
	values, err := parse(t, text, nil).Hosts()[0].Values("graphite", known(), nil)
	if err != nil || values.String("user") != "c" {
		t.Errorf("user = %v, %v; want c", values["user"], err)
	}
}

func TestUnknownTaskHasNoValues(t *testing.T) {
	_, err := parse(t, web, nil).Hosts()[0].Values("graphit", known(), nil)
	if err == nil || hintOf(err) != `did you mean "graphite"?` {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
}

func TestLoadRefusesWhatIsNoInventory(t *testing.T) {
	folder := t.TempDir()
	big := filepath.Join(folder, "big.yaml")
	file, err := os.Create(big)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(1 << 30); err != nil { // sparse: refused before it is read
		t.Fatal(err)
	}
	file.Close()
	fifo := filepath.Join(folder, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		big:                           "larger than 1 MiB",
		fifo:                          "is not a regular file", // and does not wait for a writer
		folder:                        "is a directory",
		filepath.Join(folder, "none"): "no such file",
	} {
		_, err := Load(path, known(), nil)
		if err == nil || err.Error() != path+": "+want {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	if _, err := Load(filepath.Join(folder, "none"), known(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func TestParseReportsAllErrorsInTheFilesOrder(t *testing.T) {
	_, err := Parse("hosts.yaml", []byte("hosts:\n  a: {tasks: [nginy]}\n  b: {port: 22}\nvars: {graphite.auth: no}\n"), known(), nil)
	want := `hosts.yaml:2:15: tasks: there is no task "nginy"
  hint: did you mean "nginx"?
hosts.yaml:3:7: host b: unknown key "port"
  hint: write address: user@host:port, or ssh: {user: …, port: …}
hosts.yaml:4:23: variable graphite.auth: want true or false, found the string "no"`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if got, want := hintOf(err), "write false, without quotes"; got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
}

func TestTheExampleLoads(t *testing.T) {
	inv, err := Load("../../hosts.example.yaml", known(), nil)
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, hintOf(err))
	}
	if len(inv.Hosts()) < 2 || len(inv.Groups()) < 2 {
		t.Errorf("%d hosts, %d groups: the example shows less than it should", len(inv.Hosts()), len(inv.Groups()))
	}
	for _, host := range inv.Hosts() {
		for _, task := range host.Tasks {
			if _, err := host.Values(task, known(), nil); err != nil {
				t.Error(err)
			}
		}
	}
}
