package tasks

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeSystemctl answers for one unit as the file says, and notes what it is told to do.
const fakeSystemctl = `#!/bin/sh
case $1 in
show) cat "${0%/*}/unit" ;;
*) echo "$@" >>"${0%/*}/done" ;;
esac
`

func (p *alertsTrial) watches(listens string) {
	p.t.Helper()
	p.config["services"] = []any{map[string]any{"unit": "shop.service", "listens": []string{listens}, "url": "", "query": ""}}
	if err := os.WriteFile(filepath.Join(p.folder, "systemctl"), []byte(fakeSystemctl), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *alertsTrial) unit(active, sub string) {
	p.t.Helper()
	text := fmt.Sprintf("LoadState=loaded\nActiveState=%s\nSubState=%s\nResult=success\n", active, sub)
	if err := os.WriteFile(filepath.Join(p.folder, "unit"), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *alertsTrial) restarted() int {
	text, _ := os.ReadFile(filepath.Join(p.folder, "done"))
	return strings.Count(string(text), "restart -- shop.service\n")
}

// The seed's complaint: monit restarts what an admin has stopped. It is told, and left.
func TestAlertsLeaveWhatAnAdminStopped(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	p.watches("127.0.0.1:1")
	p.unit("inactive", "dead")
	for range 3 {
		if said, exit := p.runs("watch", "shop.service"); exit == 2 {
			t.Errorf("monit would restart it: %s", said)
		}
		if said, exit := p.runs("restart", "shop.service"); exit != 1 || !strings.Contains(said, "is stopped") {
			t.Errorf("restart: %d %s", exit, said)
		}
	}
	p.runs("tell")
	if told := p.told(); p.restarted() != 0 || !strings.HasPrefix(told, "told: stopped shop.service\n") {
		t.Errorf("restarted %d times; told %q", p.restarted(), told)
	}
}

// What does not answer is restarted three times, then given up; and what starts by itself is not disturbed.
func TestAlertsRestartIsBounded(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	p.watches("127.0.0.1:1")
	p.unit("activating", "start")
	for range 3 {
		if said, exit := p.runs("watch", "shop.service"); exit != 0 {
			t.Errorf("while it starts: %d %s", exit, said)
		}
	}
	p.unit("active", "running")
	exits := ""
	for range 6 {
		said, exit := p.runs("watch", "shop.service")
		exits += fmt.Sprint(exit)
		if exit == 2 {
			p.runs("restart", "shop.service")
		} else if exit == 4 && !strings.Contains(said, "runs, and does not answer at 127.0.0.1:1: Connection refused") {
			t.Error(said)
		}
	}
	if exits != "022244" || p.restarted() != 3 {
		t.Errorf("exit statuses %s, restarted %d times", exits, p.restarted())
	}
	// Root notes it, and the account reads it.
	if info, err := os.Stat(p.folder + "/restarts/shop.service"); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the note of its restarts: %v, %v", info, err)
	}
	if said, exit := p.runs("restart", "shop.service"); exit != 1 || p.restarted() != 3 || !strings.Contains(said, "not again") {
		t.Errorf("restarted once more: %d %s", exit, said)
	}
}

// A service that answers again recovers by itself, also one that was given up.
func TestAlertsServiceRecovers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := newAlertsTrial(t)
	p.watches(listener.Addr().String())
	p.unit("activating", "auto-restart")
	p.runs("watch", "shop.service")
	if said, exit := p.runs("watch", "shop.service"); exit != 2 || !strings.Contains(said, "dies again and again") {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	p.told()
	p.unit("active", "running")
	p.runs("watch", "shop.service")
	if said, exit := p.runs("restart", "shop.service"); exit != 1 || p.restarted() != 0 {
		t.Errorf("what answers again is restarted: %d %s", exit, said)
	}
	if said, exit := p.runs("watch", "shop.service"); exit != 0 {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	if told := p.told(); !strings.HasPrefix(told, "told: ok shop.service\n") {
		t.Errorf("told %q", told)
	}
}

// A carbon that hangs is found by a question: a connection alone the kernel makes for it.
func TestAlertsFindACarbonThatHangs(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := newAlertsTrial(t)
	p.config["cycles"] = "1"
	p.watches(listener.Addr().String())
	p.config["services"].([]any)[0].(map[string]any)["query"] = listener.Addr().String()
	p.unit("active", "running")
	// Nobody accepts.
	if said, _ := p.runs("watch", "shop.service"); !strings.Contains(said, "critical: runs, and does not answer at "+listener.Addr().String()+": timed out") {
		t.Error(said)
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			size := make([]byte, 4)
			io.ReadFull(connection, size)
			io.CopyN(connection, connection, int64(binary.BigEndian.Uint32(size))) // as long as the question
			connection.Close()
		}
	}()
	if said, exit := p.runs("watch", "shop.service"); exit != 0 {
		t.Errorf("%d %s", exit, said)
	}
}

// A web server that fails, or does not answer in time, is told of what is behind it; one that is not there is not.
func TestAlertsAskBehindTheWebServer(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	p.config["cycles"] = "1"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p.watches(listener.Addr().String())
	p.unit("active", "running")
	for _, test := range []struct{ url, says string }{
		{p.config["url"].(string) + "/healthz", "runs, and is answered for with HTTP 502"},
		{"http://" + listener.Addr().String() + "/healthz", "runs, and does not answer within 5 s"},
		{"http://127.0.0.1:1/healthz", "ok: answers"},
	} {
		p.says("down")
		p.config["services"].([]any)[0].(map[string]any)["url"] = test.url
		if said, _ := p.runs("watch", "shop.service"); !strings.Contains(said, test.says) {
			t.Errorf("%s: %s, want %s", test.url, said, test.says)
		}
	}
}
