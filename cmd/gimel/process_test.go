package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"provision/internal/gimel/redistest"
)

// The test binary is gimel itself when it is told so: kill -9 and file
// descriptors need a process.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_GIMEL") == "1" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// gimel is one running process.
type gimel struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *lockedBuffer
	ended  chan error
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// launch runs gimel with systemd's protocol: the sockets become descriptors
// from 3 on. The shell makes LISTEN_PID right.
func launch(t *testing.T, sockets []*os.File, environment []string, args ...string) *gimel {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := `exec "$0" "$@"`
	if len(sockets) > 0 {
		script = fmt.Sprintf(`LISTEN_PID=$$ LISTEN_FDS=%d exec "$0" "$@"`, len(sockets))
	}
	g := &gimel{t: t, stderr: &lockedBuffer{}, ended: make(chan error, 1)}
	g.cmd = exec.Command("/bin/sh", append([]string{"-c", script, self}, args...)...)
	g.cmd.Env = append(append(os.Environ(), "RUN_AS_GIMEL=1"), environment...)
	g.cmd.ExtraFiles = sockets
	g.cmd.Stderr = g.stderr
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.cmd.Wait() }()
	t.Cleanup(func() { _ = g.cmd.Process.Kill() })
	return g
}

func (g *gimel) end(signal syscall.Signal) error {
	g.t.Helper()
	_ = g.cmd.Process.Signal(signal)
	select {
	case err := <-g.ended:
		return err
	case <-time.After(2 * time.Minute):
		g.t.Fatalf("does not end:\n%s", g.stderr)
		return nil
	}
}

// sharedSocket is a listening socket that outlives the processes, as
// systemd's does.
func sharedSocket(t *testing.T) (*os.File, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, "http://" + listener.Addr().String()
}

func get(client *http.Client, url string, header ...string) (int, string, error) {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func serves(url string) func() bool {
	return func() bool {
		status, _, err := get(http.DefaultClient, url+"/readyz")
		return err == nil && status == 200
	}
}

// visitors are AlephBet clients: each sends event after event, and sends an
// event again until it gets 200.
type visitors struct {
	group    sync.WaitGroup
	stop     context.CancelFunc
	mu       sync.Mutex
	sent     int
	failures []string // answers other than 200
}

// visit starts so many of them. patient ones resend; the others give up the
// event, which is then in failures.
func visit(t *testing.T, url string, visitorCount int) *visitors {
	ctx, stop := context.WithCancel(t.Context())
	v := &visitors{stop: stop}
	for number := range visitorCount {
		v.group.Go(func() { v.visit(ctx, url, number) })
	}
	return v
}

func (v *visitors) visit(ctx context.Context, url string, number int) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 2 * time.Minute}
	defer client.CloseIdleConnections()
	for i := 0; ctx.Err() == nil; i++ {
		target := fmt.Sprintf("%s/track?experiment=load&variant=v&event=participate&uuid=%d-%d", url, number, i)
		for {
			status, _, err := get(client, target)
			if err == nil && status == 200 {
				break
			}
			v.mu.Lock()
			v.failures = append(v.failures, fmt.Sprint(status, err))
			v.mu.Unlock()
			time.Sleep(5 * time.Millisecond)
		}
		v.mu.Lock()
		v.sent++
		v.mu.Unlock()
	}
}

func (v *visitors) sentAtLeast(more int) func() bool {
	v.mu.Lock()
	goal := v.sent + more
	v.mu.Unlock()
	return func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.sent >= goal
	}
}

func (v *visitors) failsOnceMore() func() bool {
	v.mu.Lock()
	before := len(v.failures)
	v.mu.Unlock()
	return func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.failures) > before
	}
}

func (v *visitors) finish() (sent int, failures []string) {
	v.stop()
	v.group.Wait()
	return v.sent, v.failures
}

func checkCount(t *testing.T, url, key string, want int) {
	t.Helper()
	_, body, err := get(http.DefaultClient, url+"/api/v1/experiment?name=load", "X-Api-Key", key)
	if err != nil || !strings.Contains(body, fmt.Sprintf(`"trials":%d}`, want)) {
		t.Errorf("counted %s, %v; want %d", body, err, want)
	}
}

const apiKey = "0123456789abcdef0123456789abcdef"

func startRedis(t *testing.T) *redistest.Server {
	return redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
}

func serveArgs(t *testing.T, redis *redistest.Server, more ...string) []string {
	key := keyFile(t)
	return append([]string{"serve", "--redis", redis.URL(), "--hash-key-file", key, "--api-key-file", key}, more...)
}

func TestARestartOnASharedSocketFailsNoRequest(t *testing.T) {
	redis := startRedis(t)
	socket, url := sharedSocket(t)
	args := serveArgs(t, redis, "--request-timeout", "2m", "--redis-timeout", "2m") // of a busy machine
	running := launch(t, []*os.File{socket}, nil, args...)
	await(t, "serves", serves(url))
	load := visit(t, url, 8)
	for range 2 {
		await(t, "load", load.sentAtLeast(100))
		next := launch(t, []*os.File{socket}, nil, args...)
		await(t, "the next serves", func() bool { return strings.Contains(next.stderr.String(), "gimel serves") })
		if err := running.end(syscall.SIGTERM); err != nil {
			t.Errorf("exit: %v\n%s", err, running.stderr)
		}
		running = next
	}
	await(t, "load", load.sentAtLeast(100))
	sent, failures := load.finish()
	if len(failures) > 0 {
		t.Errorf("%d requests failed, first: %s", len(failures), failures[0])
	}
	checkCount(t, url, apiKey, sent)
}

func TestKillOfGimelLosesNoAcknowledgedEvent(t *testing.T) {
	redis := startRedis(t)
	socket, url := sharedSocket(t)
	args := serveArgs(t, redis)
	running := launch(t, []*os.File{socket}, nil, args...)
	await(t, "serves", serves(url))
	load := visit(t, url, 8)
	for range 2 {
		await(t, "load", load.sentAtLeast(100))
		_ = running.end(syscall.SIGKILL)
		running = launch(t, []*os.File{socket}, nil, args...)
	}
	await(t, "load", load.sentAtLeast(100))
	sent, _ := load.finish()
	checkCount(t, url, apiKey, sent)
}

func TestKillOfRedisLosesNoAcknowledgedEventUnderAppendfsyncAlways(t *testing.T) {
	redis := startRedis(t)
	socket, url := sharedSocket(t)
	launch(t, []*os.File{socket}, nil, serveArgs(t, redis)...)
	await(t, "serves", serves(url))
	load := visit(t, url, 8)
	for range 2 {
		await(t, "load", load.sentAtLeast(100))
		redis.Kill()
		await(t, "an event that meets no Redis", load.failsOnceMore())
		redis.Restart()
	}
	await(t, "load", load.sentAtLeast(100))
	sent, failures := load.finish()
	for _, failure := range failures {
		if !strings.HasPrefix(failure, "503") {
			t.Errorf("failure %s", failure)
		}
	}
	checkCount(t, url, apiKey, sent)
}

func TestSharedSocketsAreServedWhenRedisIsReady(t *testing.T) {
	redis := startRedis(t)
	redis.Kill()
	socket, url := sharedSocket(t)
	private := filepath.Join(t.TempDir(), "private")
	notifications := notifySocket(t)
	g := launch(t, []*os.File{socket}, []string{"NOTIFY_SOCKET=" + notifications.path},
		serveArgs(t, redis, "--private-listen", "unix:"+private)...)
	inside := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", private)
	}}}
	await(t, "the private socket answers", func() bool {
		status, _, err := get(inside, "http://gimel/healthz")
		return err == nil && status == 200
	})
	if status, _, err := get(inside, "http://gimel/readyz"); err != nil || status != 503 {
		t.Errorf("readyz: %d, %v", status, err)
	}
	impatient := &http.Client{Timeout: 200 * time.Millisecond}
	if status, _, err := get(impatient, url+"/healthz"); err == nil {
		t.Errorf("the shared socket is served: %d", status)
	}
	redis.Restart()
	await(t, "serves", serves(url))
	if got := notifications.next(t); got != "READY=1" {
		t.Errorf("notified %q", got)
	}
	if err := g.end(syscall.SIGTERM); err != nil {
		t.Errorf("exit: %v\n%s", err, g.stderr)
	}
	if got := notifications.next(t); got != "STOPPING=1" {
		t.Errorf("notified %q", got)
	}
}

type notified struct {
	path   string
	socket *net.UnixConn
}

func notifySocket(t *testing.T) notified {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return notified{path: path, socket: socket}
}

func (n notified) next(t *testing.T) string {
	t.Helper()
	buffer := make([]byte, 100)
	_ = n.socket.SetReadDeadline(time.Now().Add(2 * time.Minute))
	length, err := n.socket.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:length])
}

func TestSIGTERMBeforeRedisIsReadyEnds(t *testing.T) {
	redis := startRedis(t)
	redis.Kill()
	g := launch(t, nil, nil, serveArgs(t, redis, "--listen", "127.0.0.1:0")...)
	await(t, "waits", func() bool { return strings.Contains(g.stderr.String(), "waiting for redis") })
	if err := g.end(syscall.SIGTERM); err != nil {
		t.Errorf("exit: %v\n%s", err, g.stderr)
	}
}

func TestABadConfigurationIsOneLineAndExitCode1(t *testing.T) {
	g := launch(t, nil, []string{"GIMEL_QUUE=3"}, "check-config")
	err := <-g.ended
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	if got := g.stderr.String(); got != "gimel: environment: unknown variable GIMEL_QUUE\n" {
		t.Errorf("stderr = %q", got)
	}
}
