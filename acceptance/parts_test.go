package acceptance

import (
	"strings"
	"testing"

	"provision/internal/lab"
)

// withParts is a project of two tasks which are made of what ships: an application with a database, and
// a page beside it.
var withParts = map[string]string{
	"tasks/shop/task.star": `"""A shop, of parts."""

variables = [var("domain", str, default = "shop.example.org")]
needs = ["nginx", "uwsgi", "postgresql", "firewall"]

def build(v, host):
    tls = nginx.tls("shop", names = [v.domain])
    database = postgresql.database("shop")
    app = uwsgi.app("shop", "/srv/shop/wsgi.py", directory = "/srv/shop", environment = ["DATABASE=" + database.url], environment_file = "/etc/shop.env")
    return [
        user("shop", home = "/nonexistent"),
        tree("/srv/shop", source = "app", notify = restart(app.unit)),
        file("/etc/shop.env", "TOKEN=correct horse\n", mode = "0600", notify = restart(app.unit)),
        package("python3-psycopg2", restarts = [app.unit]),
        [database, app, tls],
        nginx.site("shop", template("site.tmpl", domain = v.domain, socket = app.socket, certificate = tls.certificate, key = tls.key), listens = [":8443"]),
        firewall.allow("shop", ["8443/tcp"]),
    ]

def verify(v, host):
    return [
        http("https://$HOST:8443/", host = v.domain, insecure = True, outside = True, contains = "shop, correct horse, 42", within = "20s"),
        tcp("$HOST:8444", closed = True, outside = True),
    ]
`,
	"tasks/shop/templates/site.tmpl": `server {
	listen 8443 ssl;
	server_name {{ nginxValue .domain }};
	ssl_certificate {{ nginxValue .certificate }};
	ssl_certificate_key {{ nginxValue .key }};
	location / {
		include uwsgi_params;
		uwsgi_pass unix:{{ nginxValue .socket }};
	}
}
`,
	"tasks/shop/files/app/wsgi.py": `import answer
import os
import psycopg2

def application(environ, start_response):
    with psycopg2.connect(os.environ["DATABASE"]) as connection, connection.cursor() as cursor:
        cursor.execute("select current_user")
        user, = cursor.fetchone()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{user}, {os.environ['TOKEN']}, {answer.ANSWER}\n".encode()]
`,
	"tasks/shop/files/app/answer.py": "ANSWER = 42\n",
	"tasks/page.star": `"""A page, which stays when the shop goes."""
needs = ["nginx", "firewall"]

def build(v, host):
    return [
        nginx.site("page", "server {\n\tlisten 8081;\n\treturn 200 hello;\n}\n", listens = [":8081"]),
        firewall.allow("page", ["8081/tcp"]),
    ]

def verify(v, host):
    return [http("http://$HOST:8081/", outside = True, contains = "hello", within = "10s")]
`,
}

// A task that is made of parts of those that ship works, is found as it should be, and goes without
// them: what else they serve is served on.
func TestParts(t *testing.T) {
	onItsDays(t, 0)
	t.Parallel()
	onEach(t, today(t), "labparts", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		writeProject(t, project, withParts)
		inProject := func(code int, args ...string) string {
			t.Helper()
			c := command(t, append(args, "-H", host.Name)...)
			c.Dir = project
			ended := finish(t, c).exits(t, code)
			return ended.stdout + ended.stderr
		}
		inProject(0, "install", "page", "-y")
		inProject(0, "install", "shop", "-y")
		for _, task := range []string{"shop", "page", "nginx", "uwsgi", "postgresql", "firewall"} {
			inProject(0, "verify", task)
		}
		for _, task := range []string{"shop", "page"} { // one of those that they need, named by itself, would be wanted for itself from then on
			inProject(0, "plan", task, "--detailed-exitcode")
		}
		inProject(0, "install", "firewall", "-y", "-e", "firewall.allow=[80/tcp]") // without the shop, whose port stays open
		inProject(0, "verify", "shop")
		inProject(0, "remove", "shop", "-y")
		inProject(3, "verify", "shop")
		inProject(0, "verify", "page")
		if left := host.run(t, `ls -d /etc/nginx/sites-*/shop /srv/shop /etc/shop.env /etc/provision/firewall.d/shop.nft /etc/provision/uwsgi/shop.ini /etc/systemd/system/shop.service 2>/dev/null; systemctl is-active shop.service; :`); left != "inactive\n" {
			t.Errorf("left: %s", left)
		}
		if is := host.run(t, `nft list chain inet provision input | grep dport; systemctl is-active nginx postgresql`); strings.Contains(is, "8443") || !strings.Contains(is, "8081") {
			t.Errorf("then there is %s", is)
		}
	})
}
