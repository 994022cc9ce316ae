package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"provision/internal/lab/simulated"
)

// fleets are those that are measured: so many hosts with the task of the example, and such with a task that
// ships.
var fleets = []fleet{{"workload", 1}, {"workload", 10}, {"workload", 100}, {"workload", 1000}, {"workload", 5000}, {"redis", 1}, {"redis", 1000}}

// fleet is hosts that are alike.
type fleet struct {
	task  string
	hosts int
}

// mostHosts are so many as the largest has.
const mostHosts = 5000

// farAway is how long what is said to a simulated host takes, each way.
const farAway = 20 * time.Millisecond

// fleet measures converged runs on simulated hosts, which answer what the lab host does, in turn with as many
// bare handshakes, and with as many that exchange the same bytes besides.
func (s setup) fleet(ctx context.Context, runs, atOnce int) error {
	project := filepath.Join(s.dir, "fleet")
	if err := os.CopyFS(project, os.DirFS(example)); err != nil {
		return err
	}
	secret := filepath.Join(s.dir, "fleet-token")
	if err := os.WriteFile(secret, []byte("correct horse"), 0o600); err != nil {
		return err
	}
	installs := map[string][]string{}
	for task, settings := range map[string][]string{"workload": {"-e", "workload.token=@" + secret}, "redis": nil} {
		installs[task] = slices.Concat([]string{"env", "-C", project, s.provision, "install", task}, settings)
		if _, err := s.run(ctx, slices.Concat(installs[task], s.reach())); err != nil {
			return err
		}
	}
	identity := filepath.Join(s.dir, "fleet-identity")
	if err := simulated.WriteIdentity(identity); err != nil {
		return err
	}
	port, end, err := s.serve(ctx)
	if err != nil {
		return err
	}
	defer end()
	known := filepath.Join(s.dir, "fleet-known-hosts")
	if err := os.WriteFile(known, []byte(simulated.KnownHosts(mostHosts, port)), 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Printf("Converged hosts of %s, and such with the task redis, simulated in a process of its own on the same machine, %v away each way, %d at once, the median of %d runs in turn with bare handshakes, and with such that exchange the same bytes and make nothing of them. Memory a host: the peak, less that of one host, which is the program's.\n\n", example, farAway, atOnce, runs)
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "task\thosts\twall\tCPU a host\tpeak\tmemory a host\thandshakes: wall\tCPU a host\twith the bytes: wall\tCPU a host\twall, times\tCPU, times\tCPU, times that with the bytes\t\n")
	alone := map[string]int64{} // the peak of one host
	for _, fleet := range fleets {
		if err := os.WriteFile(filepath.Join(project, "hosts.yaml"), []byte(fleet.inventory(port)), 0o600); err != nil {
			return err
		}
		install := slices.Concat(installs[fleet.task], []string{"-y", "-q", "-F", "none", "-i", identity, "-o", "UserKnownHostsFile=" + known, "-f", strconv.Itoa(atOnce)})
		handshakes := []string{self, "-handshakes", strings.Join([]string{strconv.Itoa(fleet.hosts), strconv.Itoa(atOnce), strconv.Itoa(port), identity}, ",")}
		took, err := s.inTurn(ctx, runs, [][]string{install, handshakes, append(handshakes, "-exchange")})
		if err != nil {
			return err
		}
		if fleet.hosts == 1 {
			alone[fleet.task] = took[0].memory
		}
		fleet.row(table, took, alone[fleet.task])
		fmt.Fprintf(os.Stderr, "%s, %d hosts: %.2f s\n", fleet.task, fleet.hosts, took[0].wall.Seconds())
	}
	return table.Flush()
}

// row is what a fleet took: the run, the handshakes, and those with the bytes.
func (f fleet) row(table io.Writer, took []cost, alone int64) {
	run, bare, exchange := took[0], took[1], took[2]
	share := "-"
	if f.hosts > 1 {
		share = fmt.Sprintf("%.0f KB", float64(run.memory-alone)/1000/float64(f.hosts-1))
	}
	cpu := func(of cost) float64 { return milliseconds(of.cpu, f.hosts) }
	fmt.Fprintf(table, "%s\t%d\t%.2f s\t%.2f ms\t%.1f MB\t%s\t%.2f s\t%.2f ms\t%.2f s\t%.2f ms\t%.2f\t%.2f\t%.2f\t\n",
		f.task, f.hosts, run.wall.Seconds(), cpu(run), float64(run.memory)/1e6, share,
		bare.wall.Seconds(), cpu(bare), exchange.wall.Seconds(), cpu(exchange),
		ratio(run.wall, bare.wall), ratio(run.cpu, bare.cpu), ratio(run.cpu, exchange.cpu))
}

func milliseconds(took time.Duration, hosts int) float64 {
	return float64(took.Microseconds()) / 1000 / float64(hosts)
}

// inventory has the simulated hosts.
func (f fleet) inventory(port int) string {
	var text strings.Builder
	text.WriteString("hosts:\n")
	for host := range f.hosts {
		fmt.Fprintf(&text, "  web%04d: {address: \"root@%s:%d\", tasks: [%s]}\n", host+1, simulated.Address(host), port, f.task)
	}
	return text.String()
}

// serve starts the simulated hosts in a process of their own, and returns their port.
func (s setup) serve(ctx context.Context) (port int, end func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, nil, err
	}
	server := exec.CommandContext(ctx, self, append([]string{"-serve"}, s.ssh("")...)...)
	server.Stderr = os.Stderr
	input, err := server.StdinPipe() // it ends with us
	if err != nil {
		return 0, nil, err
	}
	output, err := server.StdoutPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := server.Start(); err != nil {
		return 0, nil, err
	}
	end = func() {
		input.Close()
		server.Wait()
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err == nil {
		port, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		end()
		return 0, nil, fmt.Errorf("simulated hosts: %w", err)
	}
	return port, end, nil
}

// part does what a process of the bench's own has to; false where this is none.
func part(ctx context.Context, serves bool, handshakes string, exchange bool) (mine bool, err error) {
	switch {
	case serves:
		return true, serveHosts(ctx, flag.Args())
	case handshakes != "":
		var hosts, atOnce, port int
		var identity string
		if _, err := fmt.Sscanf(strings.ReplaceAll(handshakes, ",", " "), "%d %d %d %s", &hosts, &atOnce, &port, &identity); err != nil {
			return true, err
		}
		return true, simulated.Handshakes(ctx, hosts, atOnce, port, identity, exchange)
	}
	return false, nil
}

// serveHosts is the process of the simulated hosts. What they are asked, a real one is asked once, by the
// command that runs another on it.
func serveHosts(ctx context.Context, there []string) error {
	fleet := &simulated.Fleet{Delay: farAway, Real: func(line string) (simulated.Answer, error) {
		var output, errs bytes.Buffer
		asked := exec.CommandContext(ctx, there[0], append(there[1:len(there)-1:len(there)-1], line)...)
		asked.Stdout, asked.Stderr = &output, &errs
		err := asked.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = nil
		}
		return simulated.Answer{Output: output.String(), Errors: errs.String(), Status: asked.ProcessState.ExitCode()}, err
	}}
	if err := fleet.Start(); err != nil {
		return err
	}
	defer fleet.Close()
	fmt.Println(fleet.Port())
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
