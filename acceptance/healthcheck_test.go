package acceptance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/lab"
)

// plainly asks as a checker does that knows neither TLS nor names, and follows no redirect: it returns
// the status' number, and the body behind it.
func plainly(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, request+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	if strings.Contains(head, "Location:") && !strings.Contains(head, " 301 ") {
		t.Errorf("%s leads elsewhere: %s", request, head)
	}
	status, _, _ := strings.Cut(head, "\r\n") // its words are nginx's own in some of its answers
	return strings.TrimSpace(strings.Fields(status + " ?")[1] + " " + body)
}

// Route53 asked a site that speaks TLS alone over plain HTTP, got the redirect to HTTPS and called that
// healthy, whatever was behind it. healthcheck says what the site does, of each way in which it fails.
func TestHealthcheckOfATLSOnlySite(t *testing.T) {
	onItsDays(t, 2)
	t.Parallel()
	onEach(t, today(t), "labhlth", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		if err := os.CopyFS(project, os.DirFS("../examples/healthcheck")); err != nil {
			t.Fatal(err)
		}
		do := func(code int, args ...string) ended {
			t.Helper()
			c := command(t, append(args, "-H", host.Name)...)
			c.Dir = project
			return finish(t, c).exits(t, code)
		}
		site, health := host.Address.String()+":80", host.Address.String()+":8080"
		seen := func() string { return plainly(t, site, "GET / HTTP/1.0\r\nHost: shop.example.org") }
		asked := func() string { return plainly(t, health, "GET /health HTTP/1.0") }
		wants := func(want string) {
			t.Helper()
			got := ""
			for deadline := time.Now().Add(time.Minute); got != want && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
				got = asked()
			}
			if got != want {
				t.Errorf("the check says %q, want %q", got, want)
			}
		}
		do(0, "install", "shop", "-y")
		wants("200 healthy")
		for i, fault := range []struct{ broken, says, mended string }{
			{"mv /srv/shop/index.html /srv/shop/away", "down: status 403", "mv /srv/shop/away /srv/shop/index.html"},
			{"sed -i s/welcome/farewell/ /srv/shop/index.html", `down: body lacks "welcome to the shop"`, "sed -i s/farewell/welcome/ /srv/shop/index.html"},
			{"sed -i 's/listen 443/listen 444/' /etc/nginx/sites-available/shop; systemctl reload nginx", "down: connection refused", "sed -i 's/listen 444/listen 443/' /etc/nginx/sites-available/shop; systemctl reload nginx"},
			{"systemctl stop provision-healthcheck.socket", "down: the check itself does not run", "systemctl start provision-healthcheck.socket"},
		} {
			host.run(t, fault.broken)
			if got := seen(); !strings.HasPrefix(got, "301 ") {
				t.Errorf("%s: the site itself says %s", fault.broken, got) // which is what Route53 took for health
			}
			wants("503 " + fault.says)
			if i == 0 {
				do(3, "verify", "shop")
			}
			host.run(t, fault.mended)
			wants("200 healthy")
		}
		// One that is made anew, as before its end, counts at once.
		host.run(t, "rm /etc/provision/shop-tls/*.pem")
		do(0, "install", "shop", "-y")

		for request, want := range map[string]string{
			"GET / HTTP/1.0": "404 ", "GET /health/down HTTP/1.0": "404 ", "GET /health/ HTTP/1.0": "404 ",
			"POST /health HTTP/1.0\r\nContent-Length: 0": "405 ", "GET /health HTTP/1.0\r\nHost: shop.example.org": "200 ",
		} {
			if got := plainly(t, health, request); !strings.HasPrefix(got, want) {
				t.Errorf("%s: it says %s, want %s", request, got, want)
			}
		}
		asksBounded(t, host, health)
		do(0, "plan", "shop", "--detailed-exitcode")
		do(0, "remove", "shop", "healthcheck", "-y")
		if left := host.run(t, "ls -d /run/provision-* 2>/dev/null || :"); left != "" {
			t.Errorf("removed, and left: %s", left)
		}
	})
}

// asksBounded asks as many checkers at once: all are told, and the site is asked once a second.
func asksBounded(t *testing.T, host machine, health string) {
	t.Helper()
	asked := func() int { return strings.Count(host.read(t, "/var/log/nginx/access.log"), `"curl/`) }
	time.Sleep(time.Second) // into one whose answer nobody has asked for yet
	before, began := asked(), time.Now()
	var all sync.WaitGroup
	const checkers, times = 20, 10
	said := make(chan string, checkers*times)
	for range checkers {
		all.Go(func() {
			for range times {
				response, err := http.Get(fmt.Sprintf("http://%s/health", health))
				if err != nil {
					said <- err.Error()
					continue
				}
				response.Body.Close()
				said <- response.Status
			}
		})
	}
	all.Wait()
	close(said)
	for status := range said {
		if status != "200 OK" {
			t.Errorf("one of %d is told %s", checkers*times, status)
		}
	}
	// A second that had begun, and one that has.
	if asks, most := asked()-before, int(time.Since(began).Seconds())+2; asks < 1 || asks > most {
		t.Errorf("%d requests asked the site %d times, want at most %d", checkers*times, asks, most)
	}
}
