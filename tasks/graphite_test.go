package tasks

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/recipe"
)

func TestVariablesRefuse(t *testing.T) {
	record := func(pairs ...string) []any {
		entry := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			entry[pairs[i]] = pairs[i+1]
		}
		return []any{entry}
	}
	schema := func(retentions string) []any {
		return record("name", "a", "pattern", ".*", "retentions", retentions)
	}
	cases := []struct {
		task, variable string
		raw            any
		want           string
	}{
		{"graphite", "server_names", []any{"a.example; } server {"}, "must be a host name"},
		{"graphite", "server_names", []any{"a\nb"}, "must be a host name"},
		{"graphite", "server_names", []any{"a{"}, "must be a host name"},
		{"graphite", "server_names", []any{"-a"}, "must be a host name"},
		{"graphite", "server_names", []any{"~^a"}, "must be a host name"},
		{"graphite", "server_names", []any{"a", "a"}, "is there twice"},
		{"graphite", "server_names", "a", "want a list"},
		{"graphite", "allowed_hosts", []any{"a b"}, "must be a host name"},
		{"graphite", "allowed_hosts", []any{"."}, `".": must be a host name`},
		{"graphite", "allowed_hosts", []any{"fe80::1%eth0"}, "must be a host name"},
		{"graphite", "time_zone", "Europe/Berlim", "must be a time zone"},
		{"graphite", "time_zone", "Local", "must be a time zone"},
		{"graphite", "time_zone", "", "must be a time zone"},
		{"graphite", "database", "mysql", "is not one of sqlite, postgresql"},
		{"graphite", "auth", "no", "want true or false"},
		{"graphite", "user", "a:b", "must be letters"},
		{"graphite", "password", "a\nb", "one line"},
		{"graphite", "password", strings.Repeat("a", 201), "200 bytes"},
		{"graphite", "tls", "on", "is not one of off, self-signed, files"},
		{"graphite", "tls_key", "key.pem", "absolute path"},
		{"graphite", "tls_key", "/etc/../key", "without .. in it"},
		{"graphite", "tls_key", "/etc/a\x00b", "absolute path"},
		{"graphite", "tls_key", "/etc/a\nb", "absolute path"},
		{"graphite", "tls_key", "/etc/a;b", "absolute path"},
		{"graphite", "carbon_listen", []any{"10.0.0.1"}, "must be a network"},
		{"graphite", "carbon_listen", []any{"10.0.0.1/8"}, "10.0.0.0/8?"},
		{"graphite", "carbon_listen", []any{"0.0.0.0/0"}, "is everybody"},
		{"graphite", "updates_per_second", 0, "must be between"},
		{"graphite", "schemas", []any{}, "at least one"},
		{"graphite", "schemas", record("name", "a", "pattern", "(", "retentions", "10s:6h"), `pattern "(": missing closing )`},
		{"graphite", "schemas", record("name", "a", "pattern", "a\u202eb", "retentions", "10s:6h"), "control character"},
		{"graphite", "schemas", record("name", "DEFAULT", "pattern", "a", "retentions", "10s:6h"), "neither DEFAULT"},
		{"graphite", "schemas", record("name", "a]", "pattern", "a", "retentions", "10s:6h"), "must be letters"},
		{"graphite", "schemas", append(schema("10s:6h"), schema("10s:6h")...), "is there twice"},
		{"graphite", "schemas", schema("10s"), "must be a step and a length"},
		{"graphite", "schemas", schema("0:1"), "has no step"},
		{"graphite", "schemas", schema("1m:1s"), "shorter than its step"},
		{"graphite", "schemas", schema("1s:100y"), "more than 1 GiB"},
		{"graphite", "schemas", schema("1d:200y"), "136 years"},
		{"graphite", "schemas", schema("999999999y:999999999y"), "136 years"},
		{"graphite", "schemas", schema("999999999y:999999999"), "more than 1 GiB"},
		{"graphite", "schemas", schema("10s:6h,15s:7d"), "must be a multiple"},
		{"graphite", "schemas", schema("10s:6h,1m:6h"), "must reach further back"},
		{"graphite", "schemas", schema("10s:30s,1m:6h"), "too short to fill"},
		{"graphite", "aggregations", record("name", "a", "pattern", "a", "method", "mean", "x_files_factor", "0"), "must be one of average"},
		{"graphite", "aggregations", record("name", "a", "pattern", "a", "method", "sum", "x_files_factor", "2"), "between 0 and 1"},
		{"graphite", "aggregations", record("name", "a", "pattern", "a", "method", "sum", "x_files_factor", "NaN"), "between 0 and 1"},
		{"graphite", "aggregations", record("name", "a", "pattern", "a", "method", "sum", "x_files_factor", "0x1p-2"), "between 0 and 1"},
		{"graphite", "carbon_nodes", []any{"graphite2.example.org"}, "must be an address"},
		{"graphite", "carbon_nodes", []any{"10.0.0.1", "10.0.0.1"}, "is there twice"},
		{"graphite", "replication_factor", 0, "must be between"},
		{"nginx", "client_max_body_size", "8 MB", "must be a size"},
		{"uwsgi", "processes", 0, "must be between"},
	}
	for _, c := range cases {
		_, err := find(t, c.task, c.variable).Decode(c.raw)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s.%s = %q: got %v, want %q", c.task, c.variable, c.raw, err, c.want)
		}
	}
}

func TestVariablesAccept(t *testing.T) {
	for _, c := range []struct {
		variable string
		raw      any
	}{
		{"allowed_hosts", []any{"*"}},
		{"allowed_hosts", []any{".example.org", "2001:db8::1", "10.0.0.1"}},
		{"time_zone", "Europe/Berlin"},
		{"schemas", []any{map[string]any{"name": "a", "pattern": `^(?!b)\w+$`, "retentions": "10:2160, 1m:7d,1h:5y"}}},
		{"aggregations", []any{}},
	} {
		if _, err := find(t, "graphite", c.variable).Decode(c.raw); err != nil {
			t.Errorf("%s = %v: %v", c.variable, c.raw, err)
		}
	}
}

func find(t *testing.T, task, name string) recipe.Variable {
	t.Helper()
	for _, variable := range taskNamed(t, task).Variables {
		if variable.Name == name {
			return variable
		}
	}
	t.Fatalf("no variable %s.%s", task, name)
	return recipe.Variable{}
}

// Each variable says what it is, and its own default passes its check.
func TestVariablesAreDocumented(t *testing.T) {
	for _, task := range All() {
		if task.Summary == "" || task.About == "" {
			t.Errorf("%s: no summary or no text about it", task.Name)
		}
		seen := map[string]bool{}
		for _, variable := range task.Variables {
			if len(variable.Help) < 20 || !strings.HasSuffix(variable.Help, ".") {
				t.Errorf("%s.%s: help %q", task.Name, variable.Name, variable.Help)
			}
			if seen[variable.Name] {
				t.Errorf("%s.%s: is there twice", task.Name, variable.Name)
			}
			seen[variable.Name] = true
			if variable.Check != nil && !variable.Needed {
				if err := variable.Check(variable.Zero()); err != nil {
					t.Errorf("%s.%s: its default: %v", task.Name, variable.Name, err)
				}
			}
		}
	}
}

func TestCertificatesThatAreRefused(t *testing.T) {
	for _, name := range []string{"graphite", "gimel"} {
		task, own := taskNamed(t, name), selfSigned{Task: name}
		for _, c := range []struct {
			raw            map[string]any
			variable, want string
		}{
			{nil, "", ""},
			{map[string]any{"tls": "files", "tls_key": "/etc/ssl/k.pem", "tls_certificate": "/etc/ssl/c.pem"}, "", ""},
			{map[string]any{"tls": "files", "tls_key": "/etc/ssl/k.pem"}, "tls", "needs tls_certificate and tls_key"},
			{map[string]any{"tls": "files", "tls_key": own.key(), "tls_certificate": own.certificate()}, "tls_certificate", "keep yours elsewhere"},
		} {
			variable, err := task.Check(input(t, task, recipe.Platforms()[0], c.raw).Vars)
			if variable != c.variable || (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v: got %s, %v, want %q", name, c.raw, variable, err, c.want)
			}
		}
	}
}

// The reason for which a secret is refused is shown.
func TestRefusedSecretsAreNotRepeated(t *testing.T) {
	secrets := 0
	for _, task := range All() {
		for _, variable := range task.Variables {
			if variable.Type != recipe.TypeSecret {
				continue
			}
			secrets++
			for _, value := range []string{"hunter2\n" + strings.Repeat("hunter2", 4), strings.Repeat("hunter2", 40)} {
				if _, err := variable.Decode(value); err == nil || strings.Contains(err.Error(), "hunter") {
					t.Errorf("%s.%s: got %v", task.Name, variable.Name, err)
				}
			}
		}
	}
	if secrets < 5 {
		t.Errorf("%d secrets", secrets)
	}
}

func TestAllowedHosts(t *testing.T) {
	task := taskNamed(t, "graphite")
	for _, c := range []struct {
		raw  map[string]any
		want string
	}{
		{nil, "*"},
		{map[string]any{"allowed_hosts": []any{"10.1.2.3"}}, "10.1.2.3 127.0.0.1 [::1] host localhost"},
		{map[string]any{"server_names": []any{"G.example.org", "*.m.example.org"}, "allowed_hosts": []any{"host", "2001:DB8::1"}},
			".m.example.org 127.0.0.1 [2001:db8::1] [::1] g.example.org host localhost"},
	} {
		got := strings.Join(graphite{Input: input(t, task, recipe.Platforms()[0], c.raw)}.allowedHosts(), " ")
		if got != c.want {
			t.Errorf("%v: got %s, want %s", c.raw, got, c.want)
		}
	}
}

func TestVerify(t *testing.T) {
	names := func(in recipe.Input) string {
		var list []string
		for _, check := range checks(t, taskNamed(t, "graphite"), in) {
			if n := count(check.HTTP != nil, check.TCP != nil, check.Command != nil); n != 1 {
				t.Errorf("%s asks %d things", check.Name, n)
			}
			list = append(list, string(check.From)+": "+check.Name)
		}
		return strings.Join(list, "\n")
	}
	cases := []struct {
		name    string
		raw     map[string]any
		address string
		has     []string
		lacks   []string
	}{
		{"defaults", nil, "192.0.2.1", []string{"host: carbon takes a metric", "controller: nobody gets in", "controller: port 2003 is closed", "port 2004", "port 7002"}, []string{"the password opens"}},
		{"a password", map[string]any{"password": "x"}, "192.0.2.1", []string{"the password opens"}, nil},
		{"no password", map[string]any{"auth": false}, "192.0.2.1", []string{"it answers from outside"}, []string{"nobody gets in"}},
		{"networks", map[string]any{"carbon_listen": []any{"10.0.0.0/8"}}, "192.0.2.1", []string{"port 2004", "port 7002"}, []string{"port 2003"}},
		{"networks and pickle", map[string]any{"carbon_listen": []any{"10.0.0.0/8"}, "carbon_pickle": true}, "192.0.2.1", []string{"port 7002"}, []string{"port 2003", "port 2004"}},
		{"this machine", nil, "127.0.0.1", []string{"host: a graph is drawn"}, []string{"controller:"}},
	}
	for _, c := range cases {
		in := input(t, taskNamed(t, "graphite"), recipe.Platforms()[0], c.raw)
		in.Address = c.address
		got := names(in)
		for _, want := range c.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, got)
			}
		}
		for _, unwanted := range c.lacks {
			if strings.Contains(got, unwanted) {
				t.Errorf("%s: %q in\n%s", c.name, unwanted, got)
			}
		}
	}
}

func count(conditions ...bool) int {
	n := 0
	for _, condition := range conditions {
		if condition {
			n++
		}
	}
	return n
}

// A new given password makes what the guard said of the old one worthless.
func TestGivenPasswordIsHashedAnew(t *testing.T) {
	task, platform := taskNamed(t, "graphite"), recipe.Platforms()[0]
	host := bareHost(platform)
	if _, err := host.Converge(build(t, task, platform, map[string]any{"password": "one-password"})); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	host.Guards[makeHtpasswd] = func(h *model.Host) int {
		if slices.Contains(h.Done, makeHtpasswd) {
			return 0
		}
		return 1
	}
	plan, err := host.Converge(build(t, task, platform, map[string]any{"password": "another-password"}))
	const want = `update file:/etc/provision/secrets/graphite-password — content differs
         write /etc/provision/secrets/graphite-password
maybe  command:make nginx's password file of graphite — known after /etc/provision/secrets/graphite-password has changed
`
	if got := model.Text(plan); err != nil || got != want {
		t.Errorf("%v; plan:\n%s\nwant:\n%s", err, got, want)
	}
}

// What verify writes is kept for an hour; what drift sends, by the user's own schemas: they began with the same word.
func TestGraphiteKeepsDriftAsSchemasSay(t *testing.T) {
	built := build(t, Graphite(), recipe.Platforms()[0], map[string]any{"schemas": []any{
		map[string]any{"name": "drift", "pattern": `^provision\.`, "retentions": "5m:90d"}, map[string]any{"name": "default", "pattern": ".*", "retentions": "1m:30d"},
	}})
	sections := regexp.MustCompile(`(?m)^\[(.*)\]\npattern = (.*)$`).FindAllStringSubmatch(fileOf(t, built, "/etc/carbon/storage-schemas.conf"), -1)
	for metric, want := range map[string]string{
		"provision.verify-123456": "provision", "provision.verify-unknown-1": "provision", "provision.secure_metrics.web1": "provision", "stats.counters.provision.verify-1.udp.count": "provision",
		"provision.drift.web1": "drift", "provision.unreachable.web1": "drift", "provision.hosts.known": "drift", "stats.counters.provision.old-1.udp.count": "default",
	} {
		if at := slices.IndexFunc(sections, func(s []string) bool { return regexp.MustCompile(s[2]).MatchString(metric) }); at < 0 || sections[at][1] != want {
			t.Errorf("%s is not kept as %s: %q", metric, want, sections)
		}
	}
}
