package tasks

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	postgresqlUnit = "postgresql.service"
	makeDatabase   = "make graphite's PostgreSQL role and database"
)

// addPostgreSQLPackages adds the server and its Python driver.
func addPostgreSQLPackages(r *recipe.Recipe) {
	r.Add(resource.Package{Name: "postgresql", Brings: []recipe.Key{recipe.UnitKey(postgresqlUnit)}})
	r.Add(resource.Package{Name: "python3-psycopg2", Restarts: []string{graphiteWeb.unit()}})
}

// addLocalhost makes the name known that PostgreSQL listens at: on a minimal Debian it is
// not, and PostgreSQL does not start there.
func addLocalhost(r *recipe.Recipe) {
	r.Add(resource.Line{Path: "/etc/hosts", Line: "127.0.0.1 localhost"})
}

// addPostgreSQL starts the server and makes graphite's role and database. The role has
// the account's name and no password: over its socket PostgreSQL knows who asks.
func addPostgreSQL(r *recipe.Recipe) {
	r.Add(resource.Service{Unit: postgresqlUnit})
	r.Add(resource.Command{
		Name:  makeDatabase,
		Reads: []recipe.Key{recipe.PackageKey("postgresql"), recipe.UnitKey(postgresqlUnit)},
		Unless: "cd / && " + asUser(graphiteUser) +
			"psql -X -h /var/run/postgresql -d graphite -c 'select 1' >/dev/null 2>&1",
		// postgresql.service has started its clusters, which may still be recovering.
		// template0 and UTF8, for a cluster of a host without a locale is SQL_ASCII.
		Script: `set -eu
cd /
as_postgres() { ` + asUser("postgres") + `"$@"; }
tries=0
until as_postgres pg_isready -q; do
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || { as_postgres pg_isready; exit 1; }
	sleep 1
done
role=$(as_postgres psql -X -Atc "select 1 from pg_roles where rolname = '_graphite'")
[ -n "$role" ] || as_postgres createuser _graphite
database=$(as_postgres psql -X -Atc "select 1 from pg_database where datname = 'graphite'")
[ -n "$database" ] || as_postgres createdb -O _graphite -T template0 -E UTF8 --locale=C graphite`,
	})
}

// asUser is the start of a command line that runs the rest of it as an account, with none
// of root's environment.
func asUser(name string) string {
	return "setpriv --reuid " + name + " --regid " + name + " --init-groups env -i " +
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1 "
}
