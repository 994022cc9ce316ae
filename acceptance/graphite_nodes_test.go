package acceptance

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// TestGraphiteOfSeveralHosts keeps each of 1,000 metrics on two of three nodes, and stops one of them.
func TestGraphiteOfSeveralHosts(t *testing.T) {
	onItsDays(t, 2)
	t.Parallel()
	for suite := range today(t) {
		l := labtest.Open(t)
		nodes := boot(t, l, suite, "labnodes1", "labnodes2", "labnodes3")
		var names, addresses []string
		for _, node := range nodes {
			names, addresses = append(names, node.Name), append(addresses, node.Address.String())
		}
		provision(t, "install", "graphite", "-y", "-H", strings.Join(names, ","), "-e", "graphite.carbon_nodes=["+strings.Join(addresses, ",")+"]").exits(t, 0)

		sendNodes(t, nodes[0], "before")
		for _, node := range nodes {
			readNodes(t, node, "before")
		}
		eventually(t, "each on two", 60*time.Second, func() bool { return filesOfNodes(t, nodes, "before") == 2000 })
		for _, closed := range []string{"2013", "2080"} { // the machine that the lab is on is no node
			if way, err := net.DialTimeout("tcp", net.JoinHostPort(addresses[0], closed), 5*time.Second); err == nil {
				way.Close()
				t.Errorf("port %s is open to all", closed)
			}
		}

		nodes[1].run(t, "systemctl stop carbon-cache carbon-c-relay graphite-web nginx")
		sendNodes(t, nodes[0], "meanwhile")
		for _, name := range []string{"before", "meanwhile"} {
			readNodes(t, nodes[0], name)
			readNodes(t, nodes[2], name)
		}
		nodes[1].run(t, "systemctl start carbon-cache carbon-c-relay graphite-web nginx")
		eventually(t, "what it missed", 60*time.Second, func() bool { return filesOfNodes(t, nodes, "meanwhile") == 2000 })

		// One leaves: its relay makes room for its own carbon, and what it kept is there.
		alone := nodes[2]
		kept := alone.run(t, "ls /var/lib/graphite/whisper/nodes/before | wc -l")
		provision(t, "install", "graphite", "-y", "-H", alone.Name).exits(t, 0)
		provision(t, "plan", "graphite", "--detailed-exitcode", "-H", alone.Name).exits(t, 0)
		if is := alone.run(t, "ls /var/lib/graphite/whisper/nodes/before | wc -l"); is != kept || kept == "0\n" {
			t.Errorf("it had %s of the metrics, and has %s", kept, is)
		}
	}
}

// sendNodes sends 1,000 metrics to a node.
func sendNodes(t *testing.T, node machine, name string) {
	t.Helper()
	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, "nodes.%s.m%d %d %d\n", name, i, i, time.Now().Unix())
	}
	node.feed(t, "cat >/dev/tcp/127.0.0.1/2003", lines.String())
}

// readNodes reads all of them from one.
func readNodes(t *testing.T, node machine, name string) {
	t.Helper()
	read := 0
	eventually(t, "1,000 of "+name+" at "+node.Name, 60*time.Second, func() bool {
		_, body := node.web(t).get(t, "/render?format=json&noCache=1&from=-10min&target=nodes."+name+".*")
		var series []struct {
			Target     string
			Datapoints [][2]*float64
		}
		if json.Unmarshal([]byte(body), &series) != nil {
			return false
		}
		read = 0
		for _, one := range series {
			for _, point := range one.Datapoints {
				if point[0] != nil && one.Target == "nodes."+name+".m"+strconv.Itoa(int(*point[0])) {
					read++
				}
			}
		}
		return read == 1000
	})
}

// filesOfNodes counts them on all nodes.
func filesOfNodes(t *testing.T, nodes []machine, name string) int {
	t.Helper()
	sum := 0
	for _, node := range nodes {
		n, err := strconv.Atoi(strings.TrimSpace(node.run(t, "ls /var/lib/graphite/whisper/nodes/"+name+" 2>/dev/null | wc -l")))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}
