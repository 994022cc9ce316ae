package acceptance

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/lab"
	"provision/tasks"
)

// What the tests of changes that fail look at.
const configuration13 = "find /etc/nginx /etc/carbon /etc/systemd/system -type f -exec sha256sum {} + -o -type l -printf '%p %l\\n' | sort | sha256sum"

// TestFault13And14 breaks the configuration of nginx and carbon, in ways that their
// validators see and in ways that only a start shows, while somebody else asks for graphs.
func TestFault13And14BrokenConfiguration(t *testing.T) {
	t.Parallel()
	onEach(t, today(t), "labback", installed, func(t *testing.T, l *lab.Lab, host machine) {
		provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
		broken{host, l.Identity(), l.KnownHosts()}.all(t)
	})
}

type broken struct {
	machine
	identity, known string
}

func (b broken) all(t *testing.T) {
	t.Run("14 nginx", func(t *testing.T) {
		b.refused(t, func(t *testing.T) string {
			return b.fails(t, "-e", "graphite.tls=files", "-e", "graphite.tls_certificate=/etc/ssl/none.pem", "-e", "graphite.tls_key=/etc/ssl/none.key")
		}, "check the new configuration of nginx.service: failed")
	})
	t.Run("14 carbon", func(t *testing.T) {
		b.refused(t, func(t *testing.T) string {
			return b.runs(t, map[string]string{"/etc/carbon/storage-schemas.conf": "[default]\npattern = .*\nretentions = 60x:1d\n"})
		}, "carbon-cache.service: the new configuration does not pass: validate-storage-schemas")
	})
	t.Run("13 nginx", func(t *testing.T) {
		defer b.occupy(t, "443")()
		b.comesBack(t, "nginx", func(t *testing.T) string { return b.fails(t, "-e", "graphite.tls=self-signed") })
	})
	t.Run("13 carbon", func(t *testing.T) {
		defer b.occupy(t, "2004")()
		b.comesBack(t, "carbon-cache", func(t *testing.T) string { return b.fails(t, "-e", "graphite.carbon_pickle=true") })
	})
	t.Run("a full disk in the middle of a set", b.diskFull)
	provision(t, "install", "graphite", "-y", "-H", b.Name).exits(t, 0)
	provision(t, "plan", "graphite", "--detailed-exitcode", "-H", b.Name).exits(t, 0)
}

// fails installs graphite with options that break it, and returns what was said.
func (b broken) fails(t *testing.T, options ...string) string {
	t.Helper()
	began := time.Now()
	run := provision(t, append([]string{"install", "graphite", "-y", "-H", b.Name}, options...)...).exits(t, 3)
	t.Logf("the run took %s:\n%s", time.Since(began).Round(10*time.Millisecond), tail(run.stderr, 1800))
	return run.stderr
}

// runs installs graphite with other content of some files.
func (b broken) runs(t *testing.T, content map[string]string) string {
	t.Helper()
	job, err := work(b.machine, b.identity, b.known, twisted(tasks.Graphite(), content))
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	result, err := install(t.Context(), job, func(event engine.Event) {
		switch event := event.(type) {
		case engine.Output:
			said.WriteString(event.Line + "\n")
		case engine.Restored:
			fmt.Fprintf(&said, "restored %s: %s, runs %v\n", event.Unit, strings.Join(event.Paths, " "), event.Runs)
		}
	})
	if err != nil || result.Status != engine.StatusFailed {
		t.Fatalf("status %s, %v, %v", result.Status, result.Err, err)
	}
	t.Logf("%v\n%s", result.Err, said.String())
	return said.String() + result.Err.Error()
}

// processesOf are the main processes of the services, and nginx's workers, which a reload
// replaces.
func (b broken) processesOf(t *testing.T) map[string]string {
	t.Helper()
	pids := b.mainPIDs(t, "nginx", "carbon-cache", "graphite-web")
	pids["workers"] = b.run(t, "cat /proc/"+pids["nginx"]+"/task/"+pids["nginx"]+"/children")
	return pids
}

// refused is a change that a validator stops: nothing of it was ever there.
func (b broken) refused(t *testing.T, change func(*testing.T) string, want string) {
	before, files := b.processesOf(t), b.run(t, configuration13)
	live, asked := b.watchLive(t), b.askAlways(t)
	said := change(t)
	asked(0)
	if seen := live(); len(seen) != 1 || !seen[strings.TrimSpace(files)] {
		t.Errorf("the live configuration was one of %d: %v", len(seen), seen)
	}
	if !strings.Contains(said, want) {
		t.Errorf("no %q in %s", want, said)
	}
	for name, pid := range b.processesOf(t) {
		if pid != before[name] {
			t.Errorf("%s: process %s, was %s", name, pid, before[name])
		}
	}
	b.nothingPending(t)
	provision(t, "plan", "graphite", "--detailed-exitcode", "-H", b.Name).exits(t, 0)
}

// comesBack is a change that a service does not survive: it runs with its old files.
func (b broken) comesBack(t *testing.T, unit string, change func(*testing.T) string) {
	before := b.processesOf(t)
	text := "cat /etc/nginx/sites-available/graphite /etc/carbon/carbon.conf | sha256sum"
	files := b.run(t, text)
	asked := b.askAlways(t)
	said := change(t)
	asked(5 * time.Second)
	if after := b.run(t, text); after != files {
		t.Errorf("the files are not as before")
	}
	if !strings.Contains(said, unit+".service did not survive the change: its files are put back, and it runs as before") {
		t.Errorf("not said what was put back: %s", said)
	}
	after := b.processesOf(t)
	if after["nginx"] != before["nginx"] {
		t.Errorf("nginx restarted: %s, was %s", after["nginx"], before["nginx"])
	}
	if state := b.run(t, "systemctl is-active nginx carbon-cache graphite-web; systemctl is-failed nginx carbon-cache graphite-web || :"); strings.Count(state, "active\n") != 6 {
		t.Errorf("states: %s", state)
	}
	b.nothingPending(t)
	provision(t, "verify", "graphite", "-H", b.Name).exits(t, 0)
}

func (b broken) nothingPending(t *testing.T) {
	t.Helper()
	if left := b.run(t, "ls -A /var/lib/provision/pending; find / -xdev -name '.provision-0*'"); left != "" {
		t.Errorf("pending or left: %s", left)
	}
}

// diskFull fills the file system of the second of two files of nginx.
func (b broken) diskFull(t *testing.T) {
	b.run(t, `cd /etc/nginx && cp -a sites-available /root/kept && mount -t tmpfs -o size=16k,mode=755 tmpfs sites-available && cp -a /root/kept/. sites-available/ &&
	{ dd if=/dev/zero of=sites-available/filler bs=4k 2>/dev/null || :; }`)
	defer b.run(t, "umount /etc/nginx/sites-available; rm -rf /root/kept")
	before, files := b.processesOf(t), b.run(t, configuration13)
	asked := b.askAlways(t)
	said := b.runs(t, map[string]string{
		"/etc/nginx/conf.d/provision.conf":    b.read(t, "/etc/nginx/conf.d/provision.conf") + "# changed\n",
		"/etc/nginx/sites-available/graphite": b.read(t, "/etc/nginx/sites-available/graphite") + strings.Repeat("# longer than the room that is left\n", 300),
	})
	asked(0)
	for _, want := range []string{"the file system at /etc/nginx/sites-available is full", "restored nginx.service: /etc/nginx/conf.d/provision.conf, runs true"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	if after := b.run(t, configuration13); after != files {
		t.Errorf("the files are not as before")
	}
	for name, pid := range b.processesOf(t) {
		if pid != before[name] {
			t.Errorf("%s: process %s, was %s", name, pid, before[name])
		}
	}
	b.nothingPending(t)
}

// occupy holds a port of the host as another program would, without listening there: of one that
// listens the plan would say so, and refuse.
func (b broken) occupy(t *testing.T, port string) func() {
	t.Helper()
	b.run(t, "systemd-run -q --unit=occupant-"+port+" --collect perl -MIO::Socket::INET -e '@ARGV = IO::Socket::INET->new(LocalAddr => \"127.0.0.1\", LocalPort => "+port+", Proto => \"tcp\") or die; sleep 600'; sleep 0.5; systemctl is-active occupant-"+port)
	return func() { b.try("systemctl stop occupant-"+port, "") }
}

// watchLive looks at the live configuration again and again, until the function that it
// returns is called, which tells all that was seen.
func (b broken) watchLive(t *testing.T) func() map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			output, err := b.try("nginx -t -q 2>&1 && "+configuration13, "")
			if err != nil {
				output = err.Error() + output
			}
			seen[strings.TrimSpace(output)] = true
			time.Sleep(50 * time.Millisecond)
		}
	})
	return func() map[string]bool {
		stop()
		done.Wait()
		return seen
	}
}

func (w website) render(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base+"/render?target=carbon.agents.*.metricsReceived&format=json&from=-5min", nil)
	if err != nil {
		return err
	}
	request.Host = w.host
	request.SetBasicAuth("graphite", w.password)
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}
