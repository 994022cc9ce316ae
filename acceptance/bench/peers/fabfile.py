"""examples/workload for Fabric: the same thirty operations, a command each that looks before it acts.

fab knows no states, so each operation is written as one writes it by hand. What a host is told is the
text of a function of sh; files go over SFTP where their digest is another. fab converge works on all
hosts of hosts.txt side by side."""

import concurrent.futures
import hashlib
import io
import pathlib
import shlex

from fabric import Connection, task

HERE = pathlib.Path(__file__).parent
DOMAIN, WORKERS, TOKEN = "app.example.org", 4, "correct horse"
QUEUES = ["mail", "search", "images", "billing", "reports", "cleaning"]


class Host:
    def __init__(self, connection):
        self.connection, self.changed, self.notified = connection, 0, []

    def run(self, command):
        return self.connection.run(command, hide=True, warn=True, in_stream=False)

    def wants(self, test, act, notify=None):
        """Acts where a test fails, in one round of questions each."""
        if self.run(test).ok:
            return
        result = self.run(act)
        if result.failed:
            raise SystemExit(f"{self.connection.host}: {act}: {result.stderr}")
        self.changed += 1
        if notify and notify not in self.notified:
            self.notified.append(notify)

    def directory(self, path, owner="root"):
        self.wants(f"[ \"$(stat -c '%F %a %U %G' {path})\" = 'directory 755 {owner} {owner}' ]",
                   f"install -d -m 755 -o {owner} -g {owner} {path}")

    def file(self, path, content, mode="644", group="root", notify=None):
        digest = hashlib.sha256(content).hexdigest()
        test = f"[ \"$(stat -c '%a %U %G' {path}) $(sha256sum <{path})\" = '{mode} root {group} {digest}  -' ]"
        if self.run(test).ok:
            return
        self.connection.put(io.BytesIO(content), path + ".new")
        self.wants("false", f"chown root:{group} {path}.new && chmod {mode} {path}.new && mv -f {path}.new {path}", notify)

    def link(self, path, to, notify=None):
        self.wants(f"[ \"$(readlink {path})\" = {to} ]", f"ln -sfn {to} {path}", notify)

    def line(self, path, line, key=None, notify=None):
        self.wants(f"grep -qxF {shlex.quote(line)} {path}",
                   (f"sed -i {shlex.quote('/^' + key + '/d')} {path}; " if key else "") + f"echo {shlex.quote(line)} >>{path}", notify)

    def service(self, unit):
        self.wants(f"systemctl -q is-enabled {unit} && systemctl -q is-active {unit}", f"systemctl daemon-reload && systemctl enable --now {unit}")


def converge_one(name):
    with Connection(name, user="root", connect_kwargs={"key_filename": ["/root/.ssh/identity"]}) as connection:
        h = Host(connection)
        app, web = "systemctl daemon-reload && systemctl restart app.service", "systemctl reload nginx.service"
        enabled = "/etc/nginx/sites-enabled/"
        h.wants("getent group deploy", "groupadd -r deploy")
        h.wants("getent passwd app", "useradd -r -U -d /var/lib/app -s /usr/sbin/nologin app")
        h.wants("id -nG app | grep -qw deploy", "usermod -aG deploy app")
        for path in ["/var/lib/app", "/var/log/app"]:
            h.directory(path, "app")
        for path in ["/etc/app", "/etc/app/queues", "/etc/nginx", "/etc/nginx/sites-available", "/etc/nginx/sites-enabled"]:
            h.directory(path)
        h.file("/etc/app/env", f"DOMAIN={DOMAIN}\nTOKEN={TOKEN}\n".encode(), "640", "app", app)
        h.file("/etc/app/limits", f"workers = {WORKERS}\n".encode(), "640", "app", app)
        for queue in QUEUES:
            h.file(f"/etc/app/queues/{queue}.conf", f"[{queue}]\nworkers = {WORKERS}\n".encode(), notify=app)
        h.file("/usr/local/bin/app", (HERE / "app").read_bytes(), "755", notify=app)
        h.file("/etc/systemd/system/app.service", (HERE / "app.service").read_bytes(), notify=app)
        h.file("/etc/nginx/sites-available/app", (HERE / "site").read_bytes(), notify=web)
        h.link("/usr/local/bin/app-queues", "app")
        for package in ["nginx-light", "logrotate"]:
            h.wants(f"dpkg-query -W -f '${{db:Status-Abbrev}}' {package} | grep -q ^ii",
                    f"DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Options::=--force-confold --no-install-recommends install {package}")
        h.link(enabled + "app", "/etc/nginx/sites-available/app", web)
        h.wants(f"[ ! -e {enabled}default ]", f"rm {enabled}default", web)
        h.line("/etc/hosts", f"127.0.0.1 {DOMAIN}")
        h.line("/etc/nginx/fastcgi_params", "fastcgi_param APP 1;", "fastcgi_param APP ", web)
        h.wants("test -s /var/lib/app/index", "date >/var/lib/app/index")
        h.wants(f"[ \"$(cat /var/lib/app/queues)\" = {len(QUEUES)} ]", "ls /etc/app/queues | wc -l >/var/lib/app/queues")
        h.service("app.service")
        h.service("nginx.service")
        for command in h.notified:
            h.wants("false", command)
        return name, h.changed


@task
def converge(_):
    names = (HERE / "hosts.txt").read_text().split()
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        for name, changed in pool.map(converge_one, names):
            print(f"{name}: {changed} changed")
