package tasks

import (
	"errors"
	"fmt"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

// webappDeployed says how releases lie, for the verbs that ask only about these.
func webappDeployed() *recipe.Deployed {
	of := func(instance string) recipe.Deployed {
		deployed := *resource.Releases{Home: "/srv/" + webappNamed(instance)}.Deployed()
		deployed.Fetches = true
		return deployed
	}
	deployed := of("")
	deployed.Instance = of
	return &deployed
}

func (w webapp) releases() resource.Releases {
	return resource.Releases{
		Task: w.Named(webappName), Home: w.home(), File: "release.tar", Unpack: true, Keep: w.Vars.Int("keep_releases"),
	}
}

// release is what a deploy brings; false: nothing, and what is there stays.
func (w webapp) release() (release recipe.Release, fetched, deploys bool) {
	if w.Release == nil {
		return recipe.Release{}, false, false
	}
	release = *w.Release
	fetched = !release.Present && release.Artifact == nil
	if commit := w.Vars.String("commit"); fetched && commit != "" {
		release.Version = commit[:12]
	}
	return release, fetched, true
}

// addRelease brings a release with what it imports, and makes room for it.
func (w webapp) addRelease(r *recipe.Recipe) error {
	release, fetched, deploys := w.release()
	switch {
	case !deploys:
		return nil
	case fetched && release.Version == "":
		task := w.Named(webappName)
		return errors.New("there is nothing to deploy: add --artifact FILE, a tar of the application, or set " + task + ".repository and " + task + ".commit")
	case fetched:
		w.releases().AddCommit(r, release, w.Vars.String("repository"), w.Vars.String("commit"))
	default:
		if err := w.releases().Add(r, release, w.System.Arch); err != nil {
			return err
		}
	}
	if w.Vars.String("requirements") != "" && !release.Present {
		r.Add(w.virtualenv(release, fetched))
	}
	return nil
}

// pinnedWheels refuses requirements that are more than versions with digests, and where they come from: an
// option there overrides pip's --only-binary, a URL is not held to it, and sources are built by their own
// program, as root. pip ends lines also where other characters than a newline stand (str.splitlines).
const pinnedWheels = `odd=$({
	LC_ALL=C grep -n '[^ -~	]' -- "$requirements" || :
	sed -E 's/(^|[[:space:]])#.*//' -- "$requirements" | LC_ALL=C grep -nvE \
		-e '^[[:space:]]*(--hash=sha(256|384|512):[0-9a-f]+[[:space:]]*\\?)?$' \
		-e '^(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)[ =][A-Za-z0-9._~:/?&=%+@,-]+[[:space:]]*$' \
		-e '^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]*\])?[[:space:]]*==[[:space:]]*[A-Za-z0-9.+!_]+([[:space:]]*;[^-\\]*)?([[:space:]]+--hash=sha(256|384|512):[0-9a-f]+)*[[:space:]]*\\?$'
} | head -n 1)
[ -z "$odd" ] || { echo "$requirements:$odd: must be a version with its hashes, as pip-compile --generate-hashes writes it" >&2; exit 1; }`

// virtualenv makes a release's own environment of Python, with what its requirements name. They have
// the digest of each file, and are wheels: of these nothing is run while they are installed. What the
// release brings in its folder wheels is not asked for elsewhere. Debian's packages are seen in it. This is
// root's Python, so it is isolated (-I): a module of the release that is called as one of its own is not it.
func (w webapp) virtualenv(release recipe.Release, fetched bool) resource.Command {
	directory := w.releases().Of(release)
	header := fmt.Sprintf("directory=%s requirements=%s\n", script.Quote(directory), script.Quote(w.Vars.String("requirements")))
	brought := directory + "/.unpacked"
	if fetched {
		brought = directory + "/" + recipe.GitHead
	}
	return resource.Command{
		Name:    "make the virtual environment of " + w.name() + "'s release " + release.Version,
		Changes: []recipe.Key{},
		Reads:   []recipe.Key{recipe.PathKey(brought), recipe.PackageKey("python3-venv")},
		Unless:  header + `[ -s "$directory/.virtualenv/.made" ] && [ "$(cat "$directory/.virtualenv/.made")" = "$(sha256sum <"$directory/$requirements")" ]`,
		Script: header + `set -eu
umask 022
cd "$directory"
[ -f "$requirements" ] || { echo "$requirements is not in the release" >&2; exit 1; }
# A link might lead root anywhere, and what is odd there would be told.
[ "$(readlink -f -- "$requirements")" = "$(pwd -P)/$requirements" ] || { echo "$requirements: must be a file of the release, and no link" >&2; exit 1; }
` + pinnedWheels + `
rm -rf .virtualenv
python3 -I -m venv --system-site-packages .virtualenv
if [ -d wheels ]; then set -- --no-index --find-links wheels; else set --; fi
.virtualenv/bin/python -I -m pip install --quiet --no-input --disable-pip-version-check --no-cache-dir --require-hashes --only-binary :all: "$@" -r "$requirements"
sync -f .
sha256sum <"$requirements" >.virtualenv/.made`,
	}
}
