package acceptance

import (
	"strings"
	"testing"

	"provision/internal/lab"
)

// TestHostThatServes installs Graphite where Apache has port 80 and nginx a default site: the
// plan says so, nothing is changed, and what its hints say leads to all three side by side.
func TestHostThatServes(t *testing.T) {
	t.Parallel()
	onEach(t, today(t), "labserve", bare, func(t *testing.T, l *lab.Lab, host machine) {
		if err := l.Seed(t.Context(), host.Suite, []string{"apache2"}); err != nil {
			t.Fatal(err)
		}
		host.run(t, "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install apache2 </dev/null; systemctl start apache2; echo theirs >/var/www/html/index.html")
		host.isRefused(t, "port 80 is held by apache2 (apache2.service)", "-e graphite.port=8080", "graphite")

		provision(t, "install", "nginx", "-y", "-H", host.Name).exits(t, 0)
		host.run(t, `echo 'server { listen 8080 default_server; return 200 "mine\n"; }' >/etc/nginx/sites-enabled/own; systemctl reload nginx`)
		host.isRefused(t, "duplicate default server for 0.0.0.0:8080", "graphite.server_names", "graphite", "-e", "graphite.port=8080")

		wanted := []string{"graphite", "-e", "graphite.port=8080", "-e", "graphite.server_names=[graphite.example.org]"}
		provision(t, append([]string{"plan", "-H", host.Name}, wanted...)...).exits(t, 0)
		if host.Suite != "trixie" {
			return // one install is proof enough, and takes its time
		}
		provision(t, append([]string{"install", "-y", "-H", host.Name}, wanted...)...).exits(t, 0)
		converged(t, host, wanted...)
		for url, want := range map[string]string{"http://127.0.0.1/": "theirs", "http://127.0.0.1:8080/": "mine"} {
			if answer := host.fetch(t, url); answer != want {
				t.Errorf("%s answers %q, want %q", url, answer, want)
			}
		}
	})
}

// isRefused plans and installs what cannot be, and sees that both say why and what to do, once,
// and that nothing changes.
func (m machine) isRefused(t *testing.T, why, hint string, arguments ...string) {
	t.Helper()
	before := m.look(t)
	for _, verb := range [][]string{{"plan"}, {"install", "-y"}} {
		ended := provision(t, append(append(verb, "-H", m.Name), arguments...)...).exits(t, 3)
		said := ended.stdout + ended.stderr
		if strings.Count(said, why) != 1 || !strings.Contains(said, hint) {
			t.Errorf("%s: said\n%s\nwant once %q, and %q", ended.line, said, why, hint)
		}
	}
	m.isAs(t, before, "though it was refused", "debian")
}

// fetch asks a site from within the host, by a name of nobody's and without any program for it.
func (m machine) fetch(t *testing.T, url string) string {
	t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	address, port, there := strings.Cut(host, ":")
	if !there {
		port = "80"
	}
	answer := m.run(t, "exec 3<>/dev/tcp/"+address+"/"+port+"; printf 'GET /"+path+" HTTP/1.0\\r\\nHost: visitor.example.org\\r\\n\\r\\n' >&3; cat <&3")
	_, body, _ := strings.Cut(answer, "\r\n\r\n")
	return strings.TrimSpace(body)
}
