package main

import (
	"cmp"
	"runtime/debug"
)

// version is the linker's, of a build that has another than its module: -ldflags "-X
// main.version=…". A deploy from a source tree has the digest of that.
var version string

// unstamped is the version of a build that says nothing of where it is from, as go test.
const unstamped = "development"

// programVersion is this program's: the linker's, or the module's as the go command stamped it.
func programVersion() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(version, info)
}

func versionOf(linked string, info *debug.BuildInfo) string {
	stamped := ""
	if info != nil && info.Main.Version != "(devel)" {
		stamped = info.Main.Version
	}
	return cmp.Or(linked, stamped, unstamped)
}
