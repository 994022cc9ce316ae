package tasks

import (
	"fmt"
	"net/netip"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

const (
	htpasswd       = "/etc/nginx/graphite.htpasswd"
	makeHtpasswd   = "make nginx's password file of graphite"
	tlsDirectory   = configDirectory + "/graphite-tls"
	ownCertificate = tlsDirectory + "/certificate.pem"
	ownKey         = tlsDirectory + "/key.pem"
	signOwn        = "make graphite's certificate"
)

// site is what nginx's template of the site is filled in with.
type site struct {
	Plain, Main      listener
	ServerNames      []string
	TLS, HTTP2On     bool
	Certificate, Key string
	Auth             bool
	Timeout          int
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
		Plain: listener{80, options, ipv6}, Main: listener{80, options, ipv6},
		ServerNames: names, Auth: g.auth(), TLS: g.tls(), Timeout: g.Of("uwsgi").Int("harakiri"),
	}
	if !s.TLS {
		return s
	}
	s.Certificate, s.Key = g.Vars.String("tls_certificate"), g.Vars.String("tls_key")
	if g.selfSigned() {
		s.Certificate, s.Key = ownCertificate, ownKey
	}
	// nginx 1.25.1 made HTTP/2 a directive of its own and warns of the old form; Debian
	// 12's 1.22 knows only that.
	s.HTTP2On = g.Platform.Release >= trixie
	s.Main = listener{443, " ssl" + options, ipv6}
	if !s.HTTP2On {
		s.Main.Options = " ssl http2" + options
	}
	return s
}

// addAccess adds the password and the certificate, or removes them. They come before
// the site that names them.
func (g graphite) addAccess(r *recipe.Recipe) {
	if g.auth() || g.selfSigned() {
		r.Add(resource.Package{Name: "openssl", Brings: g.opensslBrings()})
	}
	g.addPassword(r)
	if g.selfSigned() {
		r.Add(resource.Directory{Path: tlsDirectory, Attributes: recipe.Attributes{Mode: 0o700}})
		r.Add(g.certificate(), reload(nginxUnit)...)
	}
}

func (g graphite) opensslBrings() []recipe.Key {
	var keys []recipe.Key
	if g.auth() {
		keys = append(keys, recipe.CommandKey(makeHtpasswd))
	}
	if g.selfSigned() {
		keys = append(keys, recipe.CommandKey(signOwn))
	}
	return keys
}

// addPassword adds the password, given or made on the host, and nginx's file of it.
func (g graphite) addPassword(r *recipe.Recipe) {
	if !g.auth() {
		return
	}
	if given := g.Vars.Secret("password"); given.Empty() {
		r.Add(resource.Secret{Path: graphitePassword, Length: 24})
	} else {
		r.Add(givenPassword{resource.File{
			Path: graphitePassword, Content: given.Reveal(), Secret: true,
			Attributes: recipe.Attributes{Mode: 0o600},
		}})
	}
	r.Add(htpasswdCommand(g.Vars.String("user")))
}

// givenPassword is the file of a password that the controller knows. When it changes,
// what the guard of the command that hashes it answered before no longer counts.
type givenPassword struct{ resource.File }

// Diff implements recipe.Resource.
func (p givenPassword) Diff(facts recipe.Facts) (recipe.Change, error) {
	change, err := p.File.Diff(facts)
	if err == nil && change.Diff != nil {
		change.Steps = append(change.Steps, recipe.Exec{
			Name: "forget the old password", Script: "rm -f " + htpasswd + ".provision-new",
			Outcome: []recipe.Effect{recipe.UnknownUntil(recipe.CommandKey(makeHtpasswd), "the password is written")},
		})
	}
	return change, err
}

// htpasswdCommand makes the file in which nginx looks a password up, which it reads anew
// for each request. The guard hashes the password with the salt that is there: nothing
// but a salt ever is an argument. nginx takes crypt(3)'s $6$, as openssl passwd makes it.
func htpasswdCommand(user string) resource.Command {
	header := fmt.Sprintf("user=%s password=%s file=%s\n", script.Quote(user), graphitePassword, htpasswd)
	return resource.Command{
		Name: makeHtpasswd,
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

// certificate makes a certificate that vouches for itself, and makes it anew a month
// before it ends, when its key is gone, and when the names change. The host's own name
// is asked for in sh: a guard is asked before the controller knows it.
func (g graphite) certificate() resource.Command {
	names := certificateNames(g.Vars.List("server_names"), g.Address)
	header := fmt.Sprintf("certificate=%s key=%s names=%s\n", ownCertificate, ownKey, script.Quote(names))
	if len(g.Vars.List("server_names")) == 0 {
		header += `host=DNS:$(uname -n)
case ,$names, in *",$host,"*) ;; *) names=$names,$host ;; esac
`
	}
	return resource.Command{
		Name: signOwn,
		Unless: header + `[ -s "$key" ] && [ "$(cat "$certificate.names" 2>/dev/null)" = "$names" ] &&
openssl x509 -in "$certificate" -noout -checkend 2592000 >/dev/null 2>&1 &&
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout 2>/dev/null)" ]`,
		Script: header + `set -eu
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 \
	-subj /CN=graphite -addext "subjectAltName=$names" -keyout "$key.new" -out "$certificate.new" 2>/dev/null
chmod 0644 "$certificate.new"
printf '%s\n' "$names" >"$certificate.names"
mv -T "$key.new" "$key"
mv -T "$certificate.new" "$certificate"`,
	}
}

// certificateNames are the names of a certificate as openssl takes them: those of the
// site, or the address that the controller reaches the host at.
func certificateNames(names []string, address string) string {
	if len(names) == 0 {
		names = []string{address}
	}
	var alternatives []string
	for _, name := range names {
		if address, err := netip.ParseAddr(name); err == nil {
			alternatives = append(alternatives, "IP:"+address.WithZone("").String())
		} else if name != "" {
			alternatives = append(alternatives, "DNS:"+name)
		}
	}
	if len(alternatives) == 0 {
		return "DNS:localhost"
	}
	return strings.Join(alternatives, ",")
}

// addAccessAbsent removes what the site no longer names.
func (g graphite) addAccessAbsent(r *recipe.Recipe) {
	if !g.selfSigned() {
		r.Add(resource.Directory{Path: tlsDirectory, Absent: true, Tree: true})
	}
	if !g.auth() {
		for _, path := range []string{htpasswd, graphitePassword} {
			r.Add(resource.File{Path: path, Absent: true, Secret: true})
		}
	}
}
