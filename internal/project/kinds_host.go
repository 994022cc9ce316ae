package project

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

// hostKinds are what there is one of on a host, or in its kernel.
func hostKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "sysctl", Manual: "sysctl.d(5)",
			About:      "A parameter of the kernel: as it is now, and as it will be after the next boot, by a file of its own in /etc/sysctl.d. Proved on real hosts with those of net.*: a lab host may set no others.",
			Leaves:     "Its file goes. The kernel keeps the value until the next boot.",
			Example:    "sysctl(\"net.core.somaxconn\", \"4096\")",
			Parameters: []Parameter{required(text("name", "Its name, as sysctl has it.")), text("value", "Its value."), absent()},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Sysctl{Name: given[string](c, "name"), Value: given[string](c, "value"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "module", Manual: "modules-load.d(5)",
			About:      "A module of the kernel that is loaded, now and at every boot. It needs the package kmod. Not proved on real hosts: a lab host may load none.",
			Leaves:     "Its file goes. The module stays loaded until the next boot.",
			Example:    "module(\"br_netfilter\")",
			Parameters: []Parameter{required(text("name", "Its name.")), absent()},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Module{Name: given[string](c, "name"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "hostname", Manual: "hostname(5)",
			About:      "What the host calls itself, now and after the next boot. There is one of a host; that it finds itself by that name is a line of /etc/hosts.",
			Leaves:     "/etc/hostname becomes what it was. The host keeps its name until the next boot.",
			Example:    "hostname(\"web1\")",
			Parameters: []Parameter{required(text("name", "Its name.")), absent()},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Hostname{Name: given[string](c, "name"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "timezone", Manual: "localtime(5)",
			About:      "The time zone of the host. What runs already goes on with the one before until it is started again; the zone is the package tzdata's.",
			Leaves:     "The zone becomes what it was.",
			Example:    "timezone(\"Europe/Berlin\")",
			Parameters: []Parameter{required(text("name", "Its name.")), absent()},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Timezone{Name: given[string](c, "name"), Absent: given[bool](c, "absent")}, nil
		}),
	}
}

// unitKinds are units of systemd with what they are of.
func unitKinds() []*Word {
	return []*Word{
		composite(Word{
			Name: "timer", Manual: "systemd.timer(5)",
			About:   "A command that is run at certain times: a timer of systemd and its service, which runs to its end. What it prints is in the journal: journalctl -u NAME.",
			Leaves:  "It is stopped, and its units go. A run of the command that is under way comes to its end.",
			Example: "timer(\"backup\", \"pg_dump shop | gzip >/srv/backup/shop.gz\", \"*-*-* 03:00\", user = \"postgres\")",
			Parameters: []Parameter{
				required(text("name", "Of both units: none that a package has.")),
				text("command", "What is run, in sh. It is seen on the host: a secret goes into a file."),
				text("calendar", "When, as systemd.time(7) has it: \"daily\", \"Mon..Fri 22:30\", \"*:0/15\"."),
				byName(or(text("user", "Who runs it, who has to exist."), `"root"`)),
				byName(truth("persistent", "What it missed while the host was off is made up for.")),
				byName(text("delay", "Up to so long after, as the host chooses, so that not all hosts begin at once: \"15min\".")),
				absent(),
			},
		}, func(c *call) (recipe.Composite, error) {
			return resource.Timer{
				Name: given[string](c, "name"), Command: given[string](c, "command"), OnCalendar: given[string](c, "calendar"), User: given[string](c, "user"),
				Persistent: given[bool](c, "persistent"), Delay: given[string](c, "delay"), Absent: given[bool](c, "absent"),
			}, nil
		}),
		composite(Word{
			Name: "mount", Manual: "systemd.mount(5)",
			About:   "A file system that is mounted, now and at every boot, by a unit of systemd. One that changes is unmounted in between, which fails while it is in use.",
			Leaves:  "It is unmounted, and its unit goes; the directory stays.",
			Example: "mount(\"/dev/vdb1\", \"/srv/data\", type = \"ext4\", options = \"noatime\")",
			Parameters: []Parameter{
				text("what", "A device, UUID=…, host:/path, or tmpfs."),
				required(hostPath("where", "Where it is mounted; the directory is made when it is not there.")),
				byName(text("type", "ext4, nfs, tmpfs; else what is found there.")),
				byName(text("options", "\"noatime,size=64M\".")),
				absent(),
			},
		}, func(c *call) (recipe.Composite, error) {
			return resource.Mount{
				What: given[string](c, "what"), Where: given[string](c, "where"), Type: given[string](c, "type"), Options: given[string](c, "options"), Absent: given[bool](c, "absent"),
			}, nil
		}),
		composite(Word{
			Name: "swap", Manual: "systemd.swap(5)",
			About:      "A file that the host swaps to, now and after every boot, by a unit of systemd. Not proved on real hosts: a lab host may not swap.",
			Leaves:     "Nothing is swapped to it any more, and its unit goes; the file stays, which is said: with absent it goes.",
			Example:    "swap(\"/swapfile\", 2048)",
			Parameters: []Parameter{required(hostPath("path", "In a directory to which only root may write.")), positive("megabytes", "Its size."), absent()},
		}, func(c *call) (recipe.Composite, error) {
			return resource.Swap{Path: given[string](c, "path"), Megabytes: given[int](c, "megabytes"), Absent: given[bool](c, "absent")}, nil
		}),
	}
}

// aptKinds are what concerns packages beside their being there.
func aptKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "hold", Manual: "apt-mark(8)",
			About:      "A package that stays at the version that it has: neither --upgrade nor apt changes it.",
			Leaves:     "The package is no longer held, unless it was before.",
			Example:    "hold(\"postgresql-15\")",
			Parameters: []Parameter{required(text("package", "Its name.")), absent()},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Hold{Package: given[string](c, "package"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "alternative", Manual: "update-alternatives(1)",
			About:   "Which program a name leads to, of those that packages offer for it. The choice stays, whatever else is installed. The package that offers it names /var/lib/dpkg/alternatives/NAME in brings.",
			Leaves:  "What was chosen before is chosen again, where it is still offered; else the name leads to what has the highest priority.",
			Example: "alternative(\"editor\", \"/usr/bin/vim.basic\")",
			Parameters: []Parameter{
				required(text("name", "As update-alternatives has it: editor, pager, java.")),
				hostPath("path", "The program, one of update-alternatives --list NAME."), absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Alternative{Name: given[string](c, "name"), Path: given[string](c, "path"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "repository", Manual: "sources.list(5)",
			About:   "A source of packages beside Debian's own, in a file of its own in /etc/apt/sources.list.d, with the key that vouches for it and for no other. Its lists are fetched at once.",
			Leaves:  "Its file goes. What was installed from it stays.",
			Example: "repository(\"postgresql\", uris = [\"https://apt.postgresql.org/pub/repos/apt\"], suites = [host.codename + \"-pgdg\"], components = [\"main\"], key = \"/etc/apt/keyrings/postgresql.gpg\")",
			Parameters: []Parameter{
				required(text("name", "Of its file.")),
				byName(texts("uris", "Where it is; https needs the package ca-certificates.")),
				byName(texts("suites", "\"bookworm\", or a path that ends with a slash.")),
				byName(texts("components", "\"main\"; none with a path as the suite.")),
				byName(texts("architectures", "Else the host's.")),
				byName(text("key", "Its public key, in ASCII, or the path of a keyring on the host.")),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Repository{
				Name: given[string](c, "name"), URIs: given[[]string](c, "uris"), Suites: given[[]string](c, "suites"), Components: given[[]string](c, "components"),
				Architectures: given[[]string](c, "architectures"), Key: given[string](c, "key"), Absent: given[bool](c, "absent"),
			}, nil
		}),
	}
}
