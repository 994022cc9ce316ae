package project

import (
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// systemKinds are the kinds that stand at no path: packages, units, accounts, commands.
func systemKinds() []*Word {
	return append([]*Word{
		kind(Word{
			Name: "package", Manual: "apt-get(8)",
			About:   "A Debian package, installed without recommendations and left at the version that it has; --upgrade brings it to apt's. While packages install no service starts: write the configuration before the package.",
			Leaves:  "It stays, which is said; remove --purge takes one that came for a task.",
			Example: "package(\"gunicorn\", restarts = [\"shop.service\"])",
			Parameters: []Parameter{
				required(text("name", "Its name.")),
				byName(brings()),
				byName(restarts()),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Package{
				Name: given[string](c, "name"), Brings: given[[]recipe.Key](c, "brings"), Restarts: given[[]string](c, "restarts"), Absent: given[bool](c, "absent"),
			}, nil
		}),
		serviceKind(),
		kind(Word{
			Name: "command", Manual: "sh(1)",
			About:   "A script that is run as root when its guard says so. It has to be as true after a day as after the run, for the guard is what a second run goes by. It runs also when something notifies it, notify = run(NAME), and without a guard only then.",
			Leaves:  "The files that it makes go where nothing stood there before; what else it did stays, which is said.",
			Example: "command(\"migrate the database\", \"shop migrate\", unless = \"shop migrate --check\", reads = [\"/etc/shop/env\"])",
			Parameters: []Parameter{
				required(text("name", "What it does, in a few words.")),
				required(text("script", "POSIX sh. It is seen on the host: a secret goes into input.")),
				byName(text("unless", "The guard: a script that changes nothing, and ends with 0 when nothing is to be done. Without one it runs when it is notified.")),
				byName(keysOf("reads", "What the guard goes by: after a change of that, or where another command has run, it is asked again.", recipe.KindUser, recipe.KindGroup, recipe.KindPackage, recipe.KindCommand)),
				byName(keys("changes", "What the script changes of what the task asks about, [] for nothing. Without it, and without makes or secrets, that may be anything, as with the brings of a package.")),
				byName(texts("makes", "Files that the script makes, which the guard goes by too: they go with the command where nothing stood there before.")),
				byName(texts("secrets", "Files with secrets that it makes, likewise; only remove --purge takes them.")),
				byName(contentOf("input", "What it gets on standard input; nobody sees it.")),
				byName(or(duration("timeout", "How long it may take."), `"30m"`)),
			},
		}, func(c *call) (recipe.Resource, error) {
			if c.has("unless") && given[string](c, "unless") == "" {
				return nil, plain("unless: the guard is empty", "unless = \"test -e /var/lib/shop/db\" ends with 0 when nothing is to be done")
			}
			return resource.Command{
				Name: given[string](c, "name"), Script: given[string](c, "script"), Unless: given[string](c, "unless"),
				Reads: given[[]recipe.Key](c, "reads"), Changes: given[[]recipe.Key](c, "changes"), Makes: given[[]string](c, "makes"), Secrets: given[[]string](c, "secrets"),
				Input: recipe.NewSecret(given[content](c, "input").text), Timeout: given[time.Duration](c, "timeout"),
			}, nil
		}),
	}, accountKinds()...)
}

// brings is a parameter of packages.
func brings() Parameter {
	return keys("brings", "What its own scripts may change of what the task asks about, [] for nothing: all else that follows is known. Without it that may be any path, unit or account: of what follows a plan says what it becomes, and not from what.")
}

// restarts is a parameter of packages.
func restarts() Parameter {
	return units("restarts", "The units that run what it holds: after an upgrade they restart.")
}

func serviceKind() *Word {
	return kind(Word{
		Name: "service", Manual: "systemd.unit(5)",
		About:   "A systemd unit that starts at boot and runs. It takes in the changes that notify it at its place in the list: write it behind its configuration and its package.",
		Leaves:  "The unit is as it was before a task wanted it: it runs on, or it is stopped, and starts at boot or does not.",
		Example: "service(\"shop.service\", listens = [\"/run/shop.sock\"], check = \"shop --check\")",
		Parameters: []Parameter{
			required(unit("unit", "The unit, with its suffix.")),
			byName(texts("listens", "Where it must listen once it has settled, and nobody else may: \"127.0.0.1:8080\", \":80\", \"/run/x.sock\".")),
			byName(text("check", "Its validator, run before every start, restart and reload: nothing is done where it fails.")),
			byName(texts("trees", "The directories that hold its configuration, all of it: check is tried on a copy of them before a change goes live.")),
			byName(truth("dry", "check changes nothing but in trees and scratch: a plan tries the new configuration too.")),
			byName(texts("scratch", "Directories that check writes to, as its logs'.")),
			byName(text("ready", "A question to it once it has settled, in sh: it has to succeed.")),
			byName(hostPath("needs", "A path without which it cannot run: until that is there, it is left alone.")),
			byName(truth("oneshot", "It runs to its end, as a timer's service.")),
			byName(truth("guarded", "Its change may cut the connection: the host undoes it unless a new connection can be made.")),
			byName(truth("absent", "It is stopped and disabled.")),
		},
	}, func(c *call) (recipe.Resource, error) {
		return resource.Service{
			Unit: given[string](c, "unit"), Listens: given[[]string](c, "listens"), Check: given[string](c, "check"), Trees: given[[]string](c, "trees"),
			Dry: given[bool](c, "dry"), Scratch: given[[]string](c, "scratch"), Ready: given[string](c, "ready"), Needs: given[string](c, "needs"),
			Oneshot: given[bool](c, "oneshot"), Guarded: given[bool](c, "guarded"), Absent: given[bool](c, "absent"),
		}, nil
	})
}
