package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"provision/internal/lab"
)

//go:embed peers
var peerFiles embed.FS

// peer is a way to bring hosts to what examples/workload wants.
type peer struct {
	name, command string
	changed       *regexp.Regexp // what the output of a run has that was to change nothing and did
}

var peersAre = []peer{
	{"provision", "cd project && ../provision install workload -e workload.token=@../token -y -f 30 --json", regexp.MustCompile(`"changed":[1-9]`)},
	{"Ansible, pipelining", "ansible-playbook playbook.yml", ansibleChanged},
	{"Ansible, mitogen", "ANSIBLE_STRATEGY_PLUGINS=$(dirname $(find /usr/lib/python3 -name mitogen_linear.py)) ANSIBLE_STRATEGY=mitogen_linear ansible-playbook playbook.yml", ansibleChanged},
	{"Fabric", "fab converge", regexp.MustCompile(`: [1-9]\d* changed`)},
}

var ansibleChanged = regexp.MustCompile(`(changed|failed|unreachable)=[1-9]`)

// peersNeed makes a lab host one from which hosts are managed.
const peersNeed = `export DEBIAN_FRONTEND=noninteractive; apt-get -qq update >/dev/null && apt-get -qq --no-install-recommends install ansible-core ansible-mitogen fabric openssh-client python3 >/dev/null 2>&1
dpkg-query -W -f '${Package} ${Version}\n' ansible-core ansible-mitogen fabric python3`

// targetsNeed is what Ansible wants of a host that is managed, and the packages of the workload in apt's cache.
const targetsNeed = `export DEBIAN_FRONTEND=noninteractive; apt-get -qq update >/dev/null && apt-get -qq --no-install-recommends install python3 python3-apt >/dev/null 2>&1 && apt-get -qq -d --no-install-recommends install nginx-light logrotate >/dev/null 2>&1`

// peers measures provision beside what others use for it, from one lab host on others, in their own commands.
func peers(ctx context.Context, l *lab.Lab, targets, runs int, only string) (err error) {
	names := []string{"labpeers0"}
	for target := range targets {
		names = append(names, fmt.Sprintf("labpeers%d", target+1))
	}
	defer func() {
		slices.Reverse(names) // clones before what they stand on
		err = errors.Join(err, l.Remove(context.Background(), names...))
	}()
	hosts, versions, err := bootPeers(ctx, l, names)
	if err != nil {
		return err
	}
	controller := hosts[0]
	if err := furnish(ctx, l, controller, hosts[1:]); err != nil {
		return err
	}
	fmt.Printf("%s, from one lab host of Debian 13 on %d others: the first run, and the median of %d runs that change nothing. CPU: of the controller.\n%s\n", example, targets, runs, strings.ReplaceAll(versions, "\n", "; "))
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\tfirst: wall\tCPU\tconverged: wall\tCPU\t\n")
	for _, one := range peersAre {
		if !strings.Contains(strings.ToLower(one.name), only) {
			continue
		}
		for _, name := range names[1:] {
			if err := l.Rewind(ctx, name); err != nil {
				return err
			}
		}
		first, converged, err := one.measure(ctx, controller, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		fmt.Fprintf(table, "%s\t%.1f s\t%.2f s\t%.2f s\t%.2f s\t\n", one.name, first.wall.Seconds(), first.cpu.Seconds(), converged.wall.Seconds(), converged.cpu.Seconds())
	}
	return table.Flush()
}

// bootPeers boots the controller, with what it runs, and the hosts that it manages: the first of these has what
// is wanted of all of them, and the others are its clones.
func bootPeers(ctx context.Context, l *lab.Lab, names []string) (hosts []lab.Host, versions string, err error) {
	if hosts, err = l.Up(ctx, names[:2], "trixie"); err != nil {
		return nil, "", err
	}
	if versions, err = hosts[0].Run(ctx, peersNeed, ""); err != nil {
		return nil, "", err
	}
	if _, err := hosts[1].Run(ctx, targetsNeed, ""); err != nil {
		return nil, "", err
	}
	if err := l.Checkpoint(ctx, names[1]); err != nil {
		return nil, "", err
	}
	for _, name := range names[2:] {
		host, err := l.Clone(ctx, name, names[1])
		if err != nil {
			return nil, "", err
		}
		hosts = append(hosts, host)
	}
	return hosts, versions, nil
}

// measure is what the first run of a peer takes, and one that changes nothing.
func (p peer) measure(ctx context.Context, controller lab.Host, runs int) (first, converged cost, err error) {
	if first, _, err = timed(ctx, controller, p.command); err != nil {
		return first, converged, err
	}
	var again []cost
	for range runs {
		one, output, err := timed(ctx, controller, p.command)
		if err == nil && p.changed.MatchString(output) {
			err = fmt.Errorf("it changed something again:\n%s", output)
		}
		if err != nil {
			return first, converged, err
		}
		again = append(again, one)
	}
	return first, median(again), nil
}

// furnish writes what the tools need into /root/peers of the controller.
func furnish(ctx context.Context, l *lab.Lab, controller lab.Host, targets []lab.Host) error {
	home := filepath.Join(controller.Root(), "root")
	peers := filepath.Join(home, "peers")
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		return err
	}
	files, err := fs.Sub(peerFiles, "peers")
	if err != nil {
		return err
	}
	if err := errors.Join(os.CopyFS(peers, files), os.CopyFS(filepath.Join(peers, "project"), os.DirFS(example))); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(peers, "provision"), "provision/cmd/provision")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, output)
	}
	identity, err := os.ReadFile(l.Identity())
	if err != nil {
		return err
	}
	known, err := os.ReadFile(l.KnownHosts())
	if err != nil {
		return err
	}
	var ini, txt, yaml strings.Builder
	yaml.WriteString("hosts:\n")
	for _, target := range targets {
		fmt.Fprintf(&ini, "%s ansible_user=root ansible_ssh_private_key_file=/root/.ssh/identity\n", target.Address)
		fmt.Fprintln(&txt, target.Address)
		fmt.Fprintf(&yaml, "  %s: {address: \"root@%s\", tasks: [workload]}\n", target.Name, target.Address)
	}
	const tasks = "project/tasks/workload/"
	program, err := os.ReadFile(filepath.Join(peers, tasks, "files/app"))
	if err != nil {
		return err
	}
	unit, err := os.ReadFile(filepath.Join(peers, tasks, "templates/app.service.tmpl"))
	if err != nil {
		return err
	}
	for path, text := range map[string]string{
		"peers/hosts.ini": ini.String(), "peers/hosts.txt": txt.String(), "peers/project/hosts.yaml": yaml.String(), "peers/token": "correct horse",
		"peers/app": string(program), "peers/app.service": string(unit), ".ssh/identity": string(identity), ".ssh/known_hosts": string(known),
		".ssh/config": "IdentityFile /root/.ssh/identity\n",
	} {
		if err := os.WriteFile(filepath.Join(home, path), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// timed runs a command on the controller, and returns what it took and printed.
func timed(ctx context.Context, controller lab.Host, command string) (cost, string, error) {
	output, err := controller.Run(ctx, "export HOME=/root; cd /root/peers; TIMEFORMAT='%R %U %S'; { time { "+command+"; } >/tmp/output 2>&1; } 2>/tmp/took; status=$?; cat /tmp/took /tmp/output; exit $status", "")
	if err != nil {
		return cost{}, "", fmt.Errorf("%w\n%s", err, output)
	}
	took, output, _ := strings.Cut(output, "\n")
	var wall, user, system float64
	if _, err := fmt.Sscan(took, &wall, &user, &system); err != nil {
		return cost{}, "", fmt.Errorf("time: %w: %q", err, took)
	}
	seconds := func(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }
	return cost{wall: seconds(wall), cpu: seconds(user + system)}, output, nil
}
