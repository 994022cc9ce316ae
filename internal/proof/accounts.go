package proof

import (
	"context"
	"regexp"
	"slices"

	"provision/internal/recipe"
)

// installScripts prints what packages run when they are installed, and for what accounts they ask
// systemd (sysusers.d(5)).
const installScripts = `for package; do
	cat "/var/lib/dpkg/info/$package".p*inst "/var/lib/dpkg/info/${package%:*}".p*inst
	dpkg-query -L "$package" | grep '^/usr/lib/sysusers.d/.*\.conf$' | xargs -r cat
done 2>/dev/null
:`

// accountsOfPackages are the accounts that scripts of packages made, and no resource. These scripts leave
// them when the package is purged (wiki.debian.org/AccountHandlingInMaintainerScripts).
func (p *prover) accountsOfPackages(ctx context.Context) ([]Thing, error) {
	kinds := []string{"package", "user", "group"}
	var packages []string
	var accounts []Thing
	for _, d := range p.bare.Only(kinds...).Differences(p.installed.Only(kinds...), nil) {
		switch {
		case d.Before != "":
		case d.Kind == "package":
			packages = append(packages, d.Name)
		case !p.wantsAccount(d.Name):
			accounts = append(accounts, d.Thing)
		}
	}
	if len(accounts) == 0 || len(packages) == 0 {
		return nil, nil
	}
	said, err := p.Host.Run(ctx, "set -- "+quoted(packages)+"\n"+installScripts, "")
	return slices.DeleteFunc(accounts, func(account Thing) bool { return !named(said, account.Name) }), err
}

// wantsAccount reports whether a resource of the task is an account of that name: a user's group has it too.
func (p *prover) wantsAccount(name string) bool {
	return slices.ContainsFunc(p.items(), func(item recipe.Item) bool {
		id := item.Resource.ID()
		return id == "user:"+name || id == "group:"+name
	})
}

// named reports whether a script says a name, as a word of its own and in no comment.
func named(script, name string) bool {
	return regexp.MustCompile(`(?m)^([^#\n].*)?(^|[^\w.-])` + regexp.QuoteMeta(name) + `($|[^\w.-])`).MatchString(script)
}
