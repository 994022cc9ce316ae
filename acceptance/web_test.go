package acceptance

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// website is a host's Graphite as seen from outside.
type website struct {
	base     string // http://ADDRESS
	password string
	host     string // that is asked for; "": as in base
}

func (m machine) web(t *testing.T) website {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(m.Root(), "etc/provision/secrets/graphite-password"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return website{base: "http://" + m.Address.String(), password: strings.TrimSpace(string(password))}
}

// get returns the status and the body of an answer, which may be a redirection.
func (w website) get(t *testing.T, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.password != "" {
		request.SetBasicAuth("graphite", w.password)
	}
	client := http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// hasValue says whether the metric has that value, as JSON writes it, in the last hour.
func (w website) hasValue(t *testing.T, metric, value string) bool {
	t.Helper()
	status, body := w.get(t, "/render?format=json&noCache=1&from=-1h&target="+metric)
	return status == http.StatusOK && strings.Contains(body, "["+value+", ")
}

// send sends a line to carbon, as a program on the host does.
func (m machine) send(t *testing.T, format string, args ...any) {
	t.Helper()
	m.feed(t, "cat >/dev/tcp/127.0.0.1/2003", fmt.Sprintf(format, args...)+"\n")
}
