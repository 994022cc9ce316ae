package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a proxy would keep away, where there is none.

// A body that is announced and does not come holds up its own connection alone, and not for long.
func TestABodyThatDoesNotComeIsNotWaitedForLong(t *testing.T) {
	s := newSite(t)
	for _, request := range []string{"GET /track?experiment=e&variant=v&event=participate&uuid=u", "GET /healthz", "POST /dashboard/login", "POST /none"} {
		t.Run(request, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(bodyTimeout + 2*time.Minute))
			fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\np", request)
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("it is open still: %v", err)
			}
		})
	}
}

// Each connection may send headers: what all of them hold has to fit.
func TestLargeHeadersTakeLittleMemory(t *testing.T) {
	s := newSite(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const connections = 25
	var sending sync.WaitGroup
	for range connections {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		sending.Go(func() {
			_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
			fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: a\r\n")
			line := []byte("X-A: " + strings.Repeat("x", 64<<10) + "\r\n")
			for range 160 { // 10 MB, and no end
				if _, err := conn.Write(line); err != nil {
					return
				}
			}
			_, _ = http.ReadResponse(bufio.NewReader(conn), nil)
		})
	}
	sending.Wait()
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 100 {
		t.Errorf("%d connections made it allocate %d MB", connections, took)
	}
}
