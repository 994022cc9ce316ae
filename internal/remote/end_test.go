package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// What a command leaves in the background holds its output open. It ends when the command has,
// with all that the command printed until then.
func TestBackgroundProcessHoldsNobodyUp(t *testing.T) {
	server := newFakeServer(t)
	local, _ := Local(Config{})
	connections := map[string]*Connection{"local": local, "ssh": server.dial()}
	const script = "head -c 200000 /dev/zero; echo printed; echo told >&2; (sleep 120; echo late)& exit 7"
	for name, c := range connections {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endsSoon(t, c, Command{Script: script})
		})
	}
}

// endsSoon runs a command that prints 200,000 zeros and "printed", and exits with 7.
func endsSoon(t *testing.T, c *Connection, command Command) {
	t.Helper()
	began := time.Now()
	out, err := c.Run(context.Background(), command, nil)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 7 || string(exit.Stderr) != "told\n" {
		t.Errorf("%v, stderr %q", err, exit)
	}
	if len(out) != 200_008 || !bytes.HasSuffix(out, []byte("printed\n")) {
		t.Errorf("%d bytes, the last are %q", len(out), out[max(0, len(out)-20):])
	}
	if elapsed := time.Since(began); elapsed > 100*time.Second {
		t.Errorf("it waited for %s", elapsed)
	}
}

func TestOpenSSHBackgroundProcessHoldsNobodyUp(t *testing.T) {
	server := startSSHD(t, "MaxSessions 1")
	c := server.dial(t, "root")
	const script = "head -c 200000 /dev/zero; echo printed; echo told >&2; sleep 120& exit 7"
	endsSoon(t, c, Command{Script: script})
	endsSoon(t, c, Command{Script: script}) // and its session is free
	user := sudoUser(t, "pvbehind", "ALL=(ALL) NOPASSWD: ALL")
	endsSoon(t, server.dial(t, user), Command{Script: script, Root: true})
}

// The connection may die after the command has ended: how it did is known.
func TestEndIsKnownThoughTheConnectionIsLost(t *testing.T) {
	c, _ := Local(Config{})
	c.transport = lostAtTheEnd{c.transport}
	out, err := c.Run(context.Background(), Command{Script: "echo done; exit 3"}, nil)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || string(out) != "done\n" {
		t.Errorf("%q, %v", out, err)
	}
}

type lostAtTheEnd struct{ transport }

func (l lostAtTheEnd) start(ctx context.Context, line string, followed bool) (stream, error) {
	s, err := l.transport.start(ctx, line, followed)
	wait := s.wait
	s.wait = func() error { wait(); return ErrLost }
	return s, err
}

func TestMarks(t *testing.T) {
	start, end := startMark(testToken), endMark(testToken)
	for name, test := range map[string]struct {
		stream, want string
		code         int
		said         bool
	}{
		"no start":                {"noise " + end + "000.", "", 0, false},
		"nothing printed":         {"noise" + start + end + "000.", "", 0, true},
		"all":                     {start + "text\n" + end + "007.later", "text\n", 7, true},
		"no end":                  {start + "text", "text", 0, false},
		"half an end":             {start + "text" + end[:20], "text" + end[:20], 0, false},
		"an end without its code": {start + "text" + end + "00", "text" + end + "00", 0, false},
		"what looks like an end":  {start + end[:40] + "x" + end[:3] + end + "255.", end[:40] + "x" + end[:3], 255, true},
		"a token":                 {start + testToken + ":" + testToken + end + "001.", testToken + ":" + testToken, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			for way, source := range map[string]io.Reader{
				"whole": strings.NewReader(test.stream), "by bytes": iotest.OneByteReader(strings.NewReader(test.stream)),
				"with its end": iotest.DataErrReader(strings.NewReader(test.stream)),
			} {
				r := newMarkReader(source, testToken)
				go r.search(nil)
				got, err := io.ReadAll(r)
				if code, said := r.status(); string(got) != test.want || err != nil || code != test.code || said != test.said {
					t.Errorf("%s: %q, %v, %d, %v", way, got, err, code, said)
				}
			}
		})
	}
}

// What has come is passed on, and not held back until more comes.
func TestOutputIsNotHeldBack(t *testing.T) {
	from, to := io.Pipe()
	r := newMarkReader(from, testToken)
	go r.search(nil)
	go io.WriteString(to, startMark(testToken)+"text")
	buffer := make([]byte, 100)
	soon(t, func() {
		n, err := r.Read(buffer)
		if string(buffer[:n]) != "text" || err != nil {
			t.Errorf("%q, %v", buffer[:n], err)
		}
	})
}
