package tasks

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/npm"
	"provision/internal/recipe"
)

// runningStatsd is statsd as the task has it, on ports of its own.
type runningStatsd struct {
	t                *testing.T
	port, management int
	ended            chan error
}

func startStatsd(t *testing.T) runningStatsd {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node here: apt-get install nodejs")
	}
	s := runningStatsd{t: t, port: freePort(t), management: freePort(t), ended: make(chan error, 1)}
	built := build(t, StatsD(), recipe.Platforms()[0], map[string]any{"port": s.port, "management_port": s.management, "carbon": "off", "flush_interval": 60})
	published, err := npm.StatsD()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "statsd"), published); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"config.js": statsdConfiguration, "statsd-listen.js": statsdListen} {
		text := strings.ReplaceAll(fileOf(t, built, path), programDirectory, folder)
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), node, filepath.Join(folder, "statsd/stats.js"), filepath.Join(folder, "config.js"))
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- command.Wait() }()
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if connection, err := net.Dial("tcp", loopback(s.management)); err == nil {
			connection.Close()
			return s
		}
		if time.Now().After(until) {
			t.Fatal("statsd does not listen")
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// send sends one packet, or what one connection brings.
func (s runningStatsd) send(network, text string) {
	s.t.Helper()
	connection, err := net.Dial(network, loopback(s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer connection.Close()
	if _, err := connection.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// resets makes a connection and breaks it off, as a sender that is killed does.
func (s runningStatsd) resets() {
	s.t.Helper()
	connection, err := net.Dial("tcp", loopback(s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // until statsd has taken it
	connection.(*net.TCPConn).SetLinger(0)
	connection.Close()
}

// endless sends a line without an end, of which statsd would keep all: the connection has to end before so many bytes.
func (s runningStatsd) endless(most int) {
	s.t.Helper()
	connection, err := net.Dial("tcp", loopback(s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(2 * time.Minute))
	for sent := 0; sent < most; sent += 1 << 10 {
		if _, err := connection.Write(bytes.Repeat([]byte("x"), 1<<10)); err != nil {
			return
		}
	}
	if _, err := connection.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Errorf("%d bytes without an end were taken: %v", most, err)
	}
}

// holds is what statsd says that it has of a kind.
func (s runningStatsd) holds(kind string) string {
	s.t.Helper()
	connection, err := net.Dial("tcp", loopback(s.management))
	if err != nil {
		select {
		case ended := <-s.ended:
			s.t.Fatalf("statsd has ended: %v", ended)
		default:
			s.t.Fatal(err)
		}
	}
	defer connection.Close()
	fmt.Fprintln(connection, kind)
	var said strings.Builder
	for lines := bufio.NewScanner(connection); lines.Scan() && lines.Text() != "END"; {
		said.WriteString(lines.Text() + "\n")
	}
	return said.String()
}

// "One line of anybody's ends statsd": names that all objects of JavaScript have, rates that are no digits, a
// connection that is reset. What was counted before, and beside, is still there.
func TestStatsDSurvivesAnyLine(t *testing.T) {
	t.Parallel()
	s := startStatsd(t)
	s.send("udp", "before:7|c")
	for _, name := range []string{"constructor", "__proto__", "toString", "hasOwnProperty", "con@structor", "__proto\t_"} {
		for _, kind := range []string{"ms", "s", "g", "c"} {
			s.send("udp", name+":1|"+kind)
			s.send("tcp", name+":1|"+kind+"\n")
		}
	}
	s.resets()
	s.send("udp", "ahead:1|c\nrate:1|c|@+1\nrate:1|ms|@Infinity\nrate:1|c|@ 1\nbehind:1|c|@0.5")
	counters, missing := "", "not asked"
	for until := time.Now().Add(2 * time.Minute); missing != "" && time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		counters, missing = s.holds("counters"), ""
		for _, want := range []string{"before: 7", "ahead: 1", "behind: 2", "constructor_: 4", "__proto___: 4", "toString_: 2", "hasOwnProperty_: 2", "'statsd.bad_lines_seen': 3"} {
			if !strings.Contains(counters, want+",") && !strings.Contains(counters, want+"\n") {
				missing += want + "\n"
			}
		}
	}
	if missing != "" {
		t.Errorf("counters are\n%s and lack\n%s", counters, missing)
	}
	s.endless(3 << 20)
	s.send("tcp", "after:"+strings.Repeat("0", 60_000)+"1|c\n") // long, and a line
	for until := time.Now().Add(2 * time.Minute); !strings.Contains(s.holds("counters"), "after: 1") && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
	if counters := s.holds("counters"); !strings.Contains(counters, "after: 1") || !strings.Contains(counters, "before: 7") {
		t.Errorf("after a line without an end, counters are\n%s", counters)
	}
	if timers := s.holds("timers"); !strings.Contains(timers, "constructor_: [ 1, 1, 1, 1 ]") {
		t.Errorf("timers:\n%s", timers)
	}
}
