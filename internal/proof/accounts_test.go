package proof

import (
	"slices"
	"testing"

	"provision/internal/resource"
)

// An account is a package's where the script of a new package names it, and no resource is it.
func TestAccountsOfPackages(t *testing.T) {
	const scripts = `#!/bin/sh
# the account shop is not made here
adduser --system --group --gecos "PostgreSQL administrator" postgres
addgroup --system ssl-cert
u redis - "Redis"
`
	p := proving(resource.User{Name: "redis"})
	p.bare = State{{"user", "root"}: "x:0:0"}
	p.installed = State{{"user", "root"}: "x:0:0:other", {"package", "postgresql-common:all"}: "278 ii"}
	for _, name := range []string{"postgres", "redis", "shop", "ssl", "cert"} {
		p.installed[Thing{"user", name}] = "x"
	}
	p.installed[Thing{"group", "ssl-cert"}] = "x"
	p.Host = &stage{paper: paper{said: scripts}}
	got, err := p.accountsOfPackages(t.Context())
	if want := []Thing{{"group", "ssl-cert"}, {"user", "postgres"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("found %v, %v, want %v", got, err, want)
	}
	p.installed = State{{"user", "postgres"}: "x"}
	if got, err := p.accountsOfPackages(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("found %v, %v without a package", got, err)
	}
}
