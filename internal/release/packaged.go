package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"provision/internal/recipe"
)

// ErrNotPackaged says that a program did not come with this one.
var ErrNotPackaged = errors.New("did not come with this program")

// PackagedIn is where the package of the program at a path has what it deploys: in lib beside the
// bin that the program is in.
func PackagedIn(executable string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(executable)), "lib", "provision")
}

// FromPackage returns the release of a program that a package brought, NAME-ARCH for each
// architecture. Its version is the start of a digest of all of them, so that the same package is
// the same release. A directory that another account may write to is not looked into: what is in it
// would run on hosts.
func FromPackage(dir, name string) (*recipe.Release, error) {
	files, err := filepath.Glob(filepath.Join(dir, name+"-*"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w: there is no %s", name, ErrNotPackaged, filepath.Join(dir, name+"-*"))
	}
	if info, err := os.Stat(dir); err != nil || !trusted(info) {
		return nil, errors.Join(fmt.Errorf("%s: %w: %s may be written by others", name, ErrNotPackaged, dir), err)
	}
	hash := sha256.New()
	artifacts := map[string]recipe.Artifact{}
	for _, file := range files {
		artifact, err := describe(file)
		if err != nil {
			return nil, err
		}
		arch := strings.TrimPrefix(filepath.Base(file), name+"-")
		artifacts[arch] = artifact
		fmt.Fprintf(hash, "%s %s\n", arch, artifact.SHA256)
	}
	anyOf := artifacts[strings.TrimPrefix(filepath.Base(slices.Min(files)), name+"-")]
	return &recipe.Release{
		Version: hex.EncodeToString(hash.Sum(nil))[:12],
		Artifact: func(arch string) (recipe.Artifact, error) {
			if artifact, there := artifacts[arch]; there {
				return artifact, nil
			}
			if arch == "" { // not known yet
				return anyOf, nil
			}
			return recipe.Artifact{}, fmt.Errorf("%s for %s: %w", name, arch, ErrNotPackaged)
		},
	}, nil
}

// trusted reports whether only root or the person can have written something.
func trusted(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int(stat.Uid) == os.Geteuid()) && info.Mode().Perm()&0o022 == 0
}
