package tasks

import (
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	migrateDatabase  = "migrate graphite's database"
	graphiteDatabase = "/var/lib/graphite/graphite.db"
	graphiteMigrated = "/var/lib/graphite/.provision-migrated" // for which versions
)

// addMigration brings the database to what the installed versions want, as _graphite:
// root would leave files behind that the application cannot write.
//
// Django's own question, migrate --check, takes most of a second. The guard instead
// compares the versions that the last migration was made for, which it wrote down, with
// those that are installed, and sees that the database is there.
//
// Django makes an application's first tables in one transaction and notes that it has them in the
// next: --fake-initial takes those for made that a migration left which died between the two.
func (g graphite) addMigration(r *recipe.Recipe) {
	engine, there := "sqlite", "[ -s "+graphiteDatabase+" ]"
	reads := []recipe.Key{recipe.PackageKey("graphite-web"), recipe.PathKey(graphiteDatabase), recipe.PathKey(graphiteMigrated)}
	if g.postgresql() {
		engine = "postgresql"
		there = "cd / && " + asUser(graphiteUser) +
			"psql -X -h /var/run/postgresql -d graphite -c 'select 1 from django_migrations limit 1' >/dev/null 2>&1"
		reads = append(reads, recipe.UnitKey(postgresqlUnit), recipe.CommandKey(makeDatabase))
	}
	header := `versions="` + engine + `
$(dpkg-query -W -f '${Package} ${Version}\n' graphite-web python3-django python3-django-tagging 2>/dev/null)"
stamp=` + graphiteMigrated + "\n"
	r.Add(resource.Command{
		Name:    migrateDatabase,
		Changes: []recipe.Key{},
		Reads:   reads,
		Unless:  header + `[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$versions" ] && ` + there,
		Script: header + `set -eu
umask 027
cd /
` + asUser(graphiteUser) + `graphite-manage migrate --run-syncdb --fake-initial --noinput
printf '%s\n' "$versions" | ` + asUser(graphiteUser) + `sh -c 'cat >"$1"' sh "$stamp"`,
		Timeout: 10 * time.Minute,
	}, restart(graphiteWeb.unit())...)
}
