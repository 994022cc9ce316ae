// Package release makes what a deploy brings: a binary that is built from this source tree
// for the host's architecture, or a file that somebody else built.
package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"provision/internal/recipe"
)

// ErrNoSource says that a directory is not provision's source tree.
var ErrNoSource = errors.New("not provision's source tree")

// ErrDigest says that a file is not the one that was meant.
var ErrDigest = errors.New("has another SHA-256")

// FromFile returns the release of a binary. want is its SHA-256 in hex, "" when nobody
// knows it. Its version is the start of its digest, so that the same file is the same
// release.
func FromFile(path, want string) (*recipe.Release, error) {
	artifact, err := describe(path)
	if err != nil {
		return nil, err
	}
	if want != "" && !strings.EqualFold(want, artifact.SHA256) {
		return nil, fmt.Errorf("%s: %w: it is %s, not %s", path, ErrDigest, artifact.SHA256, want)
	}
	return &recipe.Release{
		Version:  artifact.SHA256[:12],
		Artifact: func(string) (recipe.Artifact, error) { return artifact, nil },
	}, nil
}

// describe returns a file's size and digest; a directory, a FIFO or a device is refused
// before it is opened, for reading one might never end.
func describe(path string) (recipe.Artifact, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return recipe.Artifact{}, fmt.Errorf("%s: no such file", path)
	}
	if err != nil {
		return recipe.Artifact{}, err
	}
	if !info.Mode().IsRegular() {
		return recipe.Artifact{}, fmt.Errorf("%s: is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return recipe.Artifact{}, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		return recipe.Artifact{}, fmt.Errorf("%s: %w", path, err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return recipe.Artifact{}, err
	}
	return recipe.Artifact{Source: absolute, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}

// FromSource returns the release that a Go package of the source tree is built into, for
// each architecture when it is first asked for. Its version is the digest of the sources and
// of what builds them, so that the same of both is the same release, and the same sources with
// a Go of which a hole was mended are another one.
func FromSource(ctx context.Context, tree, source string) (*recipe.Release, error) {
	root, err := findRoot(tree)
	if err != nil {
		return nil, err
	}
	version, err := digest(ctx, root, source)
	if err != nil {
		return nil, err
	}
	builds := map[string]func() (recipe.Artifact, error){}
	var mu sync.Mutex
	return &recipe.Release{
		Version: version,
		Artifact: func(arch string) (recipe.Artifact, error) {
			mu.Lock()
			if builds[arch] == nil {
				builds[arch] = sync.OnceValues(func() (recipe.Artifact, error) { return build(ctx, root, source, arch, version) })
			}
			built := builds[arch]
			mu.Unlock()
			return built()
		},
	}, nil
}

// findRoot returns the directory at or above dir that holds provision's go.mod.
func findRoot(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module provision\n") {
			return at, nil
		}
		parent := filepath.Dir(at)
		if parent == at {
			return "", fmt.Errorf("%s: %w", dir, ErrNoSource)
		}
		at = parent
	}
}

// digest returns a short digest of what the binary is built from and by.
func digest(ctx context.Context, root, source string) (string, error) {
	hash := sha256.New()
	if err := digestSources(hash, root, source); err != nil {
		return "", err
	}
	if err := digestBuild(ctx, hash, root); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// digestBuild adds the version of Go, which is that of its compiler and library, and the
// settings that decide what it makes of sources (go help environment).
func digestBuild(ctx context.Context, hash io.Writer, root string) error {
	asked := map[string]bool{}
	for _, platform := range recipe.Platforms() { // some settings are told only for their architecture
		if asked[platform.Arch] {
			continue
		}
		asked[platform.Arch] = true
		command := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOFLAGS", "GOEXPERIMENT", "GOFIPS140", "GOAMD64", "GOARM64")
		command.Dir, command.Env = root, environment(platform.Arch)
		output, err := command.Output()
		if err != nil {
			return fmt.Errorf("go env, in %s: %w", root, err)
		}
		fmt.Fprintf(hash, "%s %s", platform.Arch, output)
	}
	return nil
}

// environment is that of a build: static, and without a workspace's other sources.
func environment(arch string) []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS=linux", "GOARCH="+arch)
}

// digestSources adds what the binary is built from: the package, the internal package of the
// same name, and the module's dependencies.
func digestSources(hash io.Writer, root, source string) error {
	name := filepath.Base(source)
	paths := []string{filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum")}
	for _, dir := range []string{filepath.Join(root, source), filepath.Join(root, "internal", name)} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "/testdata/") {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	sort.Strings(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%s %d\n%s", relative, len(text), text)
	}
	return nil
}

// build compiles the package for an architecture of Debian's, without paths of this machine,
// so that the same sources give the same bytes.
func build(ctx context.Context, root, source, arch, version string) (recipe.Artifact, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return recipe.Artifact{}, err
	}
	dir := filepath.Join(cache, "provision", "releases", version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return recipe.Artifact{}, err
	}
	path := filepath.Join(dir, filepath.Base(source)+"-"+arch)
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+version, "-o", path, "./"+filepath.ToSlash(filepath.Clean(source)))
	command.Dir, command.Env = root, environment(arch)
	if output, err := command.CombinedOutput(); err != nil {
		return recipe.Artifact{}, fmt.Errorf("build %s for %s: %w\n%s", source, arch, err, output)
	}
	return describe(path)
}
