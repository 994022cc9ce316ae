package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// start runs a process and returns what stops it.
func start(name string, args []string, output *os.File) (stop func(), err error) {
	command := exec.Command(name, args...)
	command.Stderr = output
	if err := command.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	}, nil
}

// startRedis runs a redis-server of its own on a Unix socket.
func (o options) startRedis(args []string) (socket string, stop func(), err error) {
	folder, err := os.MkdirTemp(o.folder, "redis")
	if err != nil {
		return "", nil, err
	}
	socket = filepath.Join(folder, "s")
	args = append([]string{"--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "",
		"--logfile", filepath.Join(folder, "log")}, args...)
	stop, err = start("redis-server", args, nil)
	if err != nil {
		return "", nil, err
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer client.Close()
	for deadline := time.Now().Add(10 * time.Second); client.Ping(context.Background()).Err() != nil; {
		if time.Now().After(deadline) {
			stop()
			return "", nil, fmt.Errorf("redis-server does not answer within 10 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return socket, stop, nil
}

func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // loopback is missing: nothing can be measured
	}
	defer listener.Close()
	return listener.Addr().String()
}
