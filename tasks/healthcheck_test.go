package tasks

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/templates"
)

// certified is a certificate that vouches for itself.
func certified(t *testing.T, name string, from, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop"}, DNSNames: []string{name},
		NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	made, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}
}

// tlsSite is a site with that certificate; it stops with the test.
func tlsSite(t *testing.T, certificate tls.Certificate, handle http.HandlerFunc) (address string) {
	t.Helper()
	site := httptest.NewUnstartedServer(handle)
	site.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	site.Config.ErrorLog = nil
	site.StartTLS()
	t.Cleanup(site.Close)
	return site.Listener.Addr().String()
}

// asked is what the script answers nginx of the site at an address, which trusts that certificate.
func asked(t *testing.T, address, request string, trusted tls.Certificate, more ...string) string {
	t.Helper()
	text, err := templates.Render("healthcheck/check.sh.tmpl", nil)
	if err != nil {
		t.Fatal(err)
	}
	credentials := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.Certificate[0]})
	if err := os.WriteFile(filepath.Join(credentials, "ca"), ca, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", text)
	c.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "CREDENTIALS_DIRECTORY=" + credentials,
		"DOMAIN=shop.example.org", "ASKS=/", "ADDRESS=" + address, "WANTED=200", "CONTAINS=", "TIMEOUT=120",
	}, more...)
	c.Stdin = strings.NewReader(request)
	answer, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

const asks = "GET / HTTP/1.0\r\nHost: x\r\nConnection: close\r\n\r\n"

// The script says healthy of a site that works, and of each other why it does not: Route53 said so of
// none, for it took the redirect to HTTPS for an answer, whatever was behind it.
func TestHealthcheckScript(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no curl here: apt-get install curl")
	}
	const name = "shop.example.org"
	now := time.Now()
	good := certified(t, name, now.Add(-time.Hour), now.Add(time.Hour))
	says := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Host != name || r.TLS.ServerName != name {
				t.Errorf("it asks for %s, in TLS for %s", r.Host, r.TLS.ServerName)
			}
			w.Header().Set("Location", "https://elsewhere.example.org/")
			w.WriteHeader(status)
			io.WriteString(w, text)
		}
	}
	waits := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush() // an answer that has begun is none
		<-r.Context().Done()
	}
	closes := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	plain := httptest.NewServer(says(200, "")) // speaks no TLS
	t.Cleanup(plain.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()

	welcome := tlsSite(t, good, says(200, "<p>\nwelcome to the \"shop\" of %s\n"))
	for _, row := range []struct {
		name, address, wants string
		trusted              tls.Certificate
		more                 []string
	}{
		{"works", welcome, "healthy", good, nil},
		{"with its text", welcome, "healthy", good, []string{`CONTAINS=the "shop" of %s`}},
		{"without its text", welcome, `down: body lacks "good [b]ye"`, good, []string{"CONTAINS=good [b]ye"}},
		{"a text is no expression", welcome, `down: body lacks "w.lcome"`, good, []string{"CONTAINS=w.lcome"}},
		{"an empty page", tlsSite(t, good, says(200, "")), "healthy", good, nil},
		{"a long page", tlsSite(t, good, says(200, strings.Repeat("welcome\n", 1<<19))), "healthy", good, []string{"CONTAINS=welcome"}},
		{"status 500", tlsSite(t, good, says(500, "welcome")), "down: status 500", good, []string{"CONTAINS=welcome"}},
		{"a redirect is not followed", tlsSite(t, good, says(301, "")), "down: status 301", good, nil},
		{"a redirect that is wanted", tlsSite(t, good, says(302, "")), "healthy", good, []string{"WANTED=302"}},
		{"expired", tlsSite(t, certified(t, name, now.Add(-2*time.Hour), now.Add(-time.Hour)), says(200, "")), "down: certificate expired", tls.Certificate{}, nil},
		{"not yet valid", tlsSite(t, certified(t, name, now.Add(time.Hour), now.Add(2*time.Hour)), says(200, "")), "down: certificate not yet valid", tls.Certificate{}, nil},
		{"of another name", tlsSite(t, certified(t, "other.example.org", now.Add(-time.Hour), now.Add(time.Hour)), says(200, "")), "down: wrong name: the certificate is not for " + name, tls.Certificate{}, nil},
		{"of nobody who is trusted", tlsSite(t, good, says(200, "")), "down: certificate not trusted", certified(t, name, now, now.Add(time.Hour)), nil},
		{"refused", closed.Addr().String(), "down: connection refused", good, nil},
		{"no TLS", plain.Listener.Addr().String(), "down: no TLS", good, nil},
		{"begins and waits", tlsSite(t, good, waits), "down: timeout: no answer within 0.5 s", good, []string{"TIMEOUT=0.5"}},
		{"closes", tlsSite(t, good, closes), "down: connection closed", good, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			trusted := row.trusted
			if trusted.Certificate == nil { // the site's own: it is not the trust that it lacks
				trusted = shownBy(t, row.address)
			}
			status := "503 Service Unavailable"
			if row.wants == "healthy" {
				status = "200 OK"
			}
			wants := fmt.Sprintf("HTTP/1.0 %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\n", status, row.wants)
			if got := asked(t, row.address, asks, trusted, row.more...); got != wants {
				t.Errorf("got  %q\nwant %q", got, wants)
			}
		})
	}
	// What verify asks, and what does not come from nginx.
	if got := asked(t, welcome, strings.Replace(asks, "GET /", "GET /down", 1), good); !strings.Contains(got, "\r\n\r\ndown: connection refused\n") {
		t.Errorf("asked for the state of one that is down, it says %q", got)
	}
	if got := asked(t, welcome, "", good); got != "" {
		t.Errorf("asked nothing, it says %q", got)
	}
}

// shownBy is the certificate that a site shows.
func shownBy(t *testing.T, address string) tls.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return tls.Certificate{Certificate: [][]byte{conn.ConnectionState().PeerCertificates[0].Raw}}
}

// The script is POSIX sh, as all that runs on a host.
func TestHealthcheckShellcheck(t *testing.T) { shellchecked(t, "healthcheck/check.sh.tmpl") }

// shellchecked shows shellcheck a template that is a script. What it reads is on the host (SC1091).
func shellchecked(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath("shellcheck"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no shellcheck here: apt-get install shellcheck")
	}
	text, err := templates.Render(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "shellcheck", "--shell=sh", "--exclude=SC1091", "-")
	c.Stdin = strings.NewReader(text)
	if found, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, found)
	}
}

// Several on one host share no file but the script.
func TestHealthcheckInstances(t *testing.T) {
	find := func(name string) recipe.Task {
		task, there, problem, _ := recipe.Find(name, func(name string) (recipe.Task, bool) { return taskNamed(t, name), true })
		if !there {
			t.Fatal(problem)
		}
		return task
	}
	platform := recipe.Platforms()[0]
	seen := map[string]int{}
	var all []recipe.Recipe
	for _, name := range []string{"healthcheck", "healthcheck@shop", "healthcheck@blog"} {
		task := find(name)
		in := input(t, Healthcheck(), platform, nil)
		in.Instance = ""
		built, err := task.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		built.Label(name)
		for _, item := range built.Items {
			if id := item.Resource.ID(); strings.Contains(id, "healthcheck") {
				seen[id]++
			}
		}
		all = append(all, built)
	}
	if _, err := recipe.Join(all...); err != nil {
		t.Error(err)
	}
	for id, times := range seen {
		if shared := id == "file:"+healthcheckScript; (times != 1) != shared {
			t.Errorf("%s is of %d of them", id, times)
		}
	}
}
