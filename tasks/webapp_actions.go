package tasks

import (
	"time"

	"provision/internal/recipe"
)

// webappActions are what is no state of the application: a migration of its database.
func webappActions() []recipe.Script {
	return []recipe.Script{{
		Name: "run", Timeout: 30 * time.Minute,
		Help: "Runs a command in the release that runs, as the application's account and with its environment: python3 manage.py migrate --noinput.",
		Arguments: []recipe.Variable{{
			Name: "command", Type: recipe.TypeString, Needed: true, Help: "What is run, by sh.",
		}},
		// The environment may hold secrets: they go from process to process, and into no argument. Root looks for
		// nothing where the release may have put something of that name.
		Text: `name=` + webappName + `${instance:+-$instance}
process=$(systemctl show -p MainPID --value "$name.service")
[ "$process" -gt 0 ] || { echo "$name does not run: it has no environment" >&2; exit 1; }
cd "/srv/$name/current" || exit
exec setpriv --reuid="${user:-$name}" --regid="${user:-$name}" --clear-groups --no-new-privs python3 -IB -c '
import os, sys
with open("/proc/" + sys.argv[1] + "/environ", "rb") as file:
    environment = dict(line.split(b"=", 1) for line in file.read().split(b"\0") if b"=" in line)
environment[b"PATH"] = os.environb[b"PATH"]
if os.path.isdir(".virtualenv"):
    environment[b"PATH"] = os.fsencode(os.getcwd()) + b"/.virtualenv/bin:" + environment[b"PATH"]
os.execve("/bin/sh", ["sh", "-c", sys.argv[2]], environment)
' "$process" "$command"
`,
	}}
}
