package resource

import (
	"archive/tar"
	"os"
	"os/exec"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// What an archive brings is root's: nobody becomes root by it, or writes to it, whatever modes it has there.
func TestReleaseIsUnpackedWithoutItsDangerousModes(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("for others tar does so by itself")
	}
	home := t.TempDir()
	releases := Releases{Home: home, File: "release.tar", Unpack: true, Keep: 2}
	release := recipe.Release{Version: "a"}
	if err := os.MkdirAll(releases.Of(release), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(releases.Of(release) + "/release.tar")
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(file)
	for _, header := range []tar.Header{
		{Name: "tool", Mode: 0o6755, Typeflag: tar.TypeReg}, {Name: "shared", Mode: 0o666, Typeflag: tar.TypeReg}, {Name: "folder/", Mode: 0o2777, Typeflag: tar.TypeDir},
	} {
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	if said, err := exec.Command("sh", "-c", "umask 077\n"+releases.unpack(release).Script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	modes, err := exec.Command("stat", "-c", "%n %a", releases.Of(release)+"/tool", releases.Of(release)+"/shared", releases.Of(release)+"/folder").Output()
	if want := "/tool 755\n/shared 644\n/folder 755\n"; err != nil || strings.ReplaceAll(string(modes), releases.Of(release), "") != want {
		t.Errorf("%v: modes %q, want %q", err, modes, want)
	}
}
