package main

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	stamps := func(version string, pairs ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{Main: debug.Module{Path: "provision", Version: version}}
		for i := 0; i < len(pairs); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: pairs[i], Value: pairs[i+1]})
		}
		return info
	}
	const revision = "33cd5bca07880c112be64e7cd5d75c0556b91290"
	for _, c := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"a release", stamps("v1.2.3", "vcs.revision", revision, "vcs.modified", "false"), "v1.2.3"},
		{"a commit", stamps("v0.0.0-20261124181910-33cd5bca0788+dirty", "vcs.revision", revision), "v0.0.0-20261124181910-33cd5bca0788+dirty"},
		{"a revision without a module's version", stamps("(devel)", "vcs", "git", "vcs.revision", revision, "vcs.modified", "false"), "33cd5bca0788"},
		{"a changed one", stamps("(devel)", "vcs.revision", revision, "vcs.modified", "true"), "33cd5bca0788+dirty"},
		{"a short one", stamps("", "vcs.revision", "42", "vcs.modified", "false"), "42"},
		{"nothing", stamps("(devel)", "GOOS", "linux"), "dev"},
	} {
		if got := versionOf(c.info); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
