package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// process is a server that is measured.
type process struct{ command *exec.Cmd }

func start(name string, args ...string) (*process, error) {
	command := exec.Command(name, args...)
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &process{command}, nil
}

func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	_ = p.command.Wait()
}

// cpu is the time that the process and its children have run for.
func (p *process) cpu() time.Duration { return cpuOf(strconv.Itoa(p.command.Process.Pid)) }

// ticksPerSecond is USER_HZ, which is 100 on every architecture of Debian's.
const ticksPerSecond = 100

// cpuOf reads utime and stime, fields 14 and 15 of /proc/PID/stat (proc(5)); the
// second field, a name in parentheses, may hold anything.
func cpuOf(pid string) time.Duration {
	content, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0 // it has ended
	}
	stat := string(content)
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	var sum time.Duration
	for _, field := range fields[11:13] {
		ticks, _ := strconv.Atoi(field) // a number, says proc(5)
		sum += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children") // none if there is no such file
	for _, child := range strings.Fields(string(children)) {
		sum += cpuOf(child)
	}
	return sum
}

// startRedis runs a redis-server of its own on a Unix socket.
func (o options) startRedis(args []string) (socket string, server *process, err error) {
	folder, err := os.MkdirTemp(o.folder, "redis")
	if err != nil {
		return "", nil, err
	}
	socket = filepath.Join(folder, "s")
	args = append([]string{"--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "",
		"--logfile", filepath.Join(folder, "log")}, args...)
	server, err = start("redis-server", args...)
	if err != nil {
		return "", nil, err
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer client.Close()
	for deadline := time.Now().Add(10 * time.Second); client.Ping(context.Background()).Err() != nil; {
		if time.Now().After(deadline) {
			server.stop()
			return "", nil, fmt.Errorf("redis-server does not answer within 10 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return socket, server, nil
}

// startGimel runs a gimel at an address for visitors.
func (o options) startGimel(binary, redisSocket, address string) (*process, error) {
	key := filepath.Join(o.folder, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		return nil, err
	}
	args := []string{"serve", "--listen", address, "--redis", "unix://" + redisSocket,
		"--hash-key-file", key, "--api-key-file", key, "--drain-grace", "100ms"}
	if o.eventLog != "off" { // which a gimel of before the log does not know
		args = append(args, "--event-log", o.eventLog)
	}
	return start(binary, args...)
}

func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // loopback is missing: nothing can be measured
	}
	defer listener.Close()
	return listener.Addr().String()
}
