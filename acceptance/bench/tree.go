package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// manyFiles is how many a tree has that is measured, of fileSize bytes each.
const manyFiles, fileSize = 5000, 4096

const treeTask = `"""Many files."""

def build(v, host):
    return [tree("/srv/many", source = "many")]

def verify(v, host):
    return [runs("test -s /srv/many/00/0000")]
`

// trees measures a directory of many files: as it should be, beside sha256sum of them, and first
// written, beside tar and one sync.
func (s setup) trees(ctx context.Context, runs int) error {
	project := filepath.Join(s.dir, "project")
	files := filepath.Join(project, "tasks/many/files/many")
	if err := makeFiles(files); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(project, "tasks/many/task.star"), []byte(treeTask), 0o600); err != nil {
		return err
	}
	install := append([]string{"env", "-C", project, s.provision, "install", "many"}, s.reach()...)
	archive := []string{"sh", "-c", `tar -C "$0" -cf - . | "$@"`, files}
	archive = append(archive, s.ssh("mkdir /srv/many && tar -xf - -C /srv/many && sync -f /srv/many")...)
	first, err := s.freshly(ctx, runs, [][]string{install, archive})
	if err != nil {
		return err
	}
	if _, err := s.run(ctx, s.ssh("rm -rf /srv/many")); err != nil {
		return err
	}
	if _, err := s.run(ctx, install); err != nil {
		return err
	}
	again, err := s.inTurn(ctx, runs, [][]string{install, s.ssh("cd /srv/many && find . -type f -print0 | xargs -0 sha256sum"), s.ssh("true")})
	if err != nil {
		return err
	}
	fmt.Printf("A tree of %d files of %d bytes, the median of %d runs in turn.\n", manyFiles, fileSize, runs)
	fmt.Printf("Converged: provision install %d ms, ssh and sha256sum of them %d ms (ssh true: %d ms): %.2f times; wanted: 2 at the most.\n",
		again[0].wall.Milliseconds(), again[1].wall.Milliseconds(), again[2].wall.Milliseconds(), ratio(again[0].wall, again[1].wall))
	fmt.Printf("First written: provision install, with its plan and its verify, %d ms, tar over ssh with one sync %d ms: %.2f times; wanted: 2 at the most.\n\n",
		first[0].wall.Milliseconds(), first[1].wall.Milliseconds(), ratio(first[0].wall, first[1].wall))
	return nil
}

// freshly is inTurn where nothing of the tree is there.
func (s setup) freshly(ctx context.Context, runs int, ways [][]string) ([]cost, error) {
	all := make([][]cost, len(ways))
	for range runs {
		for way, args := range ways {
			if _, err := s.run(ctx, s.ssh("rm -rf /srv/many && sync")); err != nil {
				return nil, err
			}
			one, err := s.run(ctx, args)
			if err != nil {
				return nil, err
			}
			all[way] = append(all[way], one)
		}
	}
	return []cost{median(all[0]), median(all[1])}, nil
}

// makeFiles writes the files, a hundred a folder, the same in each bench.
func makeFiles(folder string) error {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range manyFiles {
		var text strings.Builder
		for text.Len() < fileSize {
			fmt.Fprintf(&text, "%016x\n", random.Uint64())
		}
		path := filepath.Join(folder, fmt.Sprintf("%02d/%04d", i/100, i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text.String()[:fileSize]), 0o644); err != nil {
			return err
		}
	}
	return nil
}
