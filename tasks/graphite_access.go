package tasks

import (
	"fmt"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

const (
	htpasswd     = "/etc/nginx/graphite.htpasswd"
	makeHtpasswd = "make nginx's password file of graphite"
)

// site is what nginx's template of the site is filled in with.
type site struct {
	Plain, Main      listener
	ServerNames      []string
	Redirects        bool // from Plain to Main
	TLS, HTTP2On     bool
	Certificate, Key string
	Auth             bool
	Timeout          int
	Nodes            []string // of the cluster
}

type listener struct {
	Port    int
	Options string
	IPv6    bool
}

func (g graphite) site(ipv6 bool) site {
	names := g.Vars.List("server_names")
	options := ""
	if len(names) == 0 {
		options = " default_server"
	}
	s := site{
		Plain: listener{80, options, ipv6}, Main: listener{g.port(), options, ipv6}, Redirects: g.redirects(),
		ServerNames: names, Auth: g.auth(), TLS: g.tls(), Timeout: g.Of("uwsgi").Int("harakiri"),
		Nodes: g.Vars.List("carbon_nodes"),
	}
	if !s.TLS {
		return s
	}
	s.Certificate, s.Key = g.Vars.String("tls_certificate"), g.Vars.String("tls_key")
	if g.selfSigned() {
		s.Certificate, s.Key = g.certificate().certificate(), g.certificate().key()
	}
	// nginx 1.25.1 made HTTP/2 a directive of its own and warns of the old form; Debian
	// 12's 1.22 knows only that.
	s.HTTP2On = g.System.Release >= trixie
	s.Main.Options = " ssl" + options
	if !s.HTTP2On {
		s.Main.Options = " ssl http2" + options
	}
	return s
}

// addAccess adds the password and the certificate. They come before the site that names
// them.
func (g graphite) addAccess(r *recipe.Recipe) {
	if g.auth() || g.selfSigned() {
		r.Add(resource.Package{Name: "openssl", Brings: []recipe.Key{}})
	}
	g.addPassword(r)
	if g.selfSigned() {
		g.certificate().add(r)
	}
}

// addPassword adds the password, given or made on the host, and nginx's file of it.
func (g graphite) addPassword(r *recipe.Recipe) {
	if !g.auth() {
		return
	}
	if given := g.Vars.Secret("password"); given.Empty() {
		r.Add(resource.Secret{Path: graphitePassword, Length: 24})
	} else {
		r.Add(resource.File{
			Path: graphitePassword, Content: given.Reveal(), Secret: true,
			Attributes: recipe.Attributes{Mode: 0o600},
		})
	}
	r.Add(htpasswdCommand(g.Vars.String("user")))
}

// htpasswdCommand makes the file in which nginx looks a password up, which it reads anew
// for each request. The guard hashes the password with the salt that is there: nothing
// but a salt ever is an argument. nginx takes crypt(3)'s $6$, as openssl passwd makes it.
func htpasswdCommand(user string) resource.Command {
	header := fmt.Sprintf("user=%s password=%s file=%s\n", script.Quote(user), graphitePassword, htpasswd)
	return resource.Command{
		Name:    makeHtpasswd,
		Secrets: []string{htpasswd},
		Reads:   []recipe.Key{recipe.PackageKey("openssl"), recipe.PathKey(graphitePassword)},
		Unless: header + `[ "$(stat -c %a:%U:%G "$file" 2>/dev/null)" = 640:root:www-data ] && [ -s "$password" ] &&
line=$(cat "$file") && salt=${line#*'$6$'} && salt=${salt%%'$'*} &&
[ "$line" = "$user:$(openssl passwd -6 -salt "$salt" -stdin <"$password")" ]`,
		Script: header + `set -eu
umask 077
hash=$(openssl passwd -6 -stdin <"$password")
printf '%s:%s\n' "$user" "$hash" >"$file.provision-new"
chown root:www-data "$file.provision-new"
chmod 0640 "$file.provision-new"
mv -T "$file.provision-new" "$file"`,
	}
}

// certificate is the one that the host makes itself.
func (g graphite) certificate() selfSigned {
	return selfSigned{Task: "graphite", Names: g.Vars.List("server_names")}
}
