package acceptance

import (
	"testing"

	"provision/internal/lab"
)

// dies leaves Graphite's database as a migration does that is killed when the tables of one are there,
// and before Django has written down that they are.
const dies = `set -eu
cd /
systemctl stop graphite-web.service
rm /var/lib/graphite/.provision-migrated /var/lib/graphite/graphite.db
as() { setpriv --reuid _graphite --regid _graphite --init-groups "$@"; }
as graphite-manage migrate contenttypes --noinput >/dev/null 2>&1
as graphite-manage migrate auth 0001 --noinput >/dev/null 2>&1
as python3 -c 'import sqlite3
d = sqlite3.connect("/var/lib/graphite/graphite.db")
print(d.execute("delete from django_migrations where app = \"auth\"").rowcount)
d.commit()'`

// The next run goes on where a migration died.
func TestGraphiteWhoseMigrationDied(t *testing.T) {
	onItsDays(t, 4)
	t.Parallel()
	onEach(t, today(t), "labmigra", installed, func(t *testing.T, _ *lab.Lab, host machine) {
		if gone := host.run(t, dies); gone != "1\n" {
			t.Fatalf("Django had noted %q migrations of auth", gone)
		}
		provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
		converged(t, host, "graphite")
	})
}
