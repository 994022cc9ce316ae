package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// service is what is verified: a page, and a port that answers a line.
func service(t *testing.T) (page *httptest.Server, line string) {
	t.Helper()
	page = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user+":"+password != "anna:secret" && r.URL.Path == "/closed" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		fmt.Fprintf(w, "\x89PNG %s", r.URL.RawQuery)
	}))
	t.Cleanup(page.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "+PONG\r\n")
			conn.Close()
		}
	}()
	return page, listener.Addr().String()
}

func TestVerify(t *testing.T) {
	page, line := service(t)
	here := (&net.Dialer{}).DialContext
	password := recipe.NewSecret("secret")
	rows := []struct {
		check recipe.Check
		want  string // in the error, "" when it passes
	}{
		{recipe.Check{HTTP: &recipe.HTTPCheck{URL: page.URL + "/?n=$NONCE", Prefix: "\x89PNG", Type: "image/png", Contains: "n=$NONCE"}}, ""},
		{recipe.Check{HTTP: &recipe.HTTPCheck{URL: page.URL, Contains: "nowhere"}}, `no "nowhere" in the body`},
		{recipe.Check{HTTP: &recipe.HTTPCheck{URL: page.URL, Lacks: "PNG"}}, "is in the body"},
		{recipe.Check{HTTP: &recipe.HTTPCheck{URL: page.URL, Type: "text/html"}}, `content type "image/png"`},
		{recipe.Check{HTTP: &recipe.HTTPCheck{URL: page.URL + "/closed", Status: 401}}, ""},
		{recipe.Check{HTTP: &recipe.HTTPCheck{URL: page.URL + "/closed"}}, "status 401, want 200"},
		{recipe.Check{HTTP: &recipe.HTTPCheck{URL: page.URL + "/closed", User: "anna", Password: password}}, ""},
		{recipe.Check{TCP: &recipe.TCPCheck{Address: line, Send: "PING\r\n", Expect: "PONG"}}, ""},
		{recipe.Check{TCP: &recipe.TCPCheck{Address: line, Expect: "PANG"}}, `no "PANG" in the answer`},
		{recipe.Check{TCP: &recipe.TCPCheck{Address: line, Closed: true}}, "is open"},
		{recipe.Check{TCP: &recipe.TCPCheck{Address: "127.0.0.1:1", Closed: true}}, ""},
		{recipe.Check{Command: &recipe.CommandCheck{Script: "ok", Contains: "fine"}}, ""},
		{recipe.Check{Command: &recipe.CommandCheck{Script: "ok", Exit: 1}}, "exit status 0, want 1"},
		{recipe.Check{}, "asks nothing"},
	}
	reach := engine.Reach{
		Host: "127.0.0.1", Through: here, Outside: here,
		Run: func(context.Context, string) (int, string, error) { return 0, "all is fine", nil },
	}
	for i, row := range rows {
		row.check.Name = fmt.Sprintf("check %d", i)
		var checked engine.Checked
		err := engine.Verify(t.Context(), []recipe.Check{row.check}, reach, func(event engine.Event) {
			if c, ok := event.(engine.Checked); ok {
				checked = c
			}
		})
		switch {
		case row.want == "" && (err != nil || checked.Err != nil):
			t.Errorf("%s: %v", row.check.Name, checked.Err)
		case row.want != "" && (!errors.Is(err, engine.ErrVerify) || checked.Err == nil || !strings.Contains(checked.Err.Error(), row.want)):
			t.Errorf("%s: %v, told %v, want %q", row.check.Name, err, checked.Err, row.want)
		}
	}
}

// TestVerifyLooksFromTheRightPlace: a check from the host goes through the connection, one
// from the controller does not.
func TestVerifyLooksFromTheRightPlace(t *testing.T) {
	page, _ := service(t)
	var asked []string
	dialer := func(name string) engine.Dialer {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			asked = append(asked, name)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}
	reach := engine.Reach{Through: dialer("through"), Outside: dialer("outside")}
	checks := []recipe.Check{
		{Name: "a", From: recipe.FromHost, HTTP: &recipe.HTTPCheck{URL: page.URL}},
		{Name: "b", From: recipe.FromController, HTTP: &recipe.HTTPCheck{URL: page.URL}},
	}
	if err := engine.Verify(t.Context(), checks, reach, func(engine.Event) {}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, " "); got != "through outside" {
		t.Errorf("dialled %s", got)
	}
}

// TestVerifyTellsWhatItLeavesOut: a check that needs one which failed is not made, nor one that needs that, and each is
// told; only what was made has failed.
func TestVerifyTellsWhatItLeavesOut(t *testing.T) {
	var made []string
	reach := engine.Reach{Run: func(_ context.Context, script string) (int, string, error) {
		_, name, _ := strings.Cut(script, "\n")
		made = append(made, name)
		return strings.Index(name, "up"), "", nil
	}}
	check := func(name, needs string) recipe.Check {
		return recipe.Check{Name: name, Needs: needs, Command: &recipe.CommandCheck{Script: name}}
	}
	var told []string
	err := engine.Verify(t.Context(), []recipe.Check{check("is up", ""), check("answers", "is up"), check("with this", "answers"), check("up at all", "")}, reach, func(event engine.Event) {
		checked := event.(engine.Checked)
		told = append(told, fmt.Sprintf("%s: %v", checked.Check.Name, checked.Err))
		if leftOut := slices.Contains([]string{"answers", "with this"}, checked.Check.Name); errors.Is(checked.Err, engine.ErrLeftOut) != leftOut {
			t.Errorf("%s: left out is %v", checked.Check.Name, !leftOut)
		}
	})
	want := []string{"is up: exit status 3, want 0: (empty)", `answers: was not made: it needs "is up"`, `with this: was not made: it needs "answers"`, "up at all: <nil>"}
	if !slices.Equal(told, want) || !slices.Equal(made, []string{"is up", "up at all"}) {
		t.Errorf("told %q, made %q", told, made)
	}
	if err == nil || err.Error() != "verify failed: is up" {
		t.Errorf("%v", err)
	}
}

// TestVerifyTriesUntilItsTimeIsOver: what is not there yet may come.
func TestVerifyTriesUntilItsTimeIsOver(t *testing.T) {
	tries := 0
	reach := engine.Reach{Run: func(context.Context, string) (int, string, error) {
		tries++
		return 3 - min(tries, 3), "", nil
	}}
	check := recipe.Check{Name: "late", Within: 20 * time.Second, Command: &recipe.CommandCheck{Script: "x"}}
	if err := engine.Verify(t.Context(), []recipe.Check{check}, reach, func(engine.Event) {}); err != nil || tries != 3 {
		t.Errorf("error %v after %d tries", err, tries)
	}
}

// A host may be reached by an IPv6 address with a zone, which a URL writes otherwise.
func TestVerifyOfAZonedAddress(t *testing.T) {
	page, _ := service(t)
	var dialed []string
	outside := func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return (&net.Dialer{}).DialContext(ctx, network, page.Listener.Addr().String())
	}
	checks := []recipe.Check{
		{From: recipe.FromController, HTTP: &recipe.HTTPCheck{URL: "http://$HOST:80/%7E?a=%20", Prefix: "\x89PNG"}},
		{From: recipe.FromController, TCP: &recipe.TCPCheck{Address: "$HOST:2003"}},
	}
	if err := engine.Verify(t.Context(), checks, engine.Reach{Host: "fe80::1%lo", Outside: outside}, func(engine.Event) {}); err != nil {
		t.Error(err)
	}
	if want := []string{"[fe80::1%lo]:80", "[fe80::1%lo]:2003"}; !slices.Equal(dialed, want) {
		t.Errorf("dialed %q", dialed)
	}
}
