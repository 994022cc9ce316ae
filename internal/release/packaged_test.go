package release

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFromPackage(t *testing.T) {
	root := t.TempDir()
	dir := PackagedIn(filepath.Join(root, "bin", "provision"))
	if want := filepath.Join(root, "lib", "provision"); dir != want {
		t.Fatalf("in %s, want %s", dir, want)
	}
	if _, err := FromPackage(dir, "gimel"); !errors.Is(err, ErrNotPackaged) {
		t.Errorf("without a package: error %v", err)
	}
	write(t, filepath.Join(dir, "gimel-amd64"), "one")
	write(t, filepath.Join(dir, "gimel-arm64"), "other one")
	write(t, filepath.Join(dir, "gimlet-amd64"), "another program")
	made, err := FromPackage(dir, "gimel")
	if err != nil {
		t.Fatal(err)
	}
	for arch, size := range map[string]int64{"amd64": 3, "arm64": 9, "": 3} {
		if artifact, err := made.Artifact(arch); err != nil || artifact.Size != size {
			t.Errorf("for %q: %d bytes, error %v", arch, artifact.Size, err)
		}
	}
	if _, err := made.Artifact("riscv64"); !errors.Is(err, ErrNotPackaged) {
		t.Errorf("for riscv64: error %v", err)
	}
	write(t, filepath.Join(dir, "gimel-arm64"), "a newer one")
	if again, err := FromPackage(dir, "gimel"); err != nil || again.Version == made.Version {
		t.Errorf("another program has the same version, %s: error %v", made.Version, err)
	}
}

// What somebody else may have placed there does not go to hosts.
func TestPackageThatOthersMayWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lib", "provision")
	write(t, filepath.Join(dir, "gimel-amd64"), "one")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := FromPackage(dir, "gimel"); !errors.Is(err, ErrNotPackaged) {
		t.Errorf("error %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chown(dir, 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	if _, err := FromPackage(dir, "gimel"); !errors.Is(err, ErrNotPackaged) {
		t.Errorf("of another account: error %v", err)
	}
}
