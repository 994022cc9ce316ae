package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestLoginAttemptsAreLimited(t *testing.T) {
	s := newSite(t)
	for range attemptsEach {
		if got := s.login("wrong", "X-Real-IP", "198.51.100.7"); got.status != 401 {
			t.Fatalf("%+v", got)
		}
	}
	right := strings.ReplaceAll(testPassword, " ", "+")
	if got := s.login(right, "X-Real-IP", "198.51.100.7"); got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	if got := s.login(right, "X-Real-IP", "198.51.100.8"); got.status != 303 {
		t.Errorf("another visitor: %+v", got)
	}
}

// Who holds back the bodies of many tries has not tried once: each counts before it is read.
func TestHeldBackBodiesDoNotPassTheLimit(t *testing.T) {
	for tried := 1; ; tried++ {
		guessed, err := guessedAtOnce(t)
		if err != nil && tried < 10 { // a busy machine was not through in bodyTimeout
			continue
		}
		if guessed != attemptsEach || err != nil {
			t.Errorf("%d passwords were tried at a limit of %d, %v", guessed, attemptsEach, err)
		}
		return
	}
}

// guessedAtOnce is how many of many tries that hold back their bodies were tries. An error is a connection that ended.
func guessedAtOnce(t *testing.T) (guessed int, err error) {
	s := newSite(t)
	address := strings.TrimPrefix(s.url, "http://")
	const tries = 30
	body := "password=wrong"
	var answers []*bufio.Reader
	var connections []net.Conn
	for range tries {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
		fmt.Fprintf(conn, "POST /dashboard/login HTTP/1.1\r\nHost: a\r\nX-Real-IP: 198.51.100.7\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", len(body))
		connections, answers = append(connections, conn), append(answers, bufio.NewReader(conn))
	}
	time.Sleep(100 * time.Millisecond) // all are in their handlers, or soon: the limit holds either way
	for i, conn := range connections {
		_, _ = io.WriteString(conn, body) // fails where 429 has come
		response, err := http.ReadResponse(answers[i], nil)
		if err != nil {
			return guessed, err
		}
		response.Body.Close()
		if response.StatusCode == 401 {
			guessed++
		}
	}
	return guessed, nil
}

// Strangers who guess, from many addresses and from the owner's own, do not lock out a browser that
// has signed in before; and its cookie alone opens nothing, and gives no more tries than others have.
func TestStrangersDoNotLockTheOwnerOut(t *testing.T) {
	s := newSite(t)
	right := strings.ReplaceAll(testPassword, " ", "+")
	var device string
	for _, cookie := range (&http.Response{Header: s.login(right, "X-Real-IP", "198.51.100.7").header}).Cookies() {
		if cookie.Name == deviceName {
			device = cookie.Name + "=" + cookie.Value
		}
	}
	if device == "" {
		t.Fatal("no cookie for the browser")
	}
	for i := range attemptsAll + attemptsEach {
		s.login("wrong", "X-Real-IP", fmt.Sprintf("203.0.113.%d", i/attemptsEach))
	}
	if got := s.login(right, "X-Real-IP", "198.51.100.7"); got.status != 429 {
		t.Errorf("a stranger's browser: %d", got.status)
	}
	if got := s.login(right, "X-Real-IP", "203.0.113.1", "Cookie", device); got.status != 303 {
		t.Errorf("the owner's: %d", got.status)
	}
	if got := s.do("GET", "/dashboard/", "", "Cookie", device); got.status != 303 {
		t.Errorf("the cookie alone: %d", got.status)
	}
	for range attemptsEach {
		s.login("wrong", "Cookie", device)
	}
	if got := s.login(right, "Cookie", device); got.status != 429 {
		t.Errorf("tries of a stolen one: %d", got.status)
	}
	forged := deviceName + "=" + strings.Repeat("A", 64)
	if got := s.login(right, "Cookie", forged, "X-Real-IP", "198.51.100.9"); got.status != 429 {
		t.Errorf("a forged one: %d", got.status)
	}
}

func TestAttemptsOfAllVisitorsAreBoundedAndForgotten(t *testing.T) {
	a, now := newAttempts(), time.Now()
	for i := range attemptsAll {
		if !a.take(origin{name: string(rune('a' + i))}, now) {
			t.Fatal(i)
		}
	}
	if a.take(origin{name: "new"}, now) {
		t.Error("allowed after a hundred failures")
	}
	a.giveBack(origin{name: "a"})
	if !a.take(origin{name: "new"}, now) {
		t.Error("what the right password gave back is gone")
	}
	if !a.take(origin{name: "newer"}, now.Add(attemptsWindow)) {
		t.Error("not forgotten after the window")
	}
}

func TestVisitor(t *testing.T) {
	tests := []struct{ remote, real, want string }{
		{"@", "198.51.100.7", "198.51.100.7"},
		{"127.0.0.1:1", "198.51.100.7", "198.51.100.7"},
		{"203.0.113.5:1", "198.51.100.7", "203.0.113.5"},
		{"[2001:db8::1]:1", "", "2001:db8::"},
		{"@", "2001:db8:1:2:3::4", "2001:db8:1:2::"},
		{"@", "", ""},
	}
	for _, test := range tests {
		request := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Real-Ip": {test.real}}}
		if got := visitor(request); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
