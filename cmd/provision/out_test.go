package main

import (
	"os"
	"path/filepath"
	"testing"
)

// What is at the place of --out and is no file stays: to root /dev/null would be lost to the whole machine.
func TestOutReplacesFilesAlone(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := writeOut(file, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for path, good := range map[string]bool{file: true, filepath.Join(dir, "new"): true, link: false, "/dev/null": false, "/dev/stdout": false, dir: false} {
		if err := checkOut(path); (err == nil) != good {
			t.Errorf("%s: %v", path, err)
		}
	}
}
