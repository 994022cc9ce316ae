package tasks

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

// selfSigned is a certificate that vouches for itself, for one task's site. It is made on
// the host, and its key never leaves it.
type selfSigned struct {
	Task  string
	Names []string // of the site; where it has none the certificate is for the host's own
}

func (s selfSigned) directory() string   { return configDirectory + "/" + s.Task + "-tls" }
func (s selfSigned) certificate() string { return s.directory() + "/certificate.pem" }
func (s selfSigned) key() string         { return s.directory() + "/key.pem" }
func (s selfSigned) name() string        { return "make " + s.Task + "'s certificate" }

// tlsVariables say which certificate a task's site has, where it may have none.
func tlsVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "tls", Type: recipe.TypeString, Default: "off", Choices: []string{"off", "self-signed", "files"},
			Help: "HTTPS: off; self-signed, with a certificate that is made and renewed on the host; or files, with tls_certificate and tls_key. HTTP then only redirects.",
		},
		{
			Name: "tls_certificate", Type: recipe.TypeString, Check: optional(hostPath),
			Help: "For tls: files, the path on the host of the certificate in PEM, with those of its issuers behind it.",
		},
		{
			Name: "tls_key", Type: recipe.TypeString, Check: optional(hostPath),
			Help: "For tls: files, the path on the host of the private key in PEM.",
		},
	}
}

// checkCertificate makes a task's check of the variables that say which certificate its
// site has.
func checkCertificate(task string) func(recipe.Values) (string, error) {
	directory := selfSigned{Task: task}.directory()
	return func(vars recipe.Values) (string, error) {
		files := []string{"tls_certificate", "tls_key"}
		for _, name := range files {
			if strings.HasPrefix(vars.String(name), directory+"/") {
				return name, fmt.Errorf("%s holds the certificate that provision makes, and goes with it: keep yours elsewhere", directory)
			}
		}
		if vars.String("tls") == "files" && (vars.String(files[0]) == "" || vars.String(files[1]) == "") {
			return "tls", errors.New("files needs tls_certificate and tls_key")
		}
		return "", nil
	}
}

// add adds the directory and the certificate; openssl is there before.
func (s selfSigned) add(r *recipe.Recipe) {
	r.Add(resource.Directory{Path: s.directory(), Attributes: recipe.Attributes{Mode: 0o700}})
	r.Add(s.command(), reload(nginxUnit)...)
}

// command makes the certificate, and makes it anew a month before it ends, when its key is
// gone, and when the names change. What the host is called, and its addresses, are only
// known there; of these it bears those of the day: they come and go, and are no reason for
// another certificate.
func (s selfSigned) command() resource.Command {
	names, addresses := script.Quote(certificateNames(s.Names)), ""
	if len(s.Names) == 0 {
		names = `"DNS:$(uname -n)"`
		addresses = `for address in $(hostname -I 2>/dev/null); do subject=$subject,IP:$address; done
`
	}
	header := fmt.Sprintf("certificate=%s key=%s names=%s\n", s.certificate(), s.key(), names)
	return resource.Command{
		Name:    s.name(),
		Makes:   []string{s.certificate(), s.certificate() + ".names"},
		Secrets: []string{s.key()},
		Reads:   []recipe.Key{recipe.PackageKey("openssl")},
		Unless: header + `[ -s "$key" ] && [ "$(cat "$certificate.names" 2>/dev/null)" = "$names" ] &&
openssl x509 -in "$certificate" -noout -checkend 2592000 >/dev/null 2>&1 &&
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout 2>/dev/null)" ]`,
		Script: header + `set -eu
umask 077
subject=$names
` + addresses + `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 \
	-subj /CN=` + s.Task + ` -addext "subjectAltName=$subject" -keyout "$key.new" -out "$certificate.new" 2>/dev/null
chmod 0644 "$certificate.new"
printf '%s\n' "$names" >"$certificate.names"
mv -T "$key.new" "$key"
mv -T "$certificate.new" "$certificate"`,
	}
}

// certificateNames are the names of a site as openssl takes them.
func certificateNames(names []string) string {
	alternatives := make([]string, len(names))
	for i, name := range names {
		alternatives[i] = "DNS:" + name
		if address, err := netip.ParseAddr(name); err == nil {
			alternatives[i] = "IP:" + address.String()
		}
	}
	return strings.Join(alternatives, ",")
}

// authoritiesPackage brings whom Debian trusts to vouch for names: without it a client of TLS trusts nobody.
func authoritiesPackage() resource.Package {
	return resource.Package{Name: "ca-certificates", Brings: []recipe.Key{}}
}
