package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// example is the project whose task is measured; package workload has the same task in Go.
const example = "examples/workload"

// ownTasks measures a converged host of the same recipe in Starlark and in Go, in turn, and a tree.
func (s setup) ownTasks(ctx context.Context, runs int) error {
	here, err := filepath.Abs(example)
	if err != nil {
		return err
	}
	inGo, err := s.withWorkload(ctx)
	if err != nil {
		return err
	}
	secret := filepath.Join(s.dir, "token")
	if err := os.WriteFile(secret, []byte("correct horse"), 0o600); err != nil {
		return err
	}
	install := func(provision, folder string) []string {
		return append([]string{"env", "-C", folder, provision, "install", "workload", "-e", "workload.token=@" + secret}, s.reach()...)
	}
	ways := [][]string{install(s.provision, here), install(inGo, s.dir)}
	if _, err := s.run(ctx, ways[0]); err != nil {
		return err
	}
	took, err := s.inTurn(ctx, 8*runs, ways)
	if err != nil {
		return err
	}
	fmt.Printf("A converged host of %s (%s), the median of %d runs in turn. In Starlark, read from the project: %d ms, of which %d ms CPU here. The same in Go: %d ms, %d ms CPU. That is %.2f times; wanted: 1.10 at the most.\n\n",
		example, s.host.Suite, 8*runs, took[0].wall.Milliseconds(), took[0].cpu.Milliseconds(), took[1].wall.Milliseconds(), took[1].cpu.Milliseconds(), ratio(took[0].wall, took[1].wall))
	if err := s.awayFrom(ctx, runs, here, secret); err != nil {
		return err
	}
	return s.trees(ctx, runs)
}

// awayFrom measures the round trips of the example on a host that is as it wants it.
func (s setup) awayFrom(ctx context.Context, runs int, project, token string) error {
	install := func(config string) ([]string, error) {
		return []string{"env", "-C", project, s.provision, "install", "workload", "-e", "workload.token=@" + token,
			"-y", "-q", "-F", config, "-H", s.host.Address.String()}, nil
	}
	near, err := s.through(ctx, 0, runs, install)
	if err != nil {
		return err
	}
	away, err := s.through(ctx, roundTrip, runs, install)
	if err != nil {
		return err
	}
	fmt.Printf("Converged, %s away: %d ms, that is %.1f round trips (%d turns); wanted: 9.\n\n",
		roundTrip, away.wall.Milliseconds(), float64(away.wall-near.wall)/float64(roundTrip), away.turns)
	return nil
}

// reach are the flags that lead to the host.
func (s setup) reach() []string {
	return []string{"-y", "-q", "-F", "none", "-i", s.lab.Identity(), "-o", "UserKnownHostsFile=" + s.lab.KnownHosts(), "-H", "root@" + s.host.Address.String()}
}

// inTurn runs commands on a host that is as they want it, in turn, and returns the median cost of each.
// The first round, which warms caches up, does not count.
func (s setup) inTurn(ctx context.Context, runs int, ways [][]string) ([]cost, error) {
	all := make([][]cost, len(ways))
	for i := range runs + 1 {
		for way, args := range ways {
			one, err := s.run(ctx, args)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				all[way] = append(all[way], one)
			}
		}
	}
	var took []cost
	for _, costs := range all {
		took = append(took, median(costs))
	}
	return took, nil
}

// withWorkload builds the command with the task of package workload among those that ship.
func (s setup) withWorkload(ctx context.Context) (string, error) {
	const list = "tasks/tasks.go"
	text, err := os.ReadFile(list)
	if err != nil {
		return "", err
	}
	more := strings.NewReplacer(
		"import (\n", "import (\n\t\"provision/acceptance/bench/workload\"\n",
		"return []recipe.Task{", "return []recipe.Task{workload.Task(), ",
	).Replace(string(text))
	place, err := filepath.Abs(list)
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {place: filepath.Join(s.dir, "tasks.go")}})
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{"tasks.go": more, "overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	command := filepath.Join(s.dir, "provision-with-workload")
	built := exec.CommandContext(ctx, "go", "build", "-overlay", filepath.Join(s.dir, "overlay.json"), "-o", command, "provision/cmd/provision")
	if output, err := built.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return command, nil
}
