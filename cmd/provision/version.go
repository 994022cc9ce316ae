package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(out console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "which version of provision this is",
		Args:  arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(out.out, "provision version "+version()) // as --version
			return err
		},
	}
}

// version is this program's, as the go command stamped it: for --version, saved plans and the
// journals of hosts.
func version() string {
	info, stamped := debug.ReadBuildInfo()
	if !stamped {
		return unstamped
	}
	return versionOf(info)
}

// unstamped is the version of a build that says nothing of where it is from: go test,
// -buildvcs=false, a git worktree.
const unstamped = "dev"

// revisionDigits is how much of a revision the go command has in a version of its own.
const revisionDigits = 12

// versionOf returns the module's version: a tag, or since Go 1.24 the time and revision of
// the source, with +dirty where that was changed (go.dev/ref/mod, pseudo-versions); else the
// revision alone.
func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	stamps := map[string]string{}
	for _, setting := range info.Settings {
		stamps[setting.Key] = setting.Value
	}
	revision := stamps["vcs.revision"]
	if revision == "" {
		return unstamped
	}
	revision = revision[:min(len(revision), revisionDigits)]
	if stamps["vcs.modified"] == "true" {
		revision += "+dirty"
	}
	return revision
}
