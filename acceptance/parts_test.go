package acceptance

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/lab"
)

// withParts is a project of two tasks which are made of what ships: an application with a database, and
// a page beside it.
var withParts = map[string]string{
	"tasks/shop/task.star": `"""A shop, of parts."""

variables = [var("domain", str, default = "shop.example.org"), var("worker", secret)]
needs = ["nginx", "uwsgi", "postgresql", "redis", "firewall"]

def build(v, host):
    cache = redis.user("shop", keys = ["shop:*"])
    tls = nginx.tls("shop", names = [v.domain])
    database = postgresql.database("shop")
    app = uwsgi.app("shop", "/srv/shop/wsgi.py", directory = "/srv/shop", environment = ["DATABASE=" + database.url], environment_file = "/etc/shop.env")
    return [
        user("shop", home = "/nonexistent"),
        cache,
        redis.user("shop-worker", keys = ["shop:*"], commands = ["+@read"], password = v.worker),
        file("/etc/shop-cache.env", "REDISCLI_AUTH=@PASSWORD@\n", mode = "0600", fill = {"@PASSWORD@": cache.password}),
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
        runs(". /etc/shop-cache.env; export REDISCLI_AUTH; redis-cli -e --no-auth-warning -s /run/redis/redis-server.sock --user shop set shop:$NONCE here ex 60", contains = "OK"),
        runs(". /etc/shop-cache.env; export REDISCLI_AUTH; redis-cli -e --no-auth-warning -s /run/redis/redis-server.sock --user shop get theirs 2>&1; :", contains = "NOPERM"),
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
			if slices.Contains(args, "shop") && args[0] != "remove" {
				args = append(args, "-e", "shop.worker=@env:WORKER")
			}
			c := command(t, append(args, "-H", host.Name)...)
			c.Env = append(c.Environ(), "WORKER=battery-staple")
			c.Dir = project
			ended := finish(t, c).exits(t, code)
			return ended.stdout + ended.stderr
		}
		inProject(0, "install", "page", "-y")
		inProject(0, "install", "shop", "-y")
		for _, task := range []string{"shop", "page", "nginx", "uwsgi", "postgresql", "redis", "firewall"} {
			inProject(0, "verify", task)
		}
		for _, task := range []string{"shop", "page"} { // one of those that they need, named by itself, would be wanted for itself from then on
			inProject(0, "plan", task, "--detailed-exitcode")
		}
		inProject(0, "install", "firewall", "-y", "-e", "firewall.allow=[80/tcp]") // without the shop, whose port stays open
		inProject(0, "install", "redis", "-y")                                     // alone, and the shop's users stay
		inProject(0, "verify", "shop")
		users := `REDISCLI_AUTH=$(cat /etc/provision/secrets/redis-admin) redis-cli -e --no-auth-warning -s /run/redis/redis-server.sock --user admin acl users | sort | xargs`
		if is := host.run(t, users); is != "admin default gimel shop shop-worker\n" {
			t.Errorf("Redis has the users %s", is)
		}
		if is := host.run(t, "runuser -u www-data -g redis -- cat /etc/redis/users.d/shop.acl /run/redis/users.acl 2>/dev/null || echo refused"); is != "refused\n" {
			t.Errorf("who reaches the socket reads %s", is)
		}
		started := host.run(t, "systemctl show -p MainPID redis-server")
		inProject(0, "remove", "shop", "-y")
		if is := host.run(t, users); is != "admin default gimel\n" {
			t.Errorf("then Redis has the users %s", is)
		}
		if is := host.run(t, "systemctl show -p MainPID redis-server"); is != started {
			t.Errorf("Redis was started anew: %s, then %s", started, is)
		}
		inProject(3, "verify", "shop")
		inProject(0, "verify", "page")
		if left := host.run(t, `ls -d /etc/nginx/sites-*/shop /srv/shop /etc/shop.env /etc/provision/firewall.d/shop.nft /etc/provision/uwsgi/shop.ini /etc/systemd/system/shop.service 2>/dev/null; systemctl is-active shop.service; :`); left != "inactive\n" {
			t.Errorf("left: %s", left)
		}
		if is := host.run(t, `nft list chain inet provision input | grep dport; systemctl is-active nginx postgresql redis-server`); strings.Contains(is, "8443") || !strings.Contains(is, "8081") {
			t.Errorf("then there is %s", is)
		}
	})
}
