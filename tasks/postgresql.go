package tasks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

const (
	postgresqlUnit = "postgresql.service"
	makeDatabase   = "make graphite's PostgreSQL role and database"
)

// PostgreSQL is the database server without a database: other tasks bring theirs.
func PostgreSQL() recipe.Task {
	return recipe.Task{
		Name:    "postgresql",
		Summary: "database server (PostgreSQL), without a database",
		About: "Installs the server from Debian's package, of the version that the release has. It listens on its unix socket and on loopback, and its configuration stays the package's own. " +
			"Other tasks bring their roles and databases: over the socket an account is the role of its name, without a password.",
		Parts: []recipe.Part{databasePart()},
		Build: func(recipe.Input) (recipe.Recipe, error) {
			var r recipe.Recipe
			addLocalhost(&r)
			r.Add(postgresqlPackage())
			r.Add(resource.Service{Unit: postgresqlUnit})
			return r, nil
		},
		Verify: func(recipe.Input) ([]recipe.Check, error) {
			return []recipe.Check{{
				Name: "PostgreSQL answers", From: recipe.FromHost, Within: 30 * time.Second,
				Command: &recipe.CommandCheck{Script: "cd / && " + asUser("postgres") + "psql -X -Atc 'select 6*7'", Contains: "42"},
			}}, nil
		},
	}
}

func postgresqlPackage() resource.Package {
	return resource.Package{Name: "postgresql", Brings: []recipe.Key{recipe.UnitKey(postgresqlUnit)}}
}

// addPostgreSQLPackages adds the server and its Python driver.
func addPostgreSQLPackages(r *recipe.Recipe) {
	r.Add(postgresqlPackage())
	r.Add(resource.Package{Name: "python3-psycopg2", Brings: []recipe.Key{}, Restarts: []string{graphiteWeb.unit()}})
}

// addLocalhost makes the name known that PostgreSQL listens at: on a minimal Debian it is
// not, and PostgreSQL does not start there.
func addLocalhost(r *recipe.Recipe) {
	r.Add(resource.Line{Path: "/etc/hosts", Line: "127.0.0.1 localhost"})
}

// addPostgreSQL starts the server and makes graphite's role and database.
func addPostgreSQL(r *recipe.Recipe) {
	r.Add(resource.Service{Unit: postgresqlUnit})
	r.Add(database{Task: "graphite", Name: "graphite", Role: graphiteUser}.command())
}

// database is one of PostgreSQL with the role that it belongs to. The role has an account's name and no
// password: over its socket PostgreSQL knows who asks.
type database struct {
	Task string // in whose name it is made
	Name string
	Role string
}

// command makes both; what is there stays.
func (d database) command() resource.Command {
	header := "cd /\nrole=" + script.Quote(d.Role) + " database=" + script.Quote(d.Name) + `
as_postgres() { ` + asUser("postgres") + `"$@"; }
has() { as_postgres psql -X -Atc "$1" | grep -q -x 1; }
`
	return resource.Command{
		Name:    "make " + d.Task + "'s PostgreSQL role and database",
		Changes: []recipe.Key{},
		Reads:   []recipe.Key{recipe.PackageKey("postgresql"), recipe.UnitKey(postgresqlUnit)},
		Unless:  header + `has "select 1 from pg_database join pg_roles on pg_roles.oid = datdba where datname = '$database' and rolname = '$role'" 2>/dev/null`,
		// postgresql.service has started its clusters, which may still be recovering.
		// template0 and UTF8, for a cluster of a host without a locale is SQL_ASCII.
		Script: header + `set -eu
tries=0
until as_postgres pg_isready -q; do
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || { as_postgres pg_isready; exit 1; }
	sleep 1
done
owner=$(as_postgres psql -X -Atc "select rolname from pg_database join pg_roles on pg_roles.oid = datdba where datname = '$database'")
case $owner in '' | "$role") ;; *) echo "the database $database is there, and belongs to $owner" >&2; exit 1 ;; esac
has "select 1 from pg_roles where rolname = '$role'" || as_postgres createuser -- "$role"
[ -n "$owner" ] || as_postgres createdb -O "$role" -T template0 -E UTF8 --locale=C -- "$database"`,
	}
}

// databasePart is a database of PostgreSQL.
func databasePart() recipe.Part {
	return recipe.Part{
		Name: "database", Manual: "createdb(1)",
		About: "A database of PostgreSQL, in UTF-8, and the role that it belongs to. The role has an account's name and no password: over the socket PostgreSQL knows which account asks. " +
			"One that is there and belongs to another role is refused. What is in it is not its business: the application, or a command, makes its tables.",
		Leaves:  "The database stays with all that is in it, and so does its role, which is said.",
		Example: `postgresql.database("shop")`,
		Variables: []recipe.Variable{
			{Name: "name", Type: recipe.TypeString, Needed: true, Check: text(databaseName), Help: "Of the database: lower case letters, digits and _."},
			{Name: "role", Type: recipe.TypeString, Check: optional(databaseName), Help: "The role that it belongs to: the account of the application; else NAME."},
		},
		Gives: []recipe.Given{{Name: "url", Help: "Where an application finds it, as libpq reads it (psql, psycopg): postgresql:///shop, over the socket."}},
		Build: func(in recipe.Input) (recipe.Recipe, map[string]string, error) {
			d := database{Name: in.Vars.String("name"), Role: in.Vars.String("role")}
			d.Task = d.Name
			if d.Role == "" {
				d.Role = d.Name
			}
			var r recipe.Recipe
			r.Add(resource.Service{Unit: postgresqlUnit})
			r.Add(d.command())
			return r, map[string]string{"url": "postgresql:///" + d.Name}, nil
		},
	}
}

// Names that need no quotes in SQL, so that psql, too, takes them as they are typed; 63 is PostgreSQL's
// bound. postgres and template0 are its own.
var databaseNames = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// sqlWords are PostgreSQL's reserved key words (its manual, appendix C, "reserved").
var sqlWords = strings.Fields(`all analyse analyze and any array as asc asymmetric authorization binary both case cast check
collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema
current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right
select session_user similar some symmetric system_user table tablesample then to trailing true union unique user using variadic
verbose when where window with`)

func databaseName(name string) error {
	switch {
	case !databaseNames.MatchString(name):
		return fmt.Errorf("%q: must be lower case letters, digits and _", name)
	case name == "postgres" || name == "template0" || name == "template1":
		return fmt.Errorf("%q: is PostgreSQL's own", name)
	case strings.HasPrefix(name, "pg_") || name == "public" || name == "none":
		return fmt.Errorf("%q: is refused by PostgreSQL: no role is named so, nor with pg_ before it", name)
	case slices.Contains(sqlWords, name):
		return fmt.Errorf("%q: is a word of SQL, which needs quotes", name)
	}
	return nil
}

// asUser is the start of a command line that runs the rest of it as an account, with none
// of root's environment.
func asUser(name string) string {
	return "setpriv --reuid " + name + " --regid " + name + " --init-groups env -i " +
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1 "
}
