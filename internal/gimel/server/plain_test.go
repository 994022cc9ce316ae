package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var eventPaths = []string{"/track", "/choice"}

const plainHost = "Host: ab.example\r\n"

func TestOnlyPlainEventsArePlain(t *testing.T) {
	tests := []struct {
		name, request, query string
		plain                bool
	}{
		{"a browser's", "GET /track?experiment=a+b&uuid=u HTTP/1.1\r\nHost: ab.example:8443\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0 (X11)\r\nAccept: */*\r\n\r\n", "experiment=a+b&uuid=u", true},
		{"the second path, empty query", "GET /choice? HTTP/1.1\r\n" + plainHost + "\r\n", "", true},
		{"two at once", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "\r\nGET /track?a=2 HTTP/1.1\r\n", "a=1", true},
		{"incomplete", "GET /track?a=1 HTTP/1.1\r\n" + plainHost, "", false},
		{"no query", "GET /track HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"another path", "GET /tracks?a=1 HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"escaped path", "GET /%74rack?a=1 HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"absolute form", "GET http://ab.example/track?a=1 HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"HEAD", "HEAD /track?a=1 HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"OPTIONS", "OPTIONS /track?a=1 HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"HTTP/1.0", "GET /track?a=1 HTTP/1.0\r\n" + plainHost + "\r\n", "", false},
		{"space in the query", "GET /track?a=1 2 HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"not ASCII", "GET /track?a=é HTTP/1.1\r\n" + plainHost + "\r\n", "", false},
		{"no host", "GET /track?a=1 HTTP/1.1\r\nAccept: */*\r\n\r\n", "", false},
		{"two hosts", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + plainHost + "\r\n", "", false},
		{"a body", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "Content-Length: 3\r\n\r\nabc", "", false},
		{"chunks", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", false},
		{"close", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "Connection: close\r\n\r\n", "", false},
		{"upgrade", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "Upgrade: h2c\r\n\r\n", "", false},
		{"space before the colon", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "Content-Length : 3\r\n\r\n", "", false},
		{"folded header", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "X-A: b\r\n c\r\n\r\n", "", false},
		{"bare line feed", "GET /track?a=1 HTTP/1.1\r\n" + plainHost + "X-A: b\nContent-Length: 3\r\n\r\n", "", false},
	}
	for _, test := range tests {
		query, size, plain := plainEvent([]byte(test.request), eventPaths)
		if plain != test.plain || query != test.query {
			t.Errorf("%s: %q, %v", test.name, query, plain)
		}
		if want := strings.Index(test.request, "\r\n\r\n") + 4; plain && size != want {
			t.Errorf("%s: size %d, want %d", test.name, size, want)
		}
	}
}

// What is plain, net/http must read the same way: or a request could be hidden
// in another one.
func FuzzPlainEvent(f *testing.F) {
	f.Add("GET /track?experiment=a+b&uuid=u HTTP/1.1\r\nHost: ab.example\r\nAccept: */*\r\n\r\nGET ")
	f.Add("GET /choice? HTTP/1.1\r\nConnection: keep-alive\r\nhost: [::1]:80\r\n\r\n")
	f.Add("GET /track?%zz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
	f.Fuzz(func(t *testing.T, received string) {
		query, size, plain := plainEvent([]byte(received), eventPaths)
		if !plain {
			return
		}
		rest := strings.NewReader(received)
		reader := bufio.NewReaderSize(rest, 1<<16)
		request, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("net/http: %v", err)
		}
		if request.Method != "GET" || request.URL.RawQuery != query || (request.URL.Path != "/track" && request.URL.Path != "/choice") ||
			request.ContentLength != 0 || len(request.TransferEncoding) > 0 || request.Close || request.Host == "" || !request.ProtoAtLeast(1, 1) {
			t.Errorf("net/http reads %+v, we %q", request, query)
		}
		if left := rest.Len() + reader.Buffered(); len(received)-left != size {
			t.Errorf("net/http reads %d bytes, we %d", len(received)-left, size)
		}
	})
}

// exchange sends text on a connection of its own and reads until the other
// side closes.
func (s *site) exchange(parts ...string) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	for i, part := range parts {
		if i > 0 {
			time.Sleep(50 * time.Millisecond) // a packet of its own
		}
		if _, err := io.WriteString(conn, part); err != nil {
			s.t.Fatal(err)
		}
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(answer)
}

const lastRequest = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// An event is answered the same by net/http and without it.
func TestPlainEventsAreAnsweredAsNetHTTPDoes(t *testing.T) {
	s := newSite(t)
	date := regexp.MustCompile(`Date: [^\r]*GMT`)
	both := func(query string, redis string) {
		head := "GET /track?" + query + " HTTP/1.1\r\nHost: a\r\n"
		first := func(answer string) string {
			head, _, _ := strings.Cut(date.ReplaceAllString(answer, "Date:"), "\r\n\r\n")
			return head
		}
		plain := first(s.exchange(head + "\r\n" + lastRequest))
		web := first(s.exchange(head + "TE: trailers\r\n\r\n" + lastRequest))
		if plain != web || !strings.Contains(plain, "Date:\r\n") {
			t.Errorf("%s:\nplain    %q\nnet/http %q", redis, plain, web)
		}
	}
	both("experiment=e&variant=v&event=participate&uuid=u", "redis up")
	both("experiment=e", "dropped")
	s.redis.Kill()
	both("experiment=e&variant=v&event=participate&uuid=u2", "redis down")
	s.redis.Restart()
}

func TestAConnectionCarriesEventsAndThenAnythingElse(t *testing.T) {
	s := newSite(t)
	event := func(uuid string) string {
		return "GET /track?experiment=e&variant=v&event=participate&uuid=" + uuid + " HTTP/1.1\r\nHost: a\r\n\r\n"
	}
	for name, parts := range map[string][]string{
		"pipelined":   {event("a") + event("b") + lastRequest},
		"in packets":  {event("c"), event("d")[:30], event("d")[30:], lastRequest},
		"mixed paths": {event("e"), "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", event("f") + lastRequest},
	} {
		answer := s.exchange(parts...)
		if ok := strings.Count(answer, "HTTP/1.1 200 OK\r\n"); ok < 3 || !strings.HasSuffix(answer, "\r\n\r\nok\n") {
			t.Errorf("%s: %q", name, answer)
		}
	}
	if got := s.count("e", "participate", "v"); got != 6 {
		t.Errorf("count = %d, want 6", got)
	}
}
