package acceptance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// sweep is a run that is killed at one moment after another. After each the same command
// has to make the host exactly what it makes of it undisturbed, and leave nothing else.
type sweep struct {
	name     string
	binary   string     // of gimel, that the releases run; "" where there is none
	graphite bool       // on the host before
	packages []string   // on the host before, and not running: as in the middle of an install
	before   [][]string // commands that were done before
	arranged string     // sh that was run after these
	args     []string   // the command
	code     int        // its exit code
	removes  string     // the task that is removed after the run died: the host has to be as before it

	// visit returns what somebody asks of the host every 100 ms meanwhile; nil for a host
	// that serves nothing before.
	visit func(*testing.T, machine) question
	gap   time.Duration // without an answer, beyond that of a plain restart of restarts
	unit  string        // that is restarted; "": no request may fail
}

// smallReleases are scripts that run a gimel which lies elsewhere on the host. They are as
// long as a few writes of an upload, for a sweep goes through every one: all of the binary's
// would be more than a thousand moments that are alike. The one that is put back runs on
// trial only.
func smallReleases(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{"binary": buildReleases(t)["first"]}
	for name, text := range map[string]string{
		"first":       `exec /usr/local/bin/gimel "$@"`,
		"second":      `GOGC=80 exec /usr/local/bin/gimel "$@"`,
		"treacherous": `case "$*" in *" /etc/gimel/gimel.conf"*) exit 3 ;; esac; exec /usr/local/bin/gimel "$@"`,
	} {
		files[name] = filepath.Join(t.TempDir(), name)
		filler := strings.Repeat("# "+name+": never read, for the line above does not return.\n", 2000)
		if err := os.WriteFile(files[name], []byte("#!/bin/sh\n"+text+"\n"+filler), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// sweeps are the first install of each task, changes to hosts that are in use, and changes
// that a service does not survive. What is put back must be whole too when it is cut short.
func sweeps(releases map[string]string) []sweep {
	graphite := []string{"graphite-carbon", "graphite-web", "uwsgi-core", "uwsgi-plugin-python3", "nginx-light", "logrotate", "openssl"}
	install := []string{"install", "graphite", "-y"}
	deploy := func(release string, more ...string) []string {
		return append([]string{"deploy", "gimel", "-y", "-e", "gimel.rate_limit=0", "--artifact", releases[release]}, more...)
	}
	return []sweep{
		{name: "graphite", packages: graphite, args: install},
		{
			name: "graphite, changed", graphite: true, before: [][]string{install}, visit: asksForGraphs, unit: "graphite-web", gap: 5 * time.Second,
			args: []string{"install", "graphite", "-y", "-e", "graphite.time_zone=Asia/Tokyo", "-e", "graphite.auth=false",
				"-e", "graphite.carbon_pickle=true", "-e", "nginx.client_max_body_size=2m"},
		},
		{
			name: "graphite, put back", graphite: true, before: [][]string{install}, visit: asksForGraphs, unit: "graphite-web", gap: 5 * time.Second, code: 3,
			arranged: occupied("2004"),
			args:     []string{"install", "graphite", "-y", "-e", "graphite.carbon_pickle=true", "-e", "graphite.updates_per_second=100"},
		},
		{name: "nginx, removed", packages: []string{"nginx-light", "logrotate"}, args: []string{"install", "nginx", "-y"}, removes: "nginx"},
		{name: "graphite, removed", packages: graphite, args: install, removes: "graphite"},
		{name: "graphite, taken away", graphite: true, before: [][]string{install}, args: []string{"remove", "graphite", "-y"}},
		{name: "gimel", packages: gimelPackages, binary: releases["binary"], args: deploy("first")},
		{
			name: "gimel, another release", before: [][]string{deploy("first")}, visit: sendsEvents, binary: releases["binary"],
			args: deploy("second", "-e", "gimel.max_name_bytes=64", "-e", "nginx.client_max_body_size=2m"),
		},
		{
			name: "gimel, put back", before: [][]string{deploy("first")}, visit: sendsEvents, code: 3, binary: releases["binary"],
			args: deploy("treacherous", "-e", "gimel.max_name_bytes=64"),
		},
	}
}

// occupied is sh after which another program holds a port, from the boot on. It does not listen
// there, for then the plan would refuse.
func occupied(port string) string {
	return `cat >/etc/systemd/system/occupant.service <<'EOF'
[Service]
ExecStart=/usr/bin/perl -MIO::Socket::INET -e '@ARGV = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => ` + port + `, Proto => "tcp") or die; sleep'
[Install]
WantedBy=multi-user.target
EOF
systemctl -q enable --now occupant`
}

// TestSweep kills runs: before and after every write of the controller, and on the host at
// every point where the runner waits for its disk, that is, before and after every journal
// entry, kept copy, temporary and rename. `make sweep` tries every point, on two hosts at
// once; without PROVISION_SWEEP=all it is a third of the runs a day, one point in each kind of step
// and some of each run.
func TestSweep(t *testing.T) {
	workers := 2
	if os.Getenv("PROVISION_SWEEP") != "all" {
		t.Parallel()
		turn(t) // the binaries that it builds first are no reason to stand behind the others
		workers = 1
	}
	l := labtest.Open(t)
	had := map[string]bool{}
	for i, s := range sweeps(smallReleases(t)) {
		if workers == 1 && i%3 != int(time.Now().Unix()/(24*3600))%3 {
			continue // of another day
		}
		t.Run(s.name, func(t *testing.T) {
			var hosts []*sweptHost
			for j := range workers {
				name, made := fmt.Sprintf("labswp%d%d", i+1, j+1), bare
				if s.graphite {
					made = installed
				}
				host := made(t, l, "bookworm", name)
				hosts = append(hosts, &sweptHost{sweep: s, machine: host, lab: l, relay: newCutter(t, host.Address.String()+":22")})
			}
			onAll(t, "prepare", hosts, func(t *testing.T, host *sweptHost) { host.prepare(t) })
			if t.Failed() {
				return
			}
			points := choosePoints(t, hosts[0].points(), had)
			next := make(chan point, len(points))
			for _, p := range points {
				next <- p
			}
			close(next)
			var found sweepFigures
			onAll(t, "points", hosts, func(t *testing.T, host *sweptHost) {
				for p := range next {
					host.try(t, p, &found)
				}
			})
			t.Logf("sweep of %s: %s", s.name, &found)
		})
	}
}

// onAll does something on several hosts at once, and waits for it. On a single one it does so
// by itself: a parallel subtest would stand in line behind all other tests.
func onAll(t *testing.T, what string, hosts []*sweptHost, do func(*testing.T, *sweptHost)) {
	t.Run(what, func(t *testing.T) {
		if len(hosts) == 1 {
			do(t, hosts[0])
			return
		}
		for _, host := range hosts {
			t.Run(host.Name, func(t *testing.T) {
				t.Parallel()
				do(t, host)
			})
		}
	})
}

// sweepFigures are what a sweep found.
type sweepFigures struct {
	mu                              sync.Mutex
	points, died, differ, leftovers int
	visits                          visits
}

func (f *sweepFigures) String() string {
	text := fmt.Sprintf("%d points, at %d of which the run died; %d differences, %d leftovers", f.points, f.died, f.differ, f.leftovers)
	if f.visits.asked > 0 {
		text += "; " + f.visits.String()
	}
	return text
}

func (f *sweepFigures) add(died bool, differ, left int, v visits) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.points++
	if died {
		f.died++
	}
	f.differ, f.leftovers, f.visits = f.differ+differ, f.leftovers+left, f.visits.with(v)
}

// asksForGraphs asks as somebody who knows the password, by the address at which provision
// reaches the host, which is the one that Graphite answers for.
func asksForGraphs(t *testing.T, m machine) question {
	site := m.web(t)
	site.host = "127.0.0.1"
	return site.render
}

// sendsEvents sends an event of a visitor of its own each time.
func sendsEvents(_ *testing.T, m machine) question {
	sender := load{client: newClient(), base: "https://" + m.Address.String() + "/choice", experiment: "sweep"}
	number := 0
	return func(context.Context) error {
		number++
		return sender.event(int64(number))
	}
}
