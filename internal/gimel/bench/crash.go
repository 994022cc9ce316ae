package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/store"
)

// crash prints how many acknowledged events are gone after kill -9 of Redis
// under full load, five times for each appendfsync. A killed process loses
// what it had not given to the kernel yet; a host that loses power loses more
// (what was not fsynced), which this does not show.
func (o options) crash() error {
	fmt.Printf("\n%-24s %14s %10s %10s\n", "kill -9 of redis", "acknowledged", "lost", "surplus")
	for _, fsync := range []string{"everysec", "always"} {
		for range 5 {
			acknowledged, counted, err := o.crashOnce(fsync)
			if err != nil {
				return err
			}
			// Events that were on their way may be counted without an answer.
			fmt.Printf("%-24s %14d %10d %10d\n", "appendfsync "+fsync, acknowledged,
				max(0, acknowledged-counted), max(0, counted-acknowledged))
		}
	}
	return nil
}

func (o options) crashOnce(fsync string) (acknowledged, counted int64, err error) {
	folder, err := os.MkdirTemp(o.folder, "crash")
	if err != nil {
		return 0, 0, err
	}
	socket := filepath.Join(folder, "s")
	args := []string{"--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", "--appendonly", "yes",
		"--appendfsync", fsync, "--logfile", filepath.Join(folder, "log")}
	server := exec.Command("redis-server", args...)
	if err := server.Start(); err != nil {
		return 0, 0, err
	}
	client, err := store.Connect(store.Address{URL: "unix://" + socket, Timeout: time.Second})
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	if err := awaitLoaded(client); err != nil {
		return 0, 0, err
	}
	var total atomic.Int64
	address := freeAddress()
	gimel, err := o.startGimel(o.binary, socket, address)
	if err != nil {
		return 0, 0, err
	}
	defer gimel.stop()
	url := "http://" + address + "/track"
	if err := awaitAnswer(url); err != nil {
		return 0, 0, err
	}
	time.AfterFunc(2*time.Second, func() { _ = server.Process.Signal(syscall.SIGKILL) })
	// Each connection ends at its first answer that is not 200.
	_, _ = loadCounting(url, o.connections[0], 10*time.Second, &total)
	_ = server.Wait()

	server = exec.Command("redis-server", args...)
	if err := server.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	if err := awaitLoaded(client); err != nil {
		return 0, 0, err
	}
	counters := store.New(client, store.Settings{Counting: store.Exact})
	for _, name := range []string{"bench 0", "bench 1"} {
		experiment, err := counters.Experiment(context.Background(), "alephbet", name)
		if err != nil {
			return 0, 0, err
		}
		for _, counter := range experiment.Counters {
			counted += counter.Count
		}
	}
	return total.Load(), counted, nil
}

// awaitLoaded waits until Redis has read its files and answers.
func awaitLoaded(client redis.UniversalClient) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := client.Ping(context.Background()).Err()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("redis: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
