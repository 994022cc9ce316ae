package tasks

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/templates"
)

// A busy host that needs more than a second for its check is none that is down: verify said so of a pair while it
// was installed, and keepalived, which gives it longer, left the address where it was.
func TestFailoverStatusIsPatient(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no curl here: apt-get install curl")
	}
	busy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(1200 * time.Millisecond) }))
	defer busy.Close()
	text, err := templates.Render("failover/failover.sh.tmpl", nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range map[string]string{
		"failover.sh": strings.ReplaceAll(text, "/etc/provision/failover", folder),
		"settings":    "ADDRESS=192.0.2.100\nPEER=192.0.2.22\nADDRESS_CHECK=" + busy.URL + "\n",
		"ip":          "#!/bin/sh\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for tried := 1; ; tried++ { // keepalived gives 2 s, and a busy machine takes more than the rest of these
		c := exec.CommandContext(t.Context(), "sh", filepath.Join(folder, "failover.sh"), "status")
		c.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		said, err := c.CombinedOutput()
		if err == nil && string(said) == "192.0.2.100 is on 192.0.2.22, and answers\n" {
			return
		}
		if tried == 20 {
			t.Fatalf("%v: %s", err, said)
		}
	}
}
