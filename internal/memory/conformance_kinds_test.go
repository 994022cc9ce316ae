package memory_test

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

const text, old = "ours\n", "before\n"

// key is a public key, made for this test.
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM1UmHBJFFL63a4TQtc7/wGDNNgWJpDvE/XjiGKWiiJo u@here"

func known(key recipe.Key, value any) recipe.Effect { return recipe.Known(key, value) }

func file(content string) recipe.Path {
	return recipe.Path{Type: recipe.PathFile, Mode: 0o644, Owner: "root", Group: "root", SHA256: recipe.Digest([]byte(content))}
}

var (
	link      = recipe.Path{Type: recipe.PathLink, Mode: 0o777, Owner: "root", Group: "root", Target: "there"}
	directory = recipe.Path{Type: recipe.PathDirectory, Mode: 0o755, Owner: "root", Group: "root"}
	running   = recipe.Unit{Load: "loaded", Active: "active", State: "enabled"}
	down      = recipe.Unit{Load: "loaded", Active: "inactive", State: "enabled"}
	off       = recipe.Unit{Load: "loaded", Active: "inactive", State: "disabled"}
	booting   = recipe.Unit{Load: "loaded", Active: "active", State: "disabled"}
)

// kinds is of each kind: what is wanted, what stood there before, what is there now, and how it
// leaves: the titles of its steps, or what stays.
var kinds = []struct {
	name   string
	wanted recipe.Resource
	before []recipe.Effect
	now    []recipe.Effect
	purge  bool
	steps  string
	stays  string
}{
	{name: "a file", wanted: resource.File{Path: "/a", Content: text}, now: ours, steps: "remove /a"},
	{name: "a file over another", wanted: resource.File{Path: "/a", Content: text}, before: theirs, now: over, steps: "restore /a"},
	{
		name: "a file that was there just so", wanted: resource.File{Path: "/a", Content: text},
		before: ours,
		now:    []recipe.Effect{known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/a")), file(text))},
	},
	{
		name: "a file that replaced what no copy is kept of", wanted: resource.File{Path: "/a", Content: text, Secret: true},
		before: theirs, now: ours,
		stays: "no copy is kept of what it was",
	},
	{
		name: "a conffile that was there before its package", wanted: resource.File{Path: "/a", Content: text},
		now:   []recipe.Effect{known(recipe.PathKey("/a"), file(text)), known(recipe.OwnerKey("/a"), recipe.Owner{Package: "a", Conffile: true})},
		steps: "restore /a of a",
	},
	{
		name: "a conffile as its package has it", wanted: resource.File{Path: "/a", Content: text},
		now: []recipe.Effect{known(recipe.PathKey("/a"), file(text)), known(recipe.OwnerKey("/a"), recipe.Owner{Package: "a", Conffile: true, Shipped: true})},
	},
	{
		name: "a conffile as an older version of its package had it", wanted: resource.File{Path: "/a", Content: text},
		before: theirs,
		now:    conffile("older", "newer"),
		steps:  "restore /a of a",
	},
	{
		name: "a conffile as its package had it, and has it still", wanted: resource.File{Path: "/a", Content: text},
		before: theirs,
		now:    conffile("same", "same"),
		steps:  "restore /a",
	},
	{name: "a conffile that somebody had changed", wanted: resource.File{Path: "/a", Content: text}, before: theirs, now: conffile("", "newer"), steps: "restore /a"},
	{
		name: "a file that was taken away", wanted: resource.File{Path: "/a", Absent: true},
		before: theirs, now: []recipe.Effect{known(recipe.PathKey(recipe.OriginalPath("/a")), file(old))},
		steps: "restore /a",
	},
	{name: "a file that was not there to be taken away", wanted: resource.File{Path: "/a", Absent: true}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(old))}},
	{name: "an artifact", wanted: resource.Artifact{Path: "/a"}, now: ours, steps: "remove /a"},
	{name: "a link", wanted: resource.Link{Path: "/a", Target: "there"}, now: []recipe.Effect{known(recipe.PathKey("/a"), link)}, steps: "remove /a"},
	{name: "a directory", wanted: resource.Directory{Path: "/a"}, now: made, steps: "remove /a"},
	{
		name: "a directory with something in it", wanted: resource.Directory{Path: "/a"},
		now:   []recipe.Effect{known(recipe.PathKey("/a"), directory), known(recipe.EntriesKey("/a"), recipe.Entries{"data"})},
		stays: "things of others in it: 1",
	},
	{
		name: "a directory of a package", wanted: resource.Directory{Path: "/a"},
		now:   []recipe.Effect{known(recipe.PathKey("/a"), directory), known(recipe.OwnerKey("/a"), recipe.Owner{Package: "a"})},
		stays: "belongs to the package a",
	},
	{
		name: "a directory with data", wanted: resource.Directory{Path: "/a", Data: true},
		now:   []recipe.Effect{known(recipe.PathKey("/a"), directory), known(recipe.EntriesKey("/a"), recipe.Entries{"b"})},
		stays: "what came into it is kept",
	},
	{
		name: "a directory with data, purged", wanted: resource.Directory{Path: "/a", Data: true}, purge: true,
		now:   []recipe.Effect{known(recipe.PathKey("/a"), directory), known(recipe.EntriesKey("/a"), recipe.Entries{"b"})},
		steps: "remove /a",
	},
	{
		name: "a directory that was there", wanted: resource.Directory{Path: "/a"}, before: made,
		now: []recipe.Effect{known(recipe.PathKey("/a"), directory), known(recipe.PathKey(recipe.OriginalPath("/a")), directory)},
	},
	{name: "a line", wanted: resource.Line{Path: "/a", Line: "Port 2222", Key: "Port "}, before: lines("Host a\n"), now: lines("Host a\nPort 2222\n"), steps: "write /a"},
	{name: "a line of a file of its own", wanted: resource.Line{Path: "/a", Line: "Port 2222"}, now: lines("Port 2222\n"), steps: "remove /a"},
	{
		name: "a line that replaced another", wanted: resource.Line{Path: "/a", Line: "Port 2222", Key: "Port "}, before: lines("Port 22\n"), now: lines("Port 2222\n"),
		steps: "write /a",
	},
	{name: "a line that was there", wanted: resource.Line{Path: "/a", Line: "Port 22"}, before: lines("Port 22\n"), now: lines("Port 22\n")},
	{
		name: "a secret line", wanted: resource.Line{Path: "/a", Line: "key hidden", Key: "key ", Secret: true}, before: lines("\n"), now: lines("\nkey hidden\n"),
		steps: "write /a",
	},
	{
		name: "a line that matched another", wanted: resource.Line{Path: "/a", Line: "Port 2222", Match: "^#?Port "}, before: lines("#Port 22\n"), now: lines("Port 2222\n"),
		steps: "write /a",
	},
	{
		name: "a block", wanted: resource.Block{Path: "/a", Name: "b", Text: "ours\n"}, before: lines("theirs\n"),
		now: lines("theirs\n# BEGIN provision b\nours\n# END provision b\n"), steps: "write /a",
	},
	{
		name: "a block of a file of its own", wanted: resource.Block{Path: "/a", Name: "b", Text: "ours\n"},
		now: lines("# BEGIN provision b\nours\n# END provision b\n"), steps: "remove /a",
	},
	{
		name: "a block that was there", wanted: resource.Block{Path: "/a", Name: "b", Text: "ours\n"},
		before: lines("# BEGIN provision b\ntheirs\n# END provision b\n"), now: lines("# BEGIN provision b\nours\n# END provision b\n"), stays: "block b of /a",
	},
	{
		name: "a key", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"}, before: keys("# theirs\n"), now: keys("# theirs\n" + key + "\n"),
		steps: "write /h/.ssh/authorized_keys",
	},
	{name: "a key of a file of its own", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"}, now: keys(key + "\n"), steps: "remove /h/.ssh/authorized_keys"},
	{
		name: "a key that was there restricted", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"}, before: keys("no-pty " + key + "\n"), now: keys(key + "\n"),
		steps: "write /h/.ssh/authorized_keys",
	},
	{name: "a key that was there just so", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"}, before: keys(key + "\n"), now: keys(key + "\n")},
	{
		name: "a key that was there, and that somebody has taken away", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"},
		before: keys("no-pty " + key + "\n"), now: keys("# theirs\n"),
	},
	{name: "a download", wanted: resource.Download{Path: "/a"}, now: ours, steps: "remove /a"},
	{name: "a tree", wanted: resource.Tree{Path: "/a"}, now: made, steps: "remove /a"},
	{name: "a tree that was a directory before", wanted: resource.Tree{Path: "/a"}, before: made, now: made, stays: "tree /a"},
	{name: "an archive", wanted: resource.Archive{Path: "/a"}, now: made, steps: "remove /a"},
	{name: "a commit", wanted: resource.Git{Path: "/a"}, now: made, steps: "remove /a"},
	{name: "a certificate", wanted: resource.Certificate{Path: "/a", Key: "/k"}, now: pair, stays: "certificate /a"},
	{name: "a certificate, purged", wanted: resource.Certificate{Path: "/a", Key: "/k"}, now: append(pair[:2:2], known(recipe.CommandKey("make certificate /a"), recipe.Command{Exit: 1, Output: "replace"})), purge: true, steps: "remove /a; remove /k"},
	{name: "a certificate that was there", wanted: resource.Certificate{Path: "/a", Key: "/k"}, before: pair, now: pair, purge: true},
	{name: "a deb", wanted: resource.Deb{Name: "a1"}, now: installed, stays: "package a1"},
	{name: "a hold", wanted: resource.Hold{Package: "a1"}, before: installed, now: held, steps: "unhold a1"},
	{name: "a hold that was there", wanted: resource.Hold{Package: "a1"}, before: held, now: held},
	{name: "a choice", wanted: resource.Alternative{Name: "editor", Path: "/vim"}, before: chosen("auto", "/nano", "/vim"), now: chosen("manual", "/vim", ""), steps: "choose editor"},
	{name: "a choice over another", wanted: resource.Alternative{Name: "editor", Path: "/vim"}, before: chosen("manual", "/ed", "/vim"), now: chosen("manual", "/vim", "/ed"), steps: "choose editor"},
	{name: "a choice that was made", wanted: resource.Alternative{Name: "editor", Path: "/vim"}, before: chosen("manual", "/vim", "/vim"), now: chosen("manual", "/vim", "/vim")},
	{name: "a choice over one that is not offered any more", wanted: resource.Alternative{Name: "editor", Path: "/vim"}, before: chosen("manual", "/ed", "/vim"), now: chosen("manual", "/vim", ""), steps: "choose editor"},
	{name: "a choice of what nobody offers any more", wanted: resource.Alternative{Name: "editor", Path: "/vim"}, before: chosen("manual", "/ed", "/vim")},
	{
		name: "a source of packages", wanted: resource.Repository{Name: "a"}, now: []recipe.Effect{known(recipe.PathKey("/etc/apt/sources.list.d/a.sources"), file(text))},
		steps: "remove /etc/apt/sources.list.d/a.sources",
	},
	{
		name: "a parameter of the kernel", wanted: resource.Sysctl{Name: "a.b"}, now: []recipe.Effect{known(recipe.PathKey("/etc/sysctl.d/90-a.b.conf"), file(text))},
		steps: "remove /etc/sysctl.d/90-a.b.conf",
	},
	{
		name: "a module", wanted: resource.Module{Name: "a"}, now: []recipe.Effect{known(recipe.PathKey("/etc/modules-load.d/a.conf"), file(text))},
		steps: "remove /etc/modules-load.d/a.conf",
	},
	{
		name: "a hostname", wanted: resource.Hostname{Name: "a"}, before: []recipe.Effect{known(recipe.PathKey("/etc/hostname"), file(old))},
		now:   []recipe.Effect{known(recipe.PathKey("/etc/hostname"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/etc/hostname")), file(old))},
		steps: "restore /etc/hostname",
	},
	{
		name: "a time zone", wanted: resource.Timezone{Name: "Asia/Tokyo"}, before: zone("/usr/share/zoneinfo/Etc/UTC"), now: zone("/usr/share/zoneinfo/Asia/Tokyo"),
		steps: "link /etc/localtime",
	},
	{name: "the only time zone", wanted: resource.Timezone{Name: "Asia/Tokyo"}, now: zone("/usr/share/zoneinfo/Asia/Tokyo"), steps: "remove /etc/localtime"},
	{
		name: "a service", wanted: resource.Service{Unit: "a.service"}, now: []recipe.Effect{known(recipe.UnitKey("a.service"), running)},
		steps: "stop a.service; disable a.service",
	},
	{
		name: "a service that ran before", wanted: resource.Service{Unit: "a.service"},
		before: []recipe.Effect{known(recipe.UnitKey("a.service"), running)}, now: []recipe.Effect{known(recipe.UnitKey("a.service"), running)},
	},
	{
		name: "a service that was off before", wanted: resource.Service{Unit: "a.service"},
		before: []recipe.Effect{known(recipe.UnitKey("a.service"), off)}, now: []recipe.Effect{known(recipe.UnitKey("a.service"), running)},
		steps: "stop a.service; disable a.service",
	},
	{
		name: "a service that was down before, and enabled", wanted: resource.Service{Unit: "a.service"},
		before: []recipe.Effect{known(recipe.UnitKey("a.service"), down)}, now: []recipe.Effect{known(recipe.UnitKey("a.service"), running)},
		steps: "stop a.service",
	},
	{
		name: "a service that ran before, and was not enabled", wanted: resource.Service{Unit: "a.service"},
		before: []recipe.Effect{known(recipe.UnitKey("a.service"), booting)}, now: []recipe.Effect{known(recipe.UnitKey("a.service"), running)},
		steps: "disable a.service",
	},
	{name: "a member", wanted: resource.Membership{User: "u", Group: "g"}, now: member("u"), steps: "gpasswd --delete u g"},
	{name: "one who was a member", wanted: resource.Membership{User: "u", Group: "g"}, before: member("u"), now: member("u")},
	{name: "a package", wanted: resource.Package{Name: "a1"}, now: installed, stays: "package a1"},
	{name: "a package that was there", wanted: resource.Package{Name: "a1"}, before: installed, now: installed, purge: true},
	{name: "a package, purged", wanted: resource.Package{Name: "a1"}, now: installed, purge: true, steps: "purge a1"},
	{name: "an account", wanted: resource.User{Name: "u"}, now: account, stays: "user u"},
	{name: "an account, purged", wanted: resource.User{Name: "u"}, now: account, purge: true, steps: "remove user u"},
	{name: "an account that was there", wanted: resource.User{Name: "u"}, before: account, now: account, purge: true, stays: "user u as it is now"},
	{name: "a group", wanted: resource.Group{Name: "g"}, now: member(), stays: "group g"},
	{name: "a group, purged", wanted: resource.Group{Name: "g"}, now: member(), purge: true, steps: "groupdel g"},
	{name: "a secret", wanted: resource.Secret{Path: "/a"}, now: ours, stays: "secret /a"},
	{name: "a secret, purged", wanted: resource.Secret{Path: "/a"}, now: ours, purge: true, steps: "remove /a"},
	{name: "a command", wanted: resource.Command{Name: "migrate", Unless: "false", Script: "true"}, purge: true, stays: `what the command "migrate" did`},
	{name: "a file that a command makes", wanted: resource.Made{Path: "/a", By: "make"}, before: runs, now: ours, steps: "remove /a"},
	{name: "a secret that a command makes", wanted: resource.Made{Path: "/a", By: "make", Secret: true}, before: runs, now: ours, stays: "secret /a"},
	{name: "a secret that a command makes, purged", wanted: resource.Made{Path: "/a", By: "make", Secret: true}, before: runs, now: ours, purge: true, steps: "remove /a"},
	{name: "a file that a command has not made", wanted: resource.Made{Path: "/a", By: "make"}, now: ours, stays: "no copy is kept of what it was"},
	{name: "a file that a command makes, and that stood there before", wanted: resource.Made{Path: "/a"}, before: ours, stays: "no copy is kept of what it was"},
}

// runs is a command whose guard says that it runs.
var runs = []recipe.Effect{known(recipe.CommandKey("make"), recipe.Command{Exit: 1})}

func zone(target string) []recipe.Effect {
	is := link
	is.Target = target
	return []recipe.Effect{known(recipe.PathKey("/etc/localtime"), is), known(recipe.PathKey("/usr/share/zoneinfo/Etc/UTC"), file(text))}
}

var (
	held      = []recipe.Effect{known(recipe.PackageKey("a1"), recipe.Package{Status: "hi", Version: "1"})}
	pair      = []recipe.Effect{known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey("/k"), file(text))}
	installed = []recipe.Effect{known(recipe.PackageKey("a1"), recipe.Package{Status: "ii", Version: "1"})}
	account   = []recipe.Effect{known(recipe.UserKey("u"), recipe.User{Exists: true, Group: "u"})}
)

var (
	ours   = []recipe.Effect{known(recipe.PathKey("/a"), file(text))}
	theirs = []recipe.Effect{known(recipe.PathKey("/a"), file(old))}
	over   = []recipe.Effect{known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/a")), file(old))}
	made   = []recipe.Effect{known(recipe.PathKey("/a"), directory)}
)

// conffile is one over which ours stands: its digest in the package as it was then, and in that of now.
func conffile(then, now string) []recipe.Effect {
	return append(over[:2:2], known(recipe.ContentKey(recipe.ShippedPath("/a")), recipe.Content{Bytes: []byte(then)}),
		known(recipe.OwnerKey("/a"), recipe.Owner{Package: "a", Conffile: true, Digest: now}))
}

func lines(content string) []recipe.Effect { return holds("/a", content) }

func keys(content string) []recipe.Effect { return holds("/h/.ssh/authorized_keys", content) }

func holds(path, content string) []recipe.Effect {
	return []recipe.Effect{known(recipe.PathKey(path), file(content)), known(recipe.ContentKey(path), recipe.Content{Bytes: []byte(content)})}
}

// chosen is what update-alternatives says of the name editor.
func chosen(status, value, offered string) []recipe.Effect {
	said := "Status: " + status + "\nBest: /nano\nValue: " + value
	if offered != "" {
		said += "\nAlternative: " + offered
	}
	return []recipe.Effect{known(recipe.CommandKey("choose editor"), recipe.Command{Output: said})}
}

func member(names ...string) []recipe.Effect {
	return []recipe.Effect{known(recipe.GroupKey("g"), recipe.Group{Exists: true, Members: names})}
}

func facts(effects []recipe.Effect) recipe.Facts {
	all := recipe.Facts{}
	all.Apply(effects)
	return all
}
