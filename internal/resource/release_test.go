package resource

import (
	"archive/tar"
	"os"
	"os/exec"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// packed writes an archive for a release, and returns what unpacks it there.
func packed(t *testing.T, headers ...tar.Header) (directory, script string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("for others tar does so by itself")
	}
	releases := Releases{Home: t.TempDir(), File: "release.tar", Unpack: true, Keep: 2}
	release := recipe.Release{Version: "a"}
	if err := os.MkdirAll(releases.Of(release), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(releases.Of(release) + "/release.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := tar.NewWriter(file)
	for _, header := range headers {
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return releases.Of(release), "umask 077\n" + releases.unpack(release).Script
}

// An archive may have the device of a disk in it, open to all: none is made.
func TestReleaseBringsNoDevices(t *testing.T) {
	directory, script := packed(t, tar.Header{Name: "disk", Mode: 0o666, Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3})
	if said, err := exec.Command("sh", "-c", script).CombinedOutput(); err == nil {
		t.Errorf("it is unpacked: %s", said)
	}
	if _, err := os.Lstat(directory + "/disk"); err == nil {
		t.Error("the device is there")
	}
}

// What an archive brings is root's: nobody becomes root by it, or writes to it, whatever modes it has there.
func TestReleaseIsUnpackedWithoutItsDangerousModes(t *testing.T) {
	directory, script := packed(t, tar.Header{Name: "tool", Mode: 0o6755, Typeflag: tar.TypeReg},
		tar.Header{Name: "shared", Mode: 0o666, Typeflag: tar.TypeReg}, tar.Header{Name: "folder/", Mode: 0o2777, Typeflag: tar.TypeDir})
	if said, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	modes, err := exec.Command("stat", "-c", "%n %a", directory+"/tool", directory+"/shared", directory+"/folder").Output()
	if want := "/tool 755\n/shared 644\n/folder 755\n"; err != nil || strings.ReplaceAll(string(modes), directory, "") != want {
		t.Errorf("%v: modes %q, want %q", err, modes, want)
	}
}
