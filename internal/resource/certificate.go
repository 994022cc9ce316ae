package resource

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Certificate is one of TLS that vouches for itself, with its key. Both are made on the host, and the
// key never leaves it. It is made anew a month before it ends, when its names change, and when
// the key is gone; what uses it is told as of any change. It needs the package openssl.
//
// Of a key no copy is kept. So a certificate or a key that is there and was not made so is refused, as
// one of a real authority: by the digests of the public keys that this host has made is that known.
//
//	Certificate{Path: "/etc/shop/tls.pem", Key: "/etc/shop/tls.key", Names: []string{"shop.example.org", "10.0.0.7"}, Group: "shop"}
//
// See openssl-req(1) and openssl-x509(1).
type Certificate struct {
	Path   string   // of the certificate, which all may read
	Key    string   // the path of its key, in a directory to which only root may write, as the certificate
	Names  []string // that it is for: of hosts, and IP addresses
	Group  string   // who may read the key besides root, who are there before; default nobody
	Days   int      // that it is good for; default 397
	Absent bool     // both files go, when they were made here
}

// ID implements recipe.Resource.
func (c Certificate) ID() string { return "certificate:" + c.Path }

// Place implements recipe.Placed.
func (c Certificate) Place() string { return c.Path }

func (c Certificate) guard() recipe.Key { return recipe.CommandKey("make certificate " + c.Path) }

// Probes implements recipe.Resource.
func (c Certificate) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(c.Path)}, {Key: recipe.PathKey(c.Key)}}
	good := "false"
	if !c.Absent {
		good = `{ [ -f "$key" ] && [ ! -L "$key" ] && [ -f "$certificate" ] && [ ! -L "$certificate" ] &&
openssl x509 -in "$certificate" -noout -checkend 2592000 >/dev/null &&
[ "$(openssl x509 -in "$certificate" -noout -ext subjectAltName | tail -n +2 | tr -d ' ')" = "$names" ] &&
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -passin pass: -pubout)" ]; }`
	}
	return append(probes, recipe.Probe{
		Key: c.guard(), Reads: []recipe.Key{recipe.PackageKey("openssl"), recipe.PathKey(c.Path), recipe.PathKey(c.Key)},
		Script: c.header() + good + ` && exit
may_go && echo ` + mayGo + `
exit 1`,
	})
}

func (c Certificate) header() string {
	return fmt.Sprintf("certificate=%s key=%s names=%s\n", script.Quote(c.Path), script.Quote(c.Key), script.Quote(c.names(shownName))) + mayGoSh
}

// mayGo is what the guard says of a pair in whose place another may come.
const mayGo = "replace"

// madeKeys is where the host notes a line for each key that it has made: its public half's digest.
const madeKeys = recipe.State + "/certified"

// temporaries is the list of what the next run sweeps, a line each (sweep in sh/place.sh).
const temporaries = recipe.State + "/temporaries"

// mayGoSh says that nothing is there but what was made here: a key that the host has noted, and of one
// of these a certificate that no authority has signed.
const mayGoSh = `may_go() {
	for file in "$certificate" "$key"; do
		[ ! -L "$file" ] || return 1
		[ -f "$file" ] || [ ! -e "$file" ] || return 1
	done
	[ ! -e "$key" ] || openssl pkey -in "$key" -passin pass: -pubout | made_here || return 1
	[ ! -e "$certificate" ] || {
		openssl x509 -in "$certificate" -noout -pubkey | made_here &&
			[ "$(openssl x509 -in "$certificate" -noout -issuer_hash)" = "$(openssl x509 -in "$certificate" -noout -subject_hash)" ]
	}
}

made_here() { grep -q -x -F -e "$(sha256sum)" -- ` + madeKeys + `; }
`

// names are as a form of each joins them.
func (c Certificate) names(form func(address netip.Addr) string) string {
	all := make([]string, len(c.Names))
	for i, name := range c.Names {
		all[i] = "DNS:" + name
		if address, err := netip.ParseAddr(name); err == nil {
			all[i] = form(address)
		}
	}
	return strings.Join(all, ",")
}

// shownName is how openssl shows an address, without blanks: of IPv6 with all its groups.
func shownName(address netip.Addr) string {
	if address.Is4() {
		return "IPAddress:" + address.String()
	}
	bytes := address.As16()
	groups := make([]string, 8)
	for i := range groups {
		groups[i] = fmt.Sprintf("%X", uint16(bytes[2*i])<<8|uint16(bytes[2*i+1]))
	}
	return "IPAddress:" + strings.Join(groups, ":")
}

var certified = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

// Validate refuses what cannot be meant.
func (c Certificate) Validate() error {
	what := "certificate " + c.Path
	for _, file := range []string{c.Path, c.Key} {
		if err := checkPath("certificate", file); err != nil {
			return err
		}
	}
	switch {
	case c.Path == c.Key:
		return fmt.Errorf("%s: its key is in another file", what)
	case c.Absent:
		return nil
	case len(c.Names) == 0:
		return fmt.Errorf("%s: wants the names that it is for", what)
	case c.Days < 0 || c.Days > 10000 || c.Days > 0 && c.Days <= 30:
		return fmt.Errorf("%s: is made anew 30 days before its end, so %d days are too few or too many", what, c.Days)
	}
	for _, name := range c.Names {
		if address, err := netip.ParseAddr(name); err == nil && address.Zone() == "" {
			continue
		}
		if err := checkName("name of a certificate", name, certified); err != nil {
			return err
		}
	}
	if c.Group != "" {
		return checkName("group", c.Group, accountName)
	}
	return nil
}

// Diff implements recipe.Resource.
func (c Certificate) Diff(facts recipe.Facts) (recipe.Change, error) {
	if c.Absent {
		if c.there(facts) && facts.Command(c.guard().Name).Output != mayGo {
			return recipe.Change{}, c.notMadeHere()
		}
		certificate, err := File{Path: c.Path, Absent: true}.Diff(facts)
		if err != nil {
			return recipe.Change{}, err
		}
		key, err := File{Path: c.Key, Secret: true, Absent: true}.Diff(facts)
		return join(certificate, key), err
	}
	wanted := recipe.Path{Type: recipe.PathFile, Mode: 0o600, Owner: "root", Group: cmp.Or(c.Group, "root")}
	if c.Group != "" {
		wanted.Mode = 0o640
	}
	public := recipe.Path{Type: recipe.PathFile, Mode: 0o644, Owner: "root", Group: "root"}
	if facts.Command(c.guard().Name).Exit == 0 {
		attributes := func(path string, wanted recipe.Path) recipe.Change {
			return attributesChange(path, facts.Path(path), recipe.Attributes{Mode: wanted.Mode, Owner: wanted.Owner, Group: wanted.Group}, path == c.Key)
		}
		return join(attributes(c.Path, public), attributes(c.Key, wanted)), nil
	}
	if facts.Command(c.guard().Name).Output != mayGo {
		return recipe.Change{}, c.notMadeHere()
	}
	change := recipe.Change{
		Kind: recipe.Create, Summary: "made on the host, for " + strings.Join(c.Names, ", "),
		Steps: []recipe.Step{recipe.Exec{Name: c.guard().Name, Script: c.make(wanted), Outcome: []recipe.Effect{
			recipe.Known(c.guard(), recipe.Command{}), recipe.Known(recipe.PathKey(c.Path), public), recipe.Known(recipe.PathKey(c.Key), wanted),
		}}},
	}
	if facts.Path(c.Path).Type != recipe.PathAbsent {
		change.Kind = recipe.Update
	}
	return change, nil
}

// there reports whether one of both stands.
func (c Certificate) there(facts recipe.Facts) bool {
	return facts.Path(c.Path).Type != recipe.PathAbsent || facts.Path(c.Key).Type != recipe.PathAbsent
}

// Answers is what the guard answers where neither stands, for a host that is modelled.
func (c Certificate) Answers(facts recipe.Facts) []recipe.Effect {
	if c.there(facts) {
		return nil
	}
	return []recipe.Effect{recipe.Known(c.guard(), recipe.Command{Exit: 1, Output: mayGo})}
}

// notMadeHere says why what is there stays.
func (c Certificate) notMadeHere() error {
	return fmt.Errorf("%s, %s: a certificate or a key is there that was not made here, is not as wanted, and could not be put back: move both away, or name other files", c.Path, c.Key)
}

// make is the sh that makes both, where only root can come, and moves them into their places: the key
// first, for without it the certificate is of no use. Where they are made is noted before, as of any
// step (private in sh/place.sh): the next run sweeps it, should this one die. It needs no secret name.
func (c Certificate) make(key recipe.Path) string {
	mode := fmt.Sprintf("%04o", key.Mode)
	return c.header() + `set -eu
umask 077
may_go || { echo "$certificate, $key: what is there was not made here" >&2; exit 1; }
for directory in ` + script.QuoteAll(path.Dir(c.Path), path.Dir(c.Key)) + `; do
	case $(stat -L -c '%u %A' -- "$directory") in
	0\ d????-??-?) ;;
	*) echo "$directory: others than root can write there" >&2; exit 1 ;;
	esac
done
made=$directory/.provision-certificate
printf '%s\n' "$(printf %s "$made" | base64 -w 0)" >>` + temporaries + `
sync ` + temporaries + `
rm -rf -- "$made"
mkdir -- "$made"
trap 'rm -rf -- "$made"' EXIT
trap 'exit 1' HUP INT TERM
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ` + fmt.Sprint(cmp.Or(c.Days, 397)) + ` \
	-subj ` + script.Quote("/CN="+shortName(c.Names[0])) + ` -addext ` + script.Quote("subjectAltName="+c.names(func(a netip.Addr) string { return "IP:" + a.String() })) + ` \
	-keyout "$made/key" -out "$made/certificate" 2>"$made/said" || { cat "$made/said" >&2; exit 1; }
chown ` + script.Quote(key.Owner+":"+key.Group) + ` "$made/key"
chmod ` + mode + ` "$made/key"
chmod 0644 "$made/certificate"
sync "$made/key" "$made/certificate"
public=$(openssl pkey -in "$made/key" -pubout)
printf '%s\n' "$public" | sha256sum >>` + madeKeys + `
sync ` + madeKeys + `
mv -T -- "$made/key" "$key"
mv -T -- "$made/certificate" "$certificate"`
}

// shortName is a name that fits where there may be 64 characters (RFC 5280, ub-common-name).
func shortName(name string) string { return name[:min(len(name), 64)] }

// Trace implements recipe.Remembered.
func (c Certificate) Trace() recipe.Trace {
	return recipe.Trace{Kind: "certificate", Name: c.Path, Key: c.Key, Gone: c.Absent}
}

// Stood implements recipe.Remembered: of two files, neither was there.
func (c Certificate) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: stoodAt(c.Path, facts).Nothing && stoodAt(c.Key, facts).Nothing}
}

// leave implements leaver.
func (Certificate) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	return l.dear(t, FormerCertificate{Certificate{Path: t.Name, Key: t.Key, Absent: true}})
}

// Places are those of the certificate and of its key.
func (c Certificate) Places() []string { return []string{c.Path, c.Key} }

// FormerCertificate is a certificate that no task wants any more: it goes with its key where both were
// made here. In their place an authority's may stand by now, of which no copy is kept: that stays.
type FormerCertificate struct{ Certificate }

// Diff implements recipe.Resource.
func (f FormerCertificate) Diff(facts recipe.Facts) (recipe.Change, error) {
	if f.Stays(facts) != "" {
		return recipe.Change{}, nil
	}
	return f.Certificate.Diff(facts)
}

// Stays says why the pair stays as it is, "" when it does not.
func (f FormerCertificate) Stays(facts recipe.Facts) string {
	if f.there(facts) && facts.Command(f.guard().Name).Output != mayGo {
		return "it, or its key " + f.Key + ", was not made here"
	}
	return ""
}
