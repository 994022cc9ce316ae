package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Seed downloads packages, with all that they depend on, for the hosts of a
// suite, so that installing them there needs no network; and it refreshes apt's
// lists. It does nothing when all of that is there and less than a day old.
//
// The files under a mounted overlay must not change (the kernel's overlayfs.rst:
// the behaviour is undefined), so they go into a new layer that hosts made
// from then on stand on; `fresh` gives it to those that exist.
func (l *Lab) Seed(ctx context.Context, suite string, packages []string) error {
	if err := checkWanted(nil, suite); err != nil {
		return err
	}
	suite = newSuite(suite)
	if err := l.Prepare(ctx); err != nil {
		return err
	}
	if err := l.ensureBase(ctx, suite); err != nil {
		return err
	}
	newest, err := l.extendSeed(ctx, suite, packages)
	if err != nil {
		return fmt.Errorf("seed %s: %w", suite, err)
	}
	return l.removeOldSeeds(ctx, suite, newest)
}

// extendSeed makes a new layer if one is needed, and returns the newest's number.
func (l *Lab) extendSeed(ctx context.Context, suite string, packages []string) (int, error) {
	lock, err := l.lockBase(ctx, suite)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	have, number, err := l.newestSeed(suite)
	if err != nil {
		return 0, err
	}
	wanted, done := mergeSeed(have, packages)
	if done {
		return number, nil
	}
	l.progress("seed %s: %s", suite, strings.Join(wanted, " "))
	start := time.Now()
	if err := l.addSeed(ctx, lock, suite, number, wanted); err != nil {
		return 0, err
	}
	l.progress("seed %s: done in %s", suite, since(start))
	return number + 1, nil
}

// seedState is what a seed layer was made for.
type seedState struct {
	packages []string
	fresh    bool // its lists are less than a day old
}

// mergeSeed returns all packages that the next layer is to have, and whether
// the present one does.
func mergeSeed(have seedState, packages []string) (wanted []string, done bool) {
	wanted = append(slices.Clone(have.packages), packages...)
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	return wanted, have.fresh && len(wanted) == len(have.packages)
}

// seedDir holds the layers of a suite: 1, 2, … and beside each, N.packages.
func (l *Lab) seedDir(suite string) string { return filepath.Join(l.config.Base, suite+".seed") }

// newestSeed returns the state and number of the newest layer, 0 if there is none.
func (l *Lab) newestSeed(suite string) (seedState, int, error) {
	numbers, err := l.seedNumbers(suite)
	if err != nil || len(numbers) == 0 {
		return seedState{}, 0, err
	}
	newest := slices.Max(numbers)
	list := filepath.Join(l.seedDir(suite), strconv.Itoa(newest)+".packages")
	data, err := os.ReadFile(list)
	if err != nil {
		return seedState{}, 0, err
	}
	info, err := os.Stat(list)
	if err != nil {
		return seedState{}, 0, err
	}
	return seedState{strings.Fields(string(data)), time.Since(info.ModTime()) < 24*time.Hour}, newest, nil
}

// seedNumbers lists the whole layers: those with their list of packages, which
// is written last.
func (l *Lab) seedNumbers(suite string) ([]int, error) {
	lists, err := filepath.Glob(filepath.Join(l.seedDir(suite), "*.packages"))
	var numbers []int
	for _, list := range lists {
		if number, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(list), ".packages")); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers, err
}

// addSeed makes layer number+1 from layer number.
func (l *Lab) addSeed(ctx context.Context, lock *os.File, suite string, number int, packages []string) error {
	dir := l.seedDir(suite)
	layer := filepath.Join(dir, strconv.Itoa(number+1))
	work, root := filepath.Join(dir, "work"), filepath.Join(dir, "root")
	for _, path := range []string{layer, work, root} {
		if err := removeTree(path); err != nil {
			return err
		}
		if path == layer && number > 0 {
			continue // copied below
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	if number > 0 {
		// Links, not copies: apt replaces its files and never writes into one.
		if err := run(ctx, "cp", "-al", filepath.Join(dir, strconv.Itoa(number)), layer); err != nil {
			return err
		}
	}
	if err := mountOverlay(root, layer, work, []string{filepath.Join(l.config.Base, suite)}); err != nil {
		return err
	}
	defer unmountBelow(root)
	if err := download(ctx, lock, root, packages); err != nil {
		return err
	}
	if err := unmountBelow(root); err != nil {
		return err
	}
	for _, path := range []string{work, root} {
		if err := removeTree(path); err != nil {
			return err
		}
	}
	return writeFile(layer+".packages", []byte(strings.Join(packages, "\n")+"\n"), 0o644)
}

// download keeps apt's own binary caches out of the layer: apt writes into
// those in place, and builds them again within a second.
func download(ctx context.Context, lock *os.File, root string, packages []string) error {
	const noCache = "-oDir::Cache::pkgcache="
	const noSourceCache = "-oDir::Cache::srcpkgcache="
	err := inRoot(ctx, lock, root, "/usr/bin/apt-get", noCache, noSourceCache, "-q", "-oAPT::Update::Error-Mode=any", "update")
	if err != nil || len(packages) == 0 {
		return err
	}
	args := []string{"/usr/bin/apt-get", noCache, noSourceCache, "-q", "-y", "--download-only", "--no-install-recommends", "install"}
	return inRoot(ctx, lock, root, append(args, packages...)...)
}

// removeOldSeeds removes the layers before the newest that no host stands on.
// Only the lab that owns the bases does. Of another lab that shares them it sees
// the hosts that run; one that does not has to be made fresh afterwards.
func (l *Lab) removeOldSeeds(ctx context.Context, suite string, newest int) error {
	if !l.ownsBases() {
		return nil
	}
	unlock, err := l.lock(ctx) // no host is just being put on an old layer
	if err != nil {
		return err
	}
	defer unlock()
	hosts, err := l.Hosts()
	if err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	numbers, err := l.seedNumbers(suite)
	if err != nil {
		return err
	}
	for _, number := range numbers {
		name := filepath.Join(suite+".seed", strconv.Itoa(number))
		used := slices.ContainsFunc(hosts, func(h Host) bool { return slices.Contains(h.Layers, name) })
		layer := filepath.Join(l.config.Base, name)
		mounted := strings.Contains(string(mounts), "="+layer+":") || strings.Contains(string(mounts), ":"+layer+":") // the first, or below a checkpoint
		if number >= newest || used || mounted {
			continue
		}
		if err := os.Remove(layer + ".packages"); err != nil {
			return err
		}
		if err := removeTree(layer); err != nil {
			return err
		}
	}
	return nil
}

// layers names what a new host of the suite stands on, relative to the
// directory of the bases, topmost first.
func (l *Lab) layers(suite string) ([]string, error) {
	_, number, err := l.newestSeed(suite)
	if err != nil {
		return nil, err
	}
	if number == 0 {
		return []string{suite}, nil
	}
	return []string{filepath.Join(suite+".seed", strconv.Itoa(number)), suite}, nil
}
