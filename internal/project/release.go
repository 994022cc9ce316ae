package project

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// This file is of tasks that deploy: where their releases are is known before a build, for the verbs
// that ask only about these.

const releaseWord = "release"

func (s *script) readReleases() error {
	value, there := s.file.globals[releasesName]
	if !there {
		return nil
	}
	const example = `releases = "/opt/shop"`
	home, ok := starlark.AsString(value)
	if !ok {
		return s.refuse(releasesName, "releases: want the directory that they are in, found "+value.Type(), example)
	}
	if !strings.HasPrefix(home, "/") || home == "/" || path.Clean(home) != home {
		return s.refuse(releasesName, fmt.Sprintf("releases: %q is no clean absolute path", home), example)
	}
	s.releases = home
	return nil
}

// hasRelease refuses a task that says where its releases are, and brings none of a deploy.
func (s *script) hasRelease(things []*thing) error {
	if s.releases == "" || slices.ContainsFunc(things, func(t *thing) bool { return t.word.Name == releaseWord }) {
		return nil
	}
	return s.refuse(releasesName, "releases: build returns no release(…), and provision deploy would bring nothing", "release(\"shop\", notify = restart(\"shop.service\")) in the list of build")
}

// ownsReleases refuses what else is wanted at the link or among the releases, which are a deploy's: also in a
// build without one, so that it is told before the first.
func (s *script) ownsReleases(things []*thing) error {
	if s.releases == "" {
		return nil
	}
	for _, t := range things {
		for _, item := range t.items {
			placed, ok := item.Resource.(recipe.Placed)
			if t.word.Name != releaseWord && ok && (placed.Place() == s.releases+"/current" || strings.HasPrefix(placed.Place(), s.releases+"/releases/")) {
				return &recipe.SourceError{
					At: t.at, Problem: fmt.Sprintf("%s: is among the releases of this task, which a deploy brings", placed.Place()),
					Advice: "leave it out: release(…) makes the link current itself; or another place beside it",
				}
			}
		}
	}
	return nil
}

// releaseKind is what a deploy brings.
func releaseKind() *Word {
	return resources(Word{
		Name: releaseWord, Manual: "tar(1)",
		About: "The releases of an application, which provision deploy TASK --artifact FILE brings, into the directory that releases = \"/opt/shop\" names above build: each is a directory in its releases, and its link current leads to the one that runs. " +
			"A deploy brings one beside those that are there, takes away those that were deployed the longest ago, and changes the link, which notifies; a service that does not survive that gets the link of before. " +
			"provision install leaves the release alone, and on a host without one there is none: a service with needs = releases + \"/current\" waits for it. provision rollback TASK --to RELEASE goes back.",
		Leaves:  "The releases and the link stay; remove --purge takes them, where the directory came for a task.",
		Example: "release(\"shop.tar.gz\", unpack = True, keep = 3, notify = restart(\"shop.service\"))",
		Parameters: []Parameter{
			required(text("file", "The name that the artifact has in a release's directory.")),
			byName(truth("unpack", "The artifact is a tar archive, and the release is what is in it; all of it is root's.")),
			byName(or(positive("keep", "So many releases are kept, with the one that is deployed: 2 at least."), "5")),
		},
	}, func(c *call, r *recipe.Recipe, notifies []recipe.Notification) error {
		if c.releases == "" {
			return plain("does not say where the releases are", "releases = \"/opt/shop\" above build")
		}
		s := resource.Releases{Task: c.task, Home: c.releases, File: given[string](c, "file"), Unpack: given[bool](c, "unpack"), Keep: 5}
		if c.has("keep") {
			s.Keep = given[int](c, "keep")
		}
		if err := s.Validate(); err != nil {
			return err
		}
		s.AddDirectories(r)
		if c.in.Release == nil {
			return nil
		}
		if err := s.Add(r, *c.in.Release, c.in.System.Arch); err != nil {
			return err
		}
		r.Add(s.Link(*c.in.Release), notifies...)
		return nil
	})
}
