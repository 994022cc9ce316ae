package memory_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"provision/internal/memory"
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
	{name: "a file", wanted: resource.File{Path: "/a", Content: text}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, steps: "remove /a"},
	{
		name: "a file over another", wanted: resource.File{Path: "/a", Content: text},
		before: []recipe.Effect{known(recipe.PathKey("/a"), file(old))},
		now:    []recipe.Effect{known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/a")), file(old))},
		steps:  "restore /a",
	},
	{
		name: "a file that was there just so", wanted: resource.File{Path: "/a", Content: text},
		before: []recipe.Effect{known(recipe.PathKey("/a"), file(text))},
		now:    []recipe.Effect{known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/a")), file(text))},
	},
	{
		name: "a file that replaced what no copy is kept of", wanted: resource.File{Path: "/a", Content: text, Secret: true},
		before: []recipe.Effect{known(recipe.PathKey("/a"), file(old))}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))},
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
		before: []recipe.Effect{known(recipe.PathKey("/a"), file(old))},
		now: []recipe.Effect{
			known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/a")), file(old)),
			known(recipe.ContentKey(recipe.ShippedPath("/a")), recipe.Content{Bytes: []byte("older")}),
			known(recipe.OwnerKey("/a"), recipe.Owner{Package: "a", Conffile: true, Digest: "newer"}),
		},
		steps: "restore /a of a",
	},
	{
		name: "a conffile as its package had it, and has it still", wanted: resource.File{Path: "/a", Content: text},
		before: []recipe.Effect{known(recipe.PathKey("/a"), file(old))},
		now: []recipe.Effect{
			known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/a")), file(old)),
			known(recipe.ContentKey(recipe.ShippedPath("/a")), recipe.Content{Bytes: []byte("same")}),
			known(recipe.OwnerKey("/a"), recipe.Owner{Package: "a", Conffile: true, Digest: "same"}),
		},
		steps: "restore /a",
	},
	{
		name: "a conffile that somebody had changed", wanted: resource.File{Path: "/a", Content: text},
		before: []recipe.Effect{known(recipe.PathKey("/a"), file(old))},
		now: []recipe.Effect{
			known(recipe.PathKey("/a"), file(text)), known(recipe.PathKey(recipe.OriginalPath("/a")), file(old)),
			known(recipe.OwnerKey("/a"), recipe.Owner{Package: "a", Conffile: true, Digest: "newer"}),
		},
		steps: "restore /a",
	},
	{
		name: "a file that was taken away", wanted: resource.File{Path: "/a", Absent: true},
		before: []recipe.Effect{known(recipe.PathKey("/a"), file(old))}, now: []recipe.Effect{known(recipe.PathKey(recipe.OriginalPath("/a")), file(old))},
		steps: "restore /a",
	},
	{name: "a file that was not there to be taken away", wanted: resource.File{Path: "/a", Absent: true}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(old))}},
	{name: "an artifact", wanted: resource.Artifact{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, steps: "remove /a"},
	{name: "a link", wanted: resource.Link{Path: "/a", Target: "there"}, now: []recipe.Effect{known(recipe.PathKey("/a"), link)}, steps: "remove /a"},
	{name: "a directory", wanted: resource.Directory{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), directory)}, steps: "remove /a"},
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
		name: "a directory that was there", wanted: resource.Directory{Path: "/a"}, before: []recipe.Effect{known(recipe.PathKey("/a"), directory)},
		now: []recipe.Effect{known(recipe.PathKey("/a"), directory), known(recipe.PathKey(recipe.OriginalPath("/a")), directory)},
	},
	{
		name: "a line", wanted: resource.Line{Path: "/a", Line: "Port 2222", Key: "Port "}, before: lines("Host a\n"), now: lines("Host a\nPort 2222\n"),
		steps: "write /a",
	},
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
	{
		name: "a key of a file of its own", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"}, now: keys(key + "\n"),
		steps: "remove /h/.ssh/authorized_keys",
	},
	{
		name: "a key that was there restricted", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"}, before: keys("no-pty " + key + "\n"), now: keys(key + "\n"),
		steps: "write /h/.ssh/authorized_keys",
	},
	{name: "a key that was there just so", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"}, before: keys(key + "\n"), now: keys(key + "\n")},
	{
		name: "a key that was there, and that somebody has taken away", wanted: resource.AuthorizedKey{User: "u", Key: key, Home: "/h"},
		before: keys("no-pty " + key + "\n"), now: keys("# theirs\n"),
	},
	{name: "a download", wanted: resource.Download{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, steps: "remove /a"},
	{name: "a tree", wanted: resource.Tree{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), directory)}, steps: "remove /a"},
	{
		name: "a tree that was a directory before", wanted: resource.Tree{Path: "/a"}, before: []recipe.Effect{known(recipe.PathKey("/a"), directory)},
		now: []recipe.Effect{known(recipe.PathKey("/a"), directory)}, stays: "tree /a",
	},
	{name: "an archive", wanted: resource.Archive{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), directory)}, steps: "remove /a"},
	{name: "a commit", wanted: resource.Git{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), directory)}, steps: "remove /a"},
	{name: "a certificate", wanted: resource.Certificate{Path: "/a", Key: "/k"}, now: pair, stays: "certificate /a"},
	{name: "a certificate, purged", wanted: resource.Certificate{Path: "/a", Key: "/k"}, now: append(pair[:2:2], known(recipe.CommandKey("make certificate /a"), recipe.Command{Exit: 1, Output: "replace"})), purge: true, steps: "remove /a; remove /k"},
	{name: "a certificate that was there", wanted: resource.Certificate{Path: "/a", Key: "/k"}, before: pair, now: pair, purge: true},
	{name: "a deb", wanted: resource.Deb{Name: "a1"}, now: installed, stays: "package a1"},
	{name: "a hold", wanted: resource.Hold{Package: "a1"}, before: installed, now: held, steps: "unhold a1"},
	{name: "a hold that was there", wanted: resource.Hold{Package: "a1"}, before: held, now: held},
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
	{
		name: "an account that was there", wanted: resource.User{Name: "u"}, before: account, now: account, purge: true,
		stays: "user u as it is now",
	},
	{name: "a group", wanted: resource.Group{Name: "g"}, now: member(), stays: "group g"},
	{name: "a group, purged", wanted: resource.Group{Name: "g"}, now: member(), purge: true, steps: "groupdel g"},
	{name: "a secret", wanted: resource.Secret{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, stays: "secret /a"},
	{name: "a secret, purged", wanted: resource.Secret{Path: "/a"}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, purge: true, steps: "remove /a"},
	{name: "a command", wanted: resource.Command{Name: "migrate", Unless: "false", Script: "true"}, purge: true, stays: `what the command "migrate" did`},
	{name: "a file that a command makes", wanted: resource.Made{Path: "/a", By: "make"}, before: runs, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, steps: "remove /a"},
	{name: "a secret that a command makes", wanted: resource.Made{Path: "/a", By: "make", Secret: true}, before: runs, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, stays: "secret /a"},
	{name: "a secret that a command makes, purged", wanted: resource.Made{Path: "/a", By: "make", Secret: true}, before: runs, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, purge: true, steps: "remove /a"},
	{name: "a file that a command has not made", wanted: resource.Made{Path: "/a", By: "make"}, now: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, stays: "no copy is kept of what it was"},
	{name: "a file that a command makes, and that stood there before", wanted: resource.Made{Path: "/a"}, before: []recipe.Effect{known(recipe.PathKey("/a"), file(text))}, stays: "no copy is kept of what it was"},
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

func lines(content string) []recipe.Effect { return holds("/a", content) }

func keys(content string) []recipe.Effect { return holds("/h/.ssh/authorized_keys", content) }

func holds(path, content string) []recipe.Effect {
	return []recipe.Effect{known(recipe.PathKey(path), file(content)), known(recipe.ContentKey(path), recipe.Content{Bytes: []byte(content)})}
}

func member(names ...string) []recipe.Effect {
	return []recipe.Effect{known(recipe.GroupKey("g"), recipe.Group{Exists: true, Members: names})}
}

func facts(effects []recipe.Effect) recipe.Facts {
	all := recipe.Facts{}
	all.Apply(effects)
	return all
}

// Each kind, noted, read again and no longer wanted, leaves as its row says; then it is gone, and
// nothing is left to do.
func TestEachKindLeaves(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			remembered := kind.wanted.(recipe.Remembered)
			trace, before := remembered.Trace(), remembered.Stood(facts(kind.before))
			trace.Before = &before
			noted := memory.Memory{Head: memory.Head{Task: "a"}, Traces: []recipe.Trace{trace}}.Text()
			if strings.Contains(noted, "hidden") || strings.Contains(noted, "ours") {
				t.Errorf("content is noted: %s", noted)
			}
			read, err := memory.Parse("a", noted)
			if err != nil {
				t.Fatal(err)
			}
			leaving := resource.Leaving{Traces: read.Traces, Purge: kind.purge}
			gone, stays := leaving.Resource(read.Traces[0])
			var titles []string
			if gone != nil {
				now := facts(kind.now)
				titles = settles(t, gone, now)
				if says, ok := gone.(interface{ Stays(recipe.Facts) string }); ok && len(titles) == 0 {
					stays = says.Stays(now)
				}
			}
			if strings.Join(titles, "; ") != kind.steps || stays != kind.stays {
				t.Errorf("steps %q, stays %q; want %q, %q", titles, stays, kind.steps, kind.stays)
			}
		})
	}
}

// Of each kind, what is not known to be ours stays, and that is said.
func TestWhatIsNotKnownToBeOursStays(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			trace := kind.wanted.(recipe.Remembered).Trace()
			gone, stays := resource.Leaving{Traces: []recipe.Trace{trace}, Purge: true}.Resource(trace)
			if gone != nil {
				if titles := settles(t, gone, facts(kind.now)); len(titles) > 0 {
					t.Errorf("steps %q", titles)
				}
			}
			if stays == "" && !trace.Gone || strings.Contains(stays, "hidden") {
				t.Errorf("stays %q", stays)
			}
		})
	}
}

// What stands alone at its path is so to all: to what is wanted there instead, and to a run that has to
// keep what it takes the place of.
func TestWhatIsAtAPathIsFoundThere(t *testing.T) {
	for _, kind := range kinds {
		trace := kind.wanted.(recipe.Remembered).Trace()
		path, whole := resource.At(trace)
		if alone := strings.HasPrefix(trace.Identity(), "path:"); whole != alone || alone && path != trace.Name {
			t.Errorf("%s: at %q, whole %v; it is %s", kind.name, path, whole, trace.Identity())
		}
	}
}

// settles returns the titles of what a resource changes, after which it has to want nothing.
func settles(t *testing.T, gone recipe.Resource, now recipe.Facts) []string {
	t.Helper()
	change, err := gone.Diff(now)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, step := range change.Steps {
		titles = append(titles, step.Title())
	}
	now.Apply(change.Effects())
	for _, probe := range gone.Probes() {
		if now[probe.Key].Until != "" {
			return titles
		}
	}
	if again, err := gone.Diff(now); err != nil || !again.Empty() {
		t.Errorf("after its own change it wants %+v, %v", again, err)
	}
	return titles
}

// forgotten are the kinds of which nothing is remembered.
var forgotten = []string{
	"Kept",                                                                                       // of a rollback
	"Former", "FormerDirectory", "FormerLine", "FormerKey", "FormerCommand", "FormerCertificate", // what leaves
	"Standing",       // a service that takes in what leaves
	"packageLists",   // of an upgrade
	"presentRelease", // of a deploy
	"Action",         // which is no state
}

// A new kind says how it is remembered, and has a row above.
func TestEveryKindIsRemembered(t *testing.T) {
	files, err := filepath.Glob("../resource/*.go")
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil {
				if name, ok := function.Recv.List[0].Type.(*ast.Ident); ok {
					methods[name.Name] = append(methods[name.Name], function.Name.Name)
				}
			}
		}
	}
	var rows []string
	for _, kind := range kinds {
		rows = append(rows, strings.TrimPrefix(fmt.Sprintf("%T", kind.wanted), "resource."))
	}
	for kind, has := range methods {
		if !slices.Contains(has, "Diff") || slices.Contains(forgotten, kind) {
			continue
		}
		if !slices.Contains(has, "Trace") || !slices.Contains(has, "Stood") {
			t.Errorf("%s does not say how it is remembered: Trace and Stood, see trace.go", kind)
		}
		if !slices.Contains(rows, kind) {
			t.Errorf("%s has no row in kinds that says how it leaves", kind)
		}
	}
}
