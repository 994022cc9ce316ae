package acceptance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/lab"
	"provision/internal/lab/labtest"
	"provision/internal/recipe"
	"provision/internal/remote"
)

// kind is the trial of a kind of resource: a recipe after the other becomes true of one host. After
// every step the probed facts have to equal the model; then nothing may differ, and holds has to
// succeed there, in sh.
type kind struct {
	name   string
	trials []trial
}

type trial struct {
	wanted     []recipe.Resource
	composites []recipe.Composite
	holds      string
	login      string // who can log in then
}

// supplies are what the trials of kinds need.
type supplies struct {
	key        string // a public one, of whoever may log in
	archiveKey string // of Debian's archive
	deb        recipe.Artifact
	url        string // where the hosts find what is served
	served     map[string]string
	commit     string // of the repository that is served
}

func supply(t *testing.T, l *lab.Lab) supplies {
	t.Helper()
	s := supplies{}
	for path, into := range map[string]*string{
		l.Identity() + ".pub": &s.key, "/etc/apt/trusted.gpg.d/debian-archive-bookworm-automatic.asc": &s.archiveKey,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		*into = strings.TrimSpace(string(text))
	}
	dir := t.TempDir()
	build := `set -e; umask 022; mkdir -p deb/DEBIAN deb/etc; echo x >deb/etc/lab-kinds
printf '%s\n' 'Package: lab-kinds' 'Version: 1.0~lab' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x' >deb/DEBIAN/control
dpkg-deb --root-owner-group -b deb; mkdir tool; echo packed >tool/file; tar -czf tool.tar.gz tool
mkdir git; cd git; git init -q; echo committed >file; git add file; git -c user.name=x -c user.email=x@example.org commit -qm x; git update-server-info; git rev-parse HEAD >../commit`
	c := exec.Command("sh", "-c", build)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(dir + "/deb.deb")
	if err != nil {
		t.Fatal(err)
	}
	s.deb = recipe.Artifact{Source: dir + "/deb.deb", Size: int64(len(content)), SHA256: recipe.Digest(content)}
	packed, err := os.ReadFile(dir + "/tool.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	s.served = map[string]string{"/lab": "#!/bin/sh\necho served\n", "/lab.tar.gz": string(packed)}
	commit, err := os.ReadFile(dir + "/commit")
	if err != nil {
		t.Fatal(err)
	}
	s.commit = strings.TrimSpace(string(commit))
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, there := s.served[r.URL.Path]; there {
			io.WriteString(w, text)
			return
		}
		files.ServeHTTP(w, r)
	}))
	if server.Listener, err = net.Listen("tcp", ":0"); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	gateway := labtest.Config().Network.Addr().Next()
	s.url = fmt.Sprintf("http://%s:%d", gateway, server.Listener.Addr().(*net.TCPAddr).Port)
	return s
}

// triedKinds are those that no task of ours has a use for. They follow each other on one host.
func triedKinds(s supplies) []kind {
	return slices.Concat(accountKinds(s), systemKinds(), packageKinds(s), unitKinds(), fetchedKinds(s))
}

func TestKinds(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	needed := supply(t, l)
	for suite, release := range today(t) {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			turn(t)
			host := machine{labtest.Host(t, l, "labkinds"+release, suite)}
			connection := connect(t, l, host, "root")
			for _, kind := range triedKinds(needed) {
				t.Run(kind.name, func(t *testing.T) {
					for _, trial := range kind.trials {
						tryKind(t, prober{connection: connection}, host, trial)
						if trial.login != "" {
							connect(t, l, host, trial.login)
						}
					}
				})
			}
		})
	}
}

func connect(t *testing.T, l *lab.Lab, host machine, user string) *remote.Connection {
	t.Helper()
	connection, err := remote.Dial(t.Context(), remote.Address{User: user, Host: host.Address.String()}, remote.Config{
		ConfigFile: "none", Identities: []string{l.Identity()}, KnownHosts: l.KnownHosts(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// shell ends where something does not hold; what must not is said with no, for of ! it takes no notice.
const shell = "set -ex\nno() { if \"$@\"; then exit 1; fi; }\n"

func tryKind(t *testing.T, host prober, there machine, trial trial) {
	t.Helper()
	var wanted recipe.Recipe
	for _, resource := range trial.wanted {
		wanted.Add(resource)
	}
	for _, composite := range trial.composites {
		wanted.AddAll(composite)
	}
	wanted.Label("kinds")
	if err := wanted.Validate(); err != nil {
		t.Fatal(err)
	}
	if plan := applyAndCompare(t, host, wanted); plan.Empty() {
		t.Error("it was so already: this tries nothing")
	}
	answer, err := host.Probe(t.Context(), wanted.Probes())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := engine.NewPlan(wanted, answer.Facts); err != nil || !again.Empty() {
		t.Errorf("then it wants %+v, %v", again.Changes(), err)
	}
	if trial.holds != "" {
		there.run(t, shell+trial.holds)
	}
}
