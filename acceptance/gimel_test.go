package acceptance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// gimelPackages are what the task gimel installs.
var gimelPackages = []string{"redis-server", "nginx-light", "logrotate", "openssl"}

// TestGimel deploys on a bare host of each release, and then does to it what befalls such
// a host.
func TestGimel(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	releases := buildReleases(t)
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			g := gimelHost{bare(t, l, suite, "lab-gim-"+suite[:2]), releases}
			g.deploys(t)
			t.Run("pages", g.pages)
			t.Run("deploys under load", g.deploysUnderLoad)
			t.Run("crashes under load", g.crashesUnderLoad)
			t.Run("releases kept", g.keepsReleases)
			if suite == "trixie" {
				t.Run("beside graphite", func(t *testing.T) { g.besideGraphite(t) })
			}
			t.Run("removed", func(t *testing.T) { g.goes(t, suite == "bookworm") })
		})
	}
}

// goes takes gimel away. Its releases and its secrets stay until a purge, which is said.
func (g gimelHost) goes(t *testing.T, purge bool) {
	if purge {
		provision(t, "remove", "gimel", "--purge", "-y", "-H", g.Name).exits(t, 0)
		if left := g.run(t, "ls -d /opt/gimel /etc/gimel /etc/provision/secrets/gimel-* /etc/provision/gimel-tls 2>/dev/null; getent passwd gimel; :"); left != "" {
			t.Errorf("purged, and left: %s", left)
		}
		return
	}
	ended := provision(t, "remove", "gimel", "-y", "-H", g.Name).exits(t, 0)
	if told := ended.stdout + ended.stderr; !strings.Contains(told, "/opt/gimel/releases") || !strings.Contains(told, "a later --purge does not take it") {
		t.Errorf("not said that releases stay:\n%s", told)
	}
	g.run(t, "ls /opt/gimel/releases/*/gimel")
	provision(t, append([]string{"install", "gimel", "-H", g.Name}, gimelSettings...)...).exits(t, 0)
}

// buildReleases makes gimel twice, as two releases, and two that fail: one at once, and one
// only where the trial cannot see it.
func buildReleases(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{}
	for _, name := range []string{"first", "second"} {
		files[name] = filepath.Join(dir, name)
		c := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+name, "-o", files[name], "provision/cmd/gimel")
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	for name, script := range map[string]string{
		"crashing": "echo 'gimel: no moon tonight' >&2\nexit 3\n",
		"treacherous": `case "$*" in *" /etc/gimel/gimel.conf"*) echo 'gimel: only now no moon' >&2; exit 3 ;; esac
exec /opt/gimel/releases/*[0-9a-f]/gimel.good "$@"
`,
	} {
		files[name] = filepath.Join(dir, name)
		if err := os.WriteFile(files[name], []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// gimelHost is a lab host with gimel on it, and the releases that it may get.
type gimelHost struct {
	machine
	releases map[string]string
}

// settings let one address send as much as the tests do, and acknowledge only what is on
// the disk.
var gimelSettings = []string{"-y", "-e", "gimel.rate_limit=0", "-e", "redis.appendfsync=always"}

func (g gimelHost) deploy(t *testing.T, release string) ended {
	t.Helper()
	return provision(t, append([]string{"deploy", "gimel", "-H", g.Name, "--artifact", g.releases[release]}, gimelSettings...)...)
}

// current is the version that runs.
func (g gimelHost) current(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(g.run(t, "/proc/$(systemctl show -p MainPID --value gimel)/exe version"))
}

// deploys from bare to working, and to nothing to do.
func (g gimelHost) deploys(t *testing.T) {
	first := g.deploy(t, "first").exits(t, 0)
	for _, want := range []string{"/dashboard/", "GimelAdapter(\"https://", "sudo cat /etc/provision/secrets/gimel-password"} {
		if !strings.Contains(first.stdout+first.stderr, want) {
			t.Errorf("no %q at the end of a deploy", want)
		}
	}
	for _, secret := range []string{"gimel-password", "gimel-api-key", "gimel-hash-key", "redis-gimel", "redis-admin"} {
		if strings.Contains(first.stdout+first.stderr, g.read(t, "/etc/provision/secrets/"+secret)) {
			t.Errorf("the secret %s is printed", secret)
		}
	}
	before := g.mainPIDs(t, "gimel", "redis-server", "nginx")
	again := provision(t, append([]string{"deploy", "gimel", "-H", g.Name, "--json", "--artifact", g.releases["first"]}, gimelSettings...)...).exits(t, 0)
	if end := only(t, again.events(t), "finished", g.Name); end.Changed != 0 {
		t.Errorf("the same release again changed %d\n%s", end.Changed, again.stdout)
	}
	for unit, pid := range g.mainPIDs(t, "gimel", "redis-server", "nginx") {
		if before[unit] != pid {
			t.Errorf("%s restarted", unit)
		}
	}
	provision(t, "verify", "gimel", "-H", g.Name).exits(t, 0)
	if version := g.current(t); version != "first" {
		t.Errorf("version %q runs", version)
	}
	// verify leaves nothing behind.
	keys := g.run(t, "REDISCLI_AUTH=$(cat /etc/provision/secrets/redis-admin) redis-cli -s /run/redis/redis-server.sock --user admin keys '*'")
	if strings.Contains(keys, "provision-verify-") {
		t.Errorf("verify left %s", keys)
	}
}

// counts returns an experiment's participants and conversions.
func (g gimelHost) counts(t *testing.T, namespace, experiment string) (trials, successes int64) {
	t.Helper()
	query := "?namespace=" + namespace + "&scope=" + strings.ReplaceAll(experiment, " ", "+")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.site()+"/experiments"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Api-Key", g.read(t, "/etc/provision/secrets/gimel-api-key"))
	response, err := newClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("/experiments: %s, %v\n%s", response.Status, err, body.String())
	}
	var experiments []struct {
		Goals []struct {
			Results []struct{ Successes, Trials int64 }
		}
	}
	if err := json.Unmarshal(body.Bytes(), &experiments); err != nil {
		t.Fatal(err)
	}
	for _, experiment := range experiments {
		for _, goal := range experiment.Goals {
			for _, result := range goal.Results {
				trials, successes = trials+result.Trials, successes+result.Successes
			}
		}
	}
	return trials, successes
}

func (g gimelHost) site() string { return "https://" + g.Address.String() }

// deploysUnderLoad changes the release in every way while events come: nobody gets
// anything but 200, and all are counted.
func (g gimelHost) deploysUnderLoad(t *testing.T) {
	l := startLoad(t, g, "deploys", false)
	time.Sleep(2 * time.Second)
	g.deploy(t, "second").exits(t, 0)
	if version := g.current(t); version != "second" {
		t.Errorf("after a deploy %q runs", version)
	}
	provision(t, "rollback", "gimel", "-H", g.Name, "-y").exits(t, 0)
	if version := g.current(t); version != "first" {
		t.Errorf("after a rollback %q runs", version)
	}
	pid := g.mainPIDs(t, "gimel")["gimel"]
	crash := g.deploy(t, "crashing").exits(t, 3)
	if !strings.Contains(crash.stderr+crash.stdout, "no moon tonight") {
		t.Errorf("its last lines are not shown:\n%s", tail(crash.stderr, 3000))
	}
	if g.current(t) != "first" || g.mainPIDs(t, "gimel")["gimel"] != pid {
		t.Error("a release that fails its trial touched the one that runs")
	}
	settings := append([]string{"install", "gimel", "-H", g.Name, "-e", "gimel.redis_url=redis://127.0.0.1:1"}, gimelSettings...)
	if wrong := provision(t, settings...).exits(t, 3); !strings.Contains(wrong.stderr+wrong.stdout, "connection refused") {
		t.Errorf("why it is not ready is not shown:\n%s", tail(wrong.stderr, 3000))
	}
	if g.mainPIDs(t, "gimel")["gimel"] != pid {
		t.Error("a setting that fails its trial touched the gimel that runs")
	}
	// Its trial succeeds with another release's binary, which lies beside it.
	g.run(t, "cp /opt/gimel/current/gimel \"$(readlink -f /opt/gimel/current)/gimel.good\"")
	crash = g.deploy(t, "treacherous").exits(t, 3)
	if !strings.Contains(crash.stderr+crash.stdout, "only now no moon") {
		t.Errorf("its last lines are not shown:\n%s", tail(crash.stderr, 3000))
	}
	if version := g.current(t); version != "first" {
		t.Errorf("after a release that crashed %q runs", version)
	}
	g.deploy(t, "second").exits(t, 0)
	time.Sleep(time.Second)
	l.stop(t)
	if l.other.Load() != 0 {
		t.Errorf("%d of %d answers were not 200: %s", l.other.Load(), l.sent.Load(), l.firstTrouble())
	}
	l.countsEverything(t, g)
}

// crashesUnderLoad kills gimel and Redis: what was acknowledged is counted, once.
func (g gimelHost) crashesUnderLoad(t *testing.T) {
	for _, unit := range []string{"gimel", "redis-server"} {
		t.Run(unit, func(t *testing.T) {
			l := startLoad(t, g, "crash "+unit, true)
			for range 3 {
				time.Sleep(2 * time.Second)
				g.run(t, "kill -9 $(systemctl show -p MainPID --value "+unit+")")
			}
			time.Sleep(3 * time.Second)
			l.stop(t)
			t.Logf("%d answers were not 200, and those events sent again: %s", l.other.Load(), l.firstTrouble())
			l.countsEverything(t, g)
		})
	}
	if logs, err := g.try("grep -rl visitor- /var/log/nginx; journalctl -o cat | grep visitor-", ""); err == nil {
		t.Errorf("a visitor's id is in a log:\n%s", tail(logs, 1000))
	}
}

// besideGraphite brings another site to the host, which both have to answer on.
func (g gimelHost) besideGraphite(t *testing.T) {
	provision(t, "install", "graphite", "-H", g.Name, "-y").exits(t, 0)
	provision(t, "verify", "graphite", "gimel", "-H", g.Name).exits(t, 0)
	again := provision(t, append([]string{"install", "graphite", "gimel", "-H", g.Name, "--json"}, gimelSettings...)...).exits(t, 0)
	if end := only(t, again.events(t), "finished", g.Name); end.Changed != 0 {
		t.Errorf("both together changed %d\n%s", end.Changed, tail(again.stdout, 3000))
	}
}

// keepsReleases deploys more releases than are kept.
func (g gimelHost) keepsReleases(t *testing.T) {
	binary, err := os.ReadFile(g.releases["first"])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		file := filepath.Join(t.TempDir(), "gimel")
		// Bytes behind an ELF file are not loaded.
		if err := os.WriteFile(file, append(binary, byte(i)), 0o755); err != nil {
			t.Fatal(err)
		}
		provision(t, append([]string{"deploy", "gimel", "-H", g.Name, "--artifact", file}, gimelSettings...)...).exits(t, 0)
	}
	kept := strings.Fields(g.run(t, "ls /opt/gimel/releases"))
	current := filepath.Base(strings.TrimSpace(g.run(t, "readlink /opt/gimel/current")))
	if len(kept) != 5 || !strings.Contains(strings.Join(kept, " "), current) {
		t.Errorf("kept %v, current %s", kept, current)
	}
	provision(t, append([]string{"rollback", "gimel", "-H", g.Name, "--to", kept[0]}, gimelSettings...)...).exits(t, 0)
	if now := filepath.Base(strings.TrimSpace(g.run(t, "readlink /opt/gimel/current"))); now != kept[0] {
		t.Errorf("rollback --to %s went to %s", kept[0], now)
	}
	provision(t, append([]string{"rollback", "gimel", "-H", g.Name, "--to", "000000000000"}, gimelSettings...)...).exits(t, 3)
}
