package tasks

import "testing"

// What PostgreSQL or SQL keep for themselves is refused where it is written, as a role's name and as a
// database's (PostgreSQL, CREATE ROLE, and its appendix C, SQL Key Words).
func TestDatabaseNames(t *testing.T) {
	for _, variable := range databasePart().Variables {
		for _, name := range []string{"pg_monitor", "pg_", "public", "none", "postgres", "template0", "user", "current_user", "Shop", "a-b"} {
			if variable.Check(name) == nil {
				t.Errorf("%s: %q passes", variable.Name, name)
			}
		}
		for _, name := range []string{"shop", "pgbouncer", "publicity", "users"} {
			if err := variable.Check(name); err != nil {
				t.Errorf("%s: %v", variable.Name, err)
			}
		}
	}
}
