package resource

import (
	"fmt"
	"path"
	"slices"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Releases are the versions of an application that were deployed to a host: a directory for each, and a
// link to the one that runs.
//
//	Releases{Home: "/opt/shop", File: "shop", Keep: 5}
type Releases struct {
	Task   string // which deploys it, for what is told
	Home   string // has the directory releases and the link current
	File   string // the name of what is deployed, in a release's directory
	Unpack bool   // it is a tar archive, and a release what is in it
	Keep   int    // so many are kept, with the one that is deployed
}

// Current is the link to the release that runs.
func (s Releases) Current() string { return s.Home + "/current" }

func (s Releases) directory() string { return s.Home + "/releases" }

// Of is the directory of a release.
func (s Releases) Of(release recipe.Release) string { return s.directory() + "/" + release.Version }

// Deployed says how they lie.
func (s Releases) Deployed() *recipe.Deployed {
	return &recipe.Deployed{Releases: s.directory(), Current: s.Current()}
}

// Validate refuses what cannot be meant.
func (s Releases) Validate() error {
	what := "releases in " + s.Home
	if err := checkPath("releases", s.Home); err != nil {
		return err
	}
	if err := checkOwn(what, s.Home); err != nil {
		return err
	}
	switch {
	case path.Base(s.File) != s.File || s.File == "." || s.File == "..":
		return fmt.Errorf("%s: %q is no name of a file", what, s.File)
	case s.Keep < 2 || s.Keep > 1000: // the one that runs stays until the next does
		return fmt.Errorf("%s: %d cannot be kept: 2 at least, the one that runs and the next", what, s.Keep)
	}
	return checkPath(what, "/"+s.File)
}

// AddDirectories adds what all releases are in.
func (s Releases) AddDirectories(r *recipe.Recipe) {
	for _, directory := range []string{s.Home, s.directory()} {
		r.Add(Directory{Path: directory, Data: true})
	}
}

// Add brings a release, and makes room for it. Which one runs is Link's.
func (s Releases) Add(r *recipe.Recipe, release recipe.Release, arch string) error {
	if release.Present {
		r.Add(presentRelease{Task: s.Task, Paths: s.complete(release), Version: release.Version})
		r.Add(s.makeRoom(release))
		return nil
	}
	artifact, err := release.Artifact(arch)
	if err != nil {
		return err
	}
	r.Add(s.makeRoom(release))
	r.Add(Directory{Path: s.Of(release)})
	r.Add(Artifact{Path: s.Of(release) + "/" + s.File, Artifact: artifact})
	if s.Unpack {
		r.Add(s.unpack(release))
	}
	return nil
}

// AddCommit is Add for a release that the host fetches itself: its version is a commit's name, or how
// that begins. It needs the package git.
func (s Releases) AddCommit(r *recipe.Recipe, release recipe.Release, url, commit string) {
	r.Add(s.makeRoom(release))
	r.Add(Git{Path: s.Of(release), URL: url, Commit: commit})
}

// complete are files of which one is there when all of a release is.
func (s Releases) complete(release recipe.Release) []string {
	if s.Unpack {
		return []string{s.unpacked(release), s.Of(release) + "/" + recipe.GitHead}
	}
	return []string{s.Of(release) + "/" + s.File}
}

// Link makes a release the one that runs.
func (s Releases) Link(release recipe.Release) Link {
	return Link{Path: s.Current(), Target: path.Base(s.directory()) + "/" + release.Version}
}

func (s Releases) unpacked(release recipe.Release) string { return s.Of(release) + "/.unpacked" }

// unpack takes out of the archive what is in it, as root's: nobody else may write to it, and no program of it
// makes another root (tar(1): for root --same-permissions is the default). Devices are not made: root may
// not either, without the capability (capabilities(7), CAP_MKNOD).
func (s Releases) unpack(release recipe.Release) Command {
	header := "directory=" + script.Quote(s.Of(release)) + " file=" + script.Quote(s.File) + "\n"
	return Command{
		Name:    "unpack release " + release.Version,
		Changes: []recipe.Key{},
		Reads:   []recipe.Key{recipe.PathKey(s.Of(release) + "/" + s.File), recipe.PathKey(s.unpacked(release))},
		Unless:  header + `[ -f "$directory/.unpacked" ]`,
		Script: header + `set -eu
umask 022
cd "$directory"
setpriv --bounding-set -mknod tar -x --no-same-owner --no-same-permissions -f "./$file"
sync -f .
touch .unpacked`,
	}
}

// makeRoom removes the releases that were deployed the longest ago, so that with this one
// there are as many as are kept; never the one that runs. In which order they came stands
// in a file: the times of directories change.
func (s Releases) makeRoom(release recipe.Release) Command {
	header := fmt.Sprintf("releases=%s version=%s others=%d\norder=$releases/.order\n",
		script.Quote(s.directory()), script.Quote(release.Version), s.Keep-1) + `count() { find "$releases" -mindepth 1 -maxdepth 1 -type d ! -name "$version" | wc -l; }
`
	return Command{
		Name:    "make room for release " + release.Version,
		Changes: []recipe.Key{},
		// Not the directory: that it is made does not change the answer.
		Reads:  []recipe.Key{recipe.PathKey(s.directory() + "/.order")},
		Unless: header + `[ "$(tail -n 1 "$order" 2>/dev/null)" = "$version" ] && [ "$(count)" -le "$others" ]`,
		Script: header + `set -eu
touch "$order"
current=$(readlink ` + script.Quote(s.Current()) + ` || :)
current=${current##*/}
# Oldest first: those that the file does not know, then the file's.
for release in $(cd "$releases" && ls | grep -vxF -f "$order") $(cat "$order"); do
	[ "$(count)" -gt "$others" ] || break
	case $release in "$version" | "$current" | */*) continue ;; esac
	rm -rf "${releases:?}/$release"
done
{
	while read -r release; do
		[ "$release" = "$version" ] || [ ! -d "$releases/$release" ] || printf '%s\n' "$release"
	done <"$order"
	printf '%s\n' "$version"
} >"$order.new"
mv -T "$order.new" "$order"`,
	}
}

// presentRelease is a release that the host has to have.
type presentRelease struct {
	Task, Version string
	Paths         []string // one of these is there
}

// ID implements recipe.Resource.
func (p presentRelease) ID() string { return "release:" + p.Version }

// Probes implements recipe.Resource.
func (p presentRelease) Probes() []recipe.Probe {
	var probes []recipe.Probe
	for _, path := range p.Paths {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(path)})
	}
	return probes
}

// Diff implements recipe.Resource.
func (p presentRelease) Diff(facts recipe.Facts) (recipe.Change, error) {
	if !slices.ContainsFunc(p.Paths, func(path string) bool { return facts.Path(path).Type == recipe.PathFile }) {
		return recipe.Change{}, fmt.Errorf("release %s: is not on the host: provision releases %s lists those that are", p.Version, p.Task)
	}
	return recipe.Change{}, nil
}
