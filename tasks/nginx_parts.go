package tasks

import (
	"fmt"
	"regexp"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// partName is the name of what a part makes: of a site, an application. It is that of a file, of a unit.
func partName(help string) recipe.Variable {
	return recipe.Variable{Name: "name", Type: recipe.TypeString, Needed: true, Check: text(namesPart), Help: help}
}

var partNames = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

func namesPart(name string) error {
	if !partNames.MatchString(name) {
		return fmt.Errorf("%q: must be lower case letters, digits, - and _", name)
	}
	return nil
}

// sitePart is a site of nginx.
func sitePart() recipe.Part {
	return recipe.Part{
		Name: "site", Manual: "nginx(8)",
		About: "A site of nginx: its file in sites-available, and the link in sites-enabled that turns it on. All of nginx's configuration is tried with nginx -t before it goes live: a site that does not pass changes nothing, " +
			"and one that nginx does not survive is put back. What is in it may have no secret, for all of it is shown.",
		Leaves:  "The link and the file go, and nginx, which goes on, reloads.",
		Example: `nginx.site("shop", template("site.tmpl", domain = v.domain), listens = [":80"])`,
		Variables: []recipe.Variable{
			partName("Of the site, and of its file."),
			{Name: "content", Type: recipe.TypeString, Needed: true, Help: "What is in it; template(…) makes it of a template, in which nginxValue says a value."},
			{Name: "listens", Type: recipe.TypeList, Help: "Where nginx listens for it, and nobody else may: \":80\", \"127.0.0.1:8080\"."},
		},
		Build: func(in recipe.Input) (recipe.Recipe, map[string]string, error) {
			var r recipe.Recipe
			name := in.Vars.String("name")
			r.Add(resource.File{Path: sitesAvailable + name, Content: in.Vars.String("content")}, reload(nginxUnit)...)
			turnOn(&r, name)
			r.Add(nginxRuns(in.Vars.List("listens"), "", ""))
			return r, nil, nil
		},
	}
}

// tlsPart is a certificate for a site. It is a resource.Certificate and not a selfSigned, whose command
// is there for the hosts that have its certificates already: of that nothing is known when it leaves.
func tlsPart() recipe.Part {
	return recipe.Part{
		Name: "tls", Manual: "openssl-req(1)",
		About: "A certificate for a site of nginx, which vouches for itself, with its key. Both are made on the host, which the key never leaves, and made anew a month before the end; then nginx reloads. " +
			"It brings openssl and the directory that they are in. Write it before the site. A real authority's are files of yours: name these in the site instead.",
		Leaves:  "The certificate and its key stay, which is said; remove --purge takes them where they were made for a task.",
		Example: `nginx.tls("shop", names = [v.domain])`,
		Variables: []recipe.Variable{
			partName("Of the site."),
			{Name: "names", Type: recipe.TypeList, Needed: true, Help: "What it is for: names of hosts, *.example.org too, and IP addresses."},
		},
		Gives: []recipe.Given{{Name: "certificate", Help: "The path of the certificate, for ssl_certificate."}, {Name: "key", Help: "The path of its key, for ssl_certificate_key."}},
		Build: func(in recipe.Input) (recipe.Recipe, map[string]string, error) {
			var r recipe.Recipe
			own := selfSigned{Task: in.Vars.String("name")}
			r.Add(resource.Package{Name: "openssl", Brings: []recipe.Key{}})
			r.Add(resource.Directory{Path: configDirectory})
			r.Add(resource.Directory{Path: own.directory(), Attributes: recipe.Attributes{Mode: 0o700}})
			r.Add(resource.Certificate{Path: own.certificate(), Key: own.key(), Names: in.Vars.List("names")}, reload(nginxUnit)...)
			return r, map[string]string{"certificate": own.certificate(), "key": own.key()}, nil
		},
	}
}
