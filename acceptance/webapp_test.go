package acceptance

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"provision/internal/lab"
)

const webappHosts = `vars:
  webapp.reload_on_rss: 80
  webapp.evil_reload_on_rss: 200
  webapp@leak.server: gunicorn
  webapp@leak.server_names: [leak.example.org]
  webapp@django.server_names: [django.example.org]
  webapp@django.module: shop.wsgi:application
  webapp@django.packages: [python3-django]
hosts:
  web1: {tasks: [webapp@leak, webapp@django]}
`

// applicationTar writes an application's release, with a text in its files replaced.
func applicationTar(t *testing.T, folder, file, old, new string) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := tar.NewWriter(out)
	application := os.DirFS(folder)
	err = fs.WalkDir(application, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(application, name)
		if err != nil {
			return err
		}
		replaced := strings.ReplaceAll(string(text), old, new)
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(replaced))}); err != nil {
			return err
		}
		_, err = io.WriteString(w, replaced)
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// crowd are visitors of a site who ask without a pause for what leaks.
type crowd struct {
	mu       sync.Mutex
	answered int
	failed   map[string]int
	workers  map[string]bool // that have answered, by release and process
	stop     context.CancelFunc
	all      sync.WaitGroup
}

func visitors(t *testing.T, host machine, site string) *crowd {
	ctx, stop := context.WithCancel(t.Context())
	c := &crowd{failed: map[string]int{}, workers: map[string]bool{}, stop: stop}
	client := newClient()
	for range 3 {
		c.all.Go(func() {
			for ctx.Err() == nil {
				said, err := askFor(client, host, site)
				c.mu.Lock()
				if err != nil {
					c.failed[err.Error()]++
				} else {
					c.answered++
					c.workers[said] = true
				}
				c.mu.Unlock()
			}
		})
	}
	return c
}

func askFor(client *http.Client, host machine, site string) (string, error) {
	request, err := http.NewRequest(http.MethodGet, "http://"+host.Address.String()+"/leak", nil)
	if err != nil {
		return "", err
	}
	request.Host = site
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", response.Status)
	}
	return string(body), err
}

// goHome ends the visits: none of them failed, and many workers came and went.
func (c *crowd) goHome(t *testing.T, site string) {
	t.Helper()
	c.stop()
	c.all.Wait()
	t.Logf("%s: %d requests answered by %d workers", site, c.answered, len(c.workers))
	if len(c.failed) > 0 || c.answered < 300 || len(c.workers) < 10 {
		t.Errorf("%s: %d answered by %d workers, failed: %v", site, c.answered, len(c.workers), c.failed)
	}
}

// largest is the memory of the largest worker, as it is sent to Graphite.
func largest(t *testing.T, host machine, instance string) int {
	t.Helper()
	most := 0
	for line := range strings.Lines(host.run(t, "python3 -B /etc/webapp-"+instance+"/memory.py --print || :")) {
		if bytes, err := strconv.Atoi(strings.Fields(line)[1]); err == nil {
			most = max(most, bytes>>20)
		}
	}
	return most
}

// A Django's memory grew with each request until the host had none left. Applications that leak, a
// real Django among them, are recycled below their limit; meanwhile a release is deployed and taken
// back, and no visitor sees anything of all that. A release with DEBUG = True, which shows visitors its
// insides, does not go live.
func TestWebappThatLeaks(t *testing.T) {
	onItsDays(t, 3)
	t.Parallel()
	onEach(t, today(t), "labwapp", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		writeProject(t, project, map[string]string{"hosts.yaml": webappHosts})
		for _, name := range []string{"leak", "django"} {
			applicationTar(t, "testdata/webapp/"+name, filepath.Join(project, name+"-one.tar"), "", "")
			applicationTar(t, "testdata/webapp/"+name, filepath.Join(project, name+"-two.tar"), `"one"`, `"two"`)
		}
		applicationTar(t, "testdata/webapp/django", filepath.Join(project, "django-debug.tar"), "DEBUG = False", "DEBUG = True")
		do := func(code int, args ...string) string {
			t.Helper()
			c := command(t, append(args, "-l", host.Name, "-y")...)
			c.Dir = project
			ended := finish(t, c).exits(t, code)
			return ended.stdout + ended.stderr
		}
		deploy := func(code int, instance, release string) string {
			t.Helper()
			return do(code, "deploy", "webapp@"+instance, "--artifact", instance+"-"+release+".tar")
		}
		crowds := map[string]*crowd{}
		for _, instance := range []string{"leak", "django"} {
			deploy(0, instance, "one")
			crowds[instance] = visitors(t, host, instance+".example.org")
		}
		for instance := range crowds {
			deploy(0, instance, "two")
			do(0, "rollback", "webapp@"+instance)
		}
		if told := deploy(3, "django", "debug"); !strings.Contains(told, "Django's settings have DEBUG = True") {
			t.Errorf("a release with DEBUG = True is refused with: %s", told)
		}
		for instance, c := range crowds {
			for range 20 {
				if most := largest(t, host, instance); most > 90 {
					t.Errorf("%s: a worker has %d MB, and is to go at 80", instance, most)
				}
			}
			c.goHome(t, instance)
			said, err := askFor(newClient(), host, instance+".example.org")
			if err != nil || !strings.HasPrefix(said, "one ") {
				t.Errorf("%s: says %q in the end: %v", instance, said, err)
			}
			releases := map[string]bool{}
			for worker := range c.workers {
				releases[strings.Fields(worker)[0]] = true
			}
			if !releases["one"] || !releases["two"] {
				t.Errorf("%s: visitors saw %v", instance, releases)
			}
		}
		sent := host.run(t, `timeout 30 python3 -c '
import socket
carbon = socket.create_server(("127.0.0.1", 2003))
for _ in range(2):
    connection, _ = carbon.accept()
    print(connection.makefile().read())
'`)
		for _, instance := range []string{"leak", "django"} {
			if !regexp.MustCompile(`(?m)^webapp\.` + host.Name + `\.` + instance + `\.worker\.2\.rss [0-9]{7,9} [0-9]{10}$`).MatchString(sent) {
				t.Errorf("sent to Graphite: %q, without a worker of %s", sent, instance)
			}
		}
		command := `command=id -un; DJANGO_SETTINGS_MODULE=shop.settings python3 -B -c 'import os, django.conf; print(len(django.conf.settings.SECRET_KEY))'`
		if said := do(0, "do", "webapp@django", "run", "-e", command); !strings.Contains(said, "webapp-django") || !strings.Contains(said, "64") {
			t.Errorf("a command of the application says %s", said)
		}
		applicationTar(t, addRequirements(t, "testdata/webapp/leak"), filepath.Join(project, "leak-three.tar"), `import os`, "import os\n\nimport brought")
		do(0, "deploy", "webapp@leak", "--artifact", "leak-three.tar", "-e", "webapp@leak.requirements=requirements.txt")
		if said := do(0, "do", "webapp@leak", "run", "-e", "command=python3 -B -c 'import brought; print(brought.SAYS)'"); !strings.Contains(said, "brought along") {
			t.Errorf("what is in the virtual environment says %s", said)
		}
		do(0, "remove", "webapp@leak")
		if left := host.run(t, "ls -d /etc/webapp-leak /etc/systemd/system/webapp-leak* /etc/nginx/sites-*/webapp-leak 2>/dev/null; systemctl is-active webapp-django"); left != "active\n" {
			t.Errorf("one of two is removed: %s", left)
		}
	})
}
