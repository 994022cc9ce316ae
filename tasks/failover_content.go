package tasks

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
	"provision/templates"
)

const (
	failoverSourceUnit  = "provision-failover-source.service"
	failoverCopyUnit    = "provision-failover-copy.service"
	failoverState       = "/var/lib/provision-failover"
	failoverCertificate = failoverDirectory + "/certificate.pem"
	failoverKey         = failoverDirectory + "/key.pem"
	failoverTrusted     = failoverDirectory + "/trusted.pem"
	failoverStunnel     = failoverDirectory + "/stunnel.conf"
)

// contentCopy is of a directory that the two hosts have the same of: the one that has not the address copies it
// from the other one.
type contentCopy struct {
	failover
	Content, Owner string
	Port           int
	Trusts         string // the other host's certificate, "" until it is known
}

func newContent(f failover) (c contentCopy, err error) {
	c = contentCopy{failover: f, Content: f.Vars.String("content"), Owner: f.Vars.String("content_owner"), Port: f.Vars.Int("content_port")}
	if c.Content == "" {
		return c, nil
	}
	switch written := f.Vars.String("peer_certificate"); {
	case written != "":
		c.Trusts, err = parseCertificate(written)
	default:
		c.Trusts, err = exportedCertificate(f.Input, f.PeerName, "failover", failoverCertificate)
	}
	return c, err
}

// add brings the content in step. What is sent and what is copied is so as its owner: root would follow
// the links that the owner may plant. So it is rsync over TLS, to which a login as root, over ssh, is no
// way; and each host's own key, whose certificate the other one knows, is good for this alone.
func (c contentCopy) add(r *recipe.Recipe) error {
	if c.Content == "" {
		return nil
	}
	owned := recipe.Attributes{Owner: c.Owner, Group: c.Owner}
	r.Add(resource.Directory{Path: c.Content, Attributes: owned, Parents: true})
	owned.Mode = 0o700
	r.Add(resource.Directory{Path: failoverState, Attributes: owned, Data: true})
	r.Add(resource.Package{Name: "openssl", Brings: []recipe.Key{}})
	var changed []recipe.Notification
	if c.Trusts != "" { // until then nothing runs that could be told
		changed = slices.Concat(restart(failoverSourceUnit), restart(failoverCopyUnit))
	}
	r.Add(resource.Certificate{Path: failoverCertificate, Key: failoverKey, Names: []string{"failover"}, Days: secureMetricsDays}, changed...)
	if c.Trusts != "" {
		if err := c.addFiles(r, changed); err != nil {
			return err
		}
	}
	return c.addFirewall(r)
}

func (c contentCopy) addFiles(r *recipe.Recipe, changed []recipe.Notification) error {
	settings := struct{ Certificate, Key, Trusted, Own, Content, Owner, Port string }{
		failoverCertificate, failoverKey, failoverTrusted, c.Own.String(), c.Content, c.Owner, strconv.Itoa(c.Port),
	}
	stunnel := settings
	stunnel.Key = "/run/credentials/" + failoverSourceUnit + "/key.pem"
	return addFiles(r, []filePart{
		{path: failoverTrusted, template: "secure_metrics/trusted.pem.tmpl", data: []knownKey{{Host: c.Peer.String(), Certificate: c.Trusts}}, notifies: changed},
		{path: failoverDirectory + "/rsyncd.conf", template: "failover/rsyncd.conf.tmpl", data: c.Content}, // read at each call
		{path: failoverStunnel, template: "failover/stunnel.conf.tmpl", data: stunnel, notifies: restart(failoverSourceUnit)},
		{path: failoverDirectory + "/content.sh", template: "failover/content.sh.tmpl", notifies: restart(failoverCopyUnit)},
		{path: "/etc/systemd/system/" + failoverSourceUnit, template: "failover/source.service.tmpl", data: settings, notifies: restart(failoverSourceUnit)},
		{path: "/etc/systemd/system/" + failoverCopyUnit, template: "failover/copy.service.tmpl", data: settings, notifies: restart(failoverCopyUnit)},
	})
}

// addServices starts what brings it in step, once the other host is known.
func (c contentCopy) addServices(r *recipe.Recipe) error {
	if c.Content == "" {
		return nil
	}
	var restarts []string
	if c.Trusts != "" {
		restarts = []string{failoverSourceUnit}
	}
	r.Add(resource.Package{Name: "stunnel4", Brings: []recipe.Key{}, Restarts: restarts})
	r.Add(resource.Package{Name: "rsync", Brings: []recipe.Key{}})
	if c.Trusts == "" {
		return nil
	}
	trial, err := templates.Render("secure_metrics/trial.sh.tmpl", struct{ Key, Configuration string }{failoverKey, failoverStunnel})
	r.Add(resource.Service{
		Unit: failoverSourceUnit, Check: trial, Trees: []string{failoverDirectory}, Listens: []string{c.listens()},
		Instead: "-e failover.content_port=18874",
	})
	r.Add(resource.Service{Unit: failoverCopyUnit})
	return err
}

func (c contentCopy) listens() string { return c.Own.String() + ":" + strconv.Itoa(c.Port) }

func (c contentCopy) addFirewall(r *recipe.Recipe) error {
	if !slices.Contains(c.Host.Tasks(), "firewall") {
		return nil
	}
	in := c.Input
	in.Vars = recipe.Values{"name": "failover-content", "ports": []string{fmt.Sprintf("%d/tcp from %s/32", c.Port, c.Peer)}}
	opened, _, err := allowPart().Build(in)
	r.Include(opened)
	return err
}

// verify writes a mark where the address is, and removes it again; the other host is asked for it.
func (c contentCopy) verify() []recipe.Check {
	if c.Content == "" {
		return nil
	}
	if c.Trusts == "" {
		return []recipe.Check{onHost("the other host is known", `echo "`+c.Peer.String()+` has no certificate yet: provision install failover of both hosts" >&2; exit 1`)}
	}
	within := time.Duration(c.Vars.Int("content_every"))*time.Second + 15*time.Second
	step := func(name, word string) recipe.Check {
		check := onHost(name, "sh "+failoverDirectory+"/failover.sh "+word+" .provision-verify-$NONCE")
		check.Within = within
		return check
	}
	return []recipe.Check{
		onHost("the content is sent and copied", "systemctl is-active "+failoverSourceUnit+" "+failoverCopyUnit),
		step("what is written where the address is, is on the other host", "written"),
		step("what is removed there, is gone on the other host", "removed"),
		refusesUnknown("a key that is not the other host's gets no content", c.listens(), failoverCertificate),
	}
}

// settings are what the scripts know of it.
func (c contentCopy) settings() []setting {
	return []setting{
		{"OWN", script.Quote(c.Own.String())},
		{"CONTENT", script.Quote(c.Content)},
		{"CONTENT_OWNER", script.Quote(c.Owner)},
		{"CONTENT_PORT", strconv.Itoa(c.Port)},
		{"CONTENT_EVERY", strconv.Itoa(c.Vars.Int("content_every"))},
	}
}

func contentVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "content", Type: recipe.TypeString, Check: optional(contentPath),
			Help: "A directory, as of what visitors send, that is copied from the host that has the address to the other one. It is made where it is missing, and all in it is its owner's.",
		},
		{
			Name: "content_owner", Type: recipe.TypeString, Default: "www-data", Check: text(contentOwner),
			Help: "Whose it is: the account that reads it there and writes it here, and whose group has its name. It has to be there before.",
		},
		{
			Name: "content_every", Type: recipe.TypeInt, Default: 5, Check: between(1, 3600),
			Help: "Seconds between two copies: what was written later than that before the one host died, the other has not.",
		},
		{
			Name: "content_port", Type: recipe.TypeInt, Default: 8874, Check: between(1024, 65535),
			Help: "Where the other host fetches it, over TLS.",
		},
		{
			Name: "peer_certificate", Type: recipe.TypeString, Check: optional(certificate),
			Help: "With peer and content, the other host's certificate in PEM without its first and last line, all in one line: " + failoverCertificate + " there.",
		},
	}
}

func contentOwner(name string) error {
	if name == "root" {
		return errors.New("root: would follow what others plant there; must be the account that writes it")
	}
	return account(name)
}

var (
	contentPaths = regexp.MustCompile(`^(/[A-Za-z0-9_][A-Za-z0-9._-]*){2,}$`)
	// Where no account but root has content, and where the units see none.
	noContent = []string{"bin", "boot", "dev", "etc", "home", "lib", "proc", "root", "run", "sbin", "sys", "tmp", "usr"}
)

func contentPath(text string) error {
	if !contentPaths.MatchString(text) || path.Clean(text) != text || len(text) > 200 {
		return fmt.Errorf("%q: must be a path such as /srv/shop/files, of letters, digits and . _ -", text)
	}
	if top := strings.Split(text, "/")[1]; slices.Contains(noContent, top) || strings.HasPrefix(text+"/", "/var/tmp/") {
		return fmt.Errorf("%q: is no place for content, as /srv and /var/lib are", text)
	}
	return nil
}
