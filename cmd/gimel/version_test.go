package main

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	of := func(version string) *debug.BuildInfo { return &debug.BuildInfo{Main: debug.Module{Version: version}} }
	for _, c := range []struct {
		name, linked string
		info         *debug.BuildInfo
		want         string
	}{
		{"go install MODULE@v1.2.3", "", of("v1.2.3"), "v1.2.3"},
		{"a deploy's build", "0a1b2c3d4e5f", of("(devel)"), "0a1b2c3d4e5f"},
		{"the linker's goes first", "0a1b2c3d4e5f", of("v1.2.3"), "0a1b2c3d4e5f"},
		{"go test", "", of("(devel)"), "development"},
		{"nothing", "", nil, "development"},
	} {
		if got := versionOf(c.linked, c.info); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
