package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// TestLockedAndNotConverged makes the command end with the two codes that others see least:
// 5, where another run has the host and does not let go, and 6, where the host is not as
// wanted though every step went well.
func TestLockedAndNotConverged(t *testing.T) {
	t.Parallel()
	host := boot(t, labtest.Open(t), "bookworm", "labexit")[0]
	host.feed(t, "cat >/usr/sbin/apt-get; chmod 755 /usr/sbin/apt-get; : >/var/tmp/hold",
		"#!/bin/sh\n: >/var/tmp/held\nwhile [ -e /var/tmp/hold ]; do sleep 0.1; done\nexec /usr/bin/apt-get \"$@\"\n")
	first := make(chan ended, 1)
	go func() { first <- provision(t, "install", "nginx", "-y", "-H", host.Name) }()
	eventually(t, "the first run holds the lock", time.Minute, func() bool {
		_, err := os.Stat(filepath.Join(host.Root(), "var/tmp/held"))
		return err == nil
	})
	locked := provision(t, "install", "nginx", "-y", "--lock-timeout", "1s", "-e", "nginx.client_max_body_size=2m", "-H", host.Name)
	host.run(t, "rm /var/tmp/hold /usr/sbin/apt-get")
	(<-first).exits(t, 0)
	locked.exits(t, 5).tells(t, host.Name+": ", "held by ", "(install nginx) since 20", "hint: wait for it, or give --lock-timeout more time")

	// Whoever takes a change back with each reload is somebody whom provision does not see.
	host.run(t, `mkdir -p /etc/systemd/system/nginx.service.d
printf '[Service]\nExecReload=/bin/chmod 0600 /etc/nginx/conf.d/provision.conf\n' >/etc/systemd/system/nginx.service.d/50-other.conf
systemctl daemon-reload`)
	larger := []string{"install", "nginx", "-y", "-e", "nginx.client_max_body_size=2m", "-H", host.Name}
	provision(t, larger...).exits(t, 6).tells(t, "did not converge", "/etc/nginx/conf.d/provision.conf", "0600")
	host.run(t, "rm /etc/systemd/system/nginx.service.d/50-other.conf; systemctl daemon-reload")
	provision(t, larger...).exits(t, 0)
	provision(t, "plan", "nginx", "--detailed-exitcode", "-e", "nginx.client_max_body_size=2m", "-H", host.Name).exits(t, 0)
}

// tells looks for parts of what a command said to people.
func (e ended) tells(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(e.stderr, part) {
			t.Errorf("%s: does not say %q:\n%s", e.line, part, tail(e.stderr, 3000))
		}
	}
}
