package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
	"provision/internal/proof"
)

// shelf is the example of a host with Graphite and of two that send there, on lab hosts.
type shelf struct {
	hosts   []machine // metrics1, web1, web2
	project string
	flags   []string
}

func (s shelf) do(t *testing.T, code int, args ...string) string {
	t.Helper()
	c := command(t, append(args, s.flags...)...)
	c.Dir = s.project
	ended := finish(t, c).exits(t, code)
	return ended.stdout + ended.stderr
}

// newShelf gives the example the addresses of lab hosts, and packs its application.
func newShelf(t *testing.T, l *lab.Lab, suite, release string) shelf {
	t.Helper()
	s := shelf{project: t.TempDir(), flags: []string{"-i", l.Identity(), "-o", "UserKnownHostsFile=" + l.KnownHosts()}}
	if err := os.CopyFS(s.project, os.DirFS("../examples/metrics")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.project, "hosts.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inventory := string(text)
	for n, address := range []string{"192.0.2.11", "192.0.2.21", "192.0.2.22"} {
		host := bare(t, l, suite, fmt.Sprintf("labshelf%d%s", n, release[1:]))
		s.hosts = append(s.hosts, host)
		inventory = strings.ReplaceAll(inventory, "root@"+address, "root@"+host.Address.String())
	}
	moving := s.hosts[1].Address.As4()
	moving[3] = 250
	inventory = strings.ReplaceAll(inventory, "192.0.2.100/24", fmt.Sprintf("%d.%d.%d.%d/24", moving[0], moving[1], moving[2], moving[3]))
	if err := os.WriteFile(path, []byte(inventory), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-C", filepath.Join(s.project, "shop"), "-cf", filepath.Join(s.project, "shop.tar"), "shop.py").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	return s
}

// "Every guide to Graphite misses steps": all of the shelf on three bare hosts, the application too, in one
// command. Every verify holds, what the hosts measure is in Graphite, a
// second run changes nothing, and what is removed leaves nothing.
func TestTheShelfFromBare(t *testing.T) {
	if os.Getenv("PROVISION_PROVE") != "all" {
		t.Skip("ten minutes; PROVISION_PROVE=all runs it")
	}
	t.Parallel()
	l := labtest.Open(t)
	for suite, release := range releases {
		t.Run(suite, func(t *testing.T) {
			noted(t)
			s := newShelf(t, l, suite, release)
			var before []proof.State
			for _, host := range s.hosts {
				before = append(before, host.look(t))
			}
			s.do(t, 0, "install", "-l", "metrics", "--artifact", "webapp=shop.tar", "-y")
			s.do(t, 0, "plan", "-l", "metrics", "--detailed-exitcode")
			s.do(t, 0, "verify", "-l", "metrics")
			s.measures(t)
			s.do(t, 0, "do", "failover", "drill", "-l", "web1,web2", "-y")
			s.removed(t, before)
		})
	}
}

// somePoint is one that is no null.
var somePoint = regexp.MustCompile(`"values":\[[^\]]*[0-9]`)

// measures sees that what the senders measure, and what their application counts, is in Graphite.
func (s shelf) measures(t *testing.T) {
	t.Helper()
	for range 5 {
		s.hosts[1].run(t, "curl -sk --resolve shop.example.org:443:127.0.0.1 https://shop.example.org/")
	}
	for _, series := range []string{"collectd.*.memory.memory-used", "webapp.*.webapp.worker.*.rss", "stats.counters.shop.pages.count"} {
		eventually(t, series, time.Minute, func() bool {
			drawn := s.do(t, 0, "graph", series, "-l", "metrics1", "--json")
			return somePoint.MatchString(drawn)
		})
	}
}

// noLonger lets apt take away what came with packages and nothing needs now: that is its business. perl-base,
// which is on every host, suggests perl.
const noLonger = "export DEBIAN_FRONTEND=noninteractive; exec </dev/null; apt-get -q -y -o APT::AutoRemove::RecommendsImportant=false" +
	" -o APT::AutoRemove::SuggestsImportant=false autoremove --purge >/dev/null"

// ofDebian is what an upgraded dependency changes: perl-base, for one, which no removal takes back.
var ofDebian = regexp.MustCompile(`^/usr/(bin|sbin|lib|share|include)/`)

// removed takes all away again, host by host, as people do: in one go.
func (s shelf) removed(t *testing.T, before []proof.State) {
	t.Helper()
	for i, name := range []string{"metrics1", "web1", "web2"} {
		tasks := strings.Fields(s.hosts[i].run(t, "ls /var/lib/provision/wanted"))
		s.do(t, 0, slices.Concat([]string{"remove"}, tasks, []string{"--purge", "-l", name, "-y"})...)
		s.hosts[i].run(t, noLonger)
		for _, difference := range before[i].Differences(s.hosts[i].look(t), proof.Except("debian", "stays", "purged", "accounts")) {
			upgraded := difference.Kind == "package" && difference.Before != "" && difference.After != ""
			if !upgraded && !ofDebian.MatchString(difference.Name) {
				t.Errorf("%s: removed: %s", name, difference)
			}
		}
	}
}
