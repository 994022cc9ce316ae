package tasks

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// fakeGraphite keeps of each metric the last value, as carbon does of those that fall into
// one slot, and answers for it as graphite-web does.
type fakeGraphite struct {
	mu     sync.Mutex
	values map[string]string
	sent   int
	wrote  chan struct{} // a value after the other
	loses  int           // the first values, as a carbon that is restarted
}

func (g *fakeGraphite) take(conn net.Conn) {
	line, _ := bufio.NewReader(conn).ReadString('\n')
	words := strings.Fields(line)
	g.mu.Lock()
	if g.sent++; len(words) == 3 && g.sent > g.loses {
		g.values[words[0]] = words[1]
	}
	g.mu.Unlock()
	conn.Close()
	g.wrote <- struct{}{}
}

func (g *fakeGraphite) render(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `[{"datapoints": [[%s.0, 1700000000]]}]`, g.values[r.FormValue("target")])
}

// reach leads all that is asked of the host here.
func (g *fakeGraphite) reach(t *testing.T) engine.Reach {
	web := httptest.NewServer(http.HandlerFunc(g.render))
	t.Cleanup(web.Close)
	return engine.Reach{Through: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "127.0.0.1:2003" {
			return (&net.Dialer{}).DialContext(ctx, network, web.Listener.Addr().String())
		}
		here, there := net.Pipe()
		go g.take(there)
		return here, nil
	}}
}

// metricChecks are those of graphite's that write a metric and read it back, and give it a minute.
func metricChecks(t *testing.T) []recipe.Check {
	task := taskNamed(t, "graphite")
	made := checks(t, task, input(t, task, recipe.Platforms()[0], nil))[:2]
	for i := range made {
		made[i].Within = time.Minute
	}
	return made
}

// Two verifies of one host at once: both metrics are there before either is read back.
func TestTwoVerifiesAtOnce(t *testing.T) {
	graphite := &fakeGraphite{values: map[string]string{}, wrote: make(chan struct{}, 100)}
	reach, checks := graphite.reach(t), metricChecks(t)
	both := make(chan struct{})
	go func() {
		<-graphite.wrote
		<-graphite.wrote
		close(both)
	}()
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			err := engine.Verify(t.Context(), checks, reach, func(event engine.Event) {
				if event.(engine.Checked).Check.Name == checks[0].Name {
					<-both
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A verify beside an install: carbon is restarted before it has written the metric down.
func TestVerifySendsAgainWhatARestartLost(t *testing.T) {
	graphite := &fakeGraphite{values: map[string]string{}, wrote: make(chan struct{}, 100), loses: 1}
	if err := engine.Verify(t.Context(), metricChecks(t), graphite.reach(t), func(engine.Event) {}); err != nil {
		t.Error(err)
	}
}

// Whatever a check writes is its verify's own, and none fails for a service that restarts.
func TestVerifyHoldsBesideOthers(t *testing.T) {
	writers := 0
	for _, task := range All() {
		for _, check := range checks(t, task, input(t, task, recipe.Platforms()[0], nil)) {
			if closed := check.TCP != nil && check.TCP.Closed; check.Within < 10*time.Second && !closed && check.Name != gimelRuns && check.From == recipe.FromHost {
				t.Errorf("%s: %s is tried for %s", task.Name, check.Name, check.Within)
			}
			writes := check.TCP != nil && check.TCP.Send != "" ||
				check.Command != nil && slices.Contains(strings.Fields(check.Command.Script), "set")
			if !writes {
				continue
			}
			writers++
			text := ""
			if check.TCP != nil {
				text = check.TCP.Send
			} else {
				text = check.Command.Script
			}
			if name, _, _ := strings.Cut(text, "$NONCE"); name == text || strings.ContainsAny(name[strings.LastIndex(name, "verify"):], " ") {
				t.Errorf("%s: %s writes what every verify writes: %s", task.Name, check.Name, text)
			}
		}
	}
	if writers < 2 {
		t.Errorf("%d checks write", writers)
	}
}

// A timer does nothing that one sees, so a check has to ask for it: else verify holds while it is stopped.
func TestTimersAreChecked(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		if task.Verify == nil {
			return
		}
		made := checks(t, task, input(t, task, platform, raw))
		for _, item := range build(t, task, platform, raw).Items {
			service, ok := item.Resource.(resource.Service)
			if !ok || service.Absent || !strings.HasSuffix(service.Unit, ".timer") {
				continue
			}
			if !slices.ContainsFunc(made, func(c recipe.Check) bool { return c.Command != nil && strings.Contains(c.Command.Script, service.Unit) }) {
				t.Errorf("no check asks for %s", service.Unit)
			}
		}
	})
}
