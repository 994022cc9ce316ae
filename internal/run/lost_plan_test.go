package run

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A host whose connection is lost while it is planned is asked once more, for nothing was begun, and no more than once.
func TestConnectionLostInAPlan(t *testing.T) {
	onMachine(t, func(m *machine) {
		there := m.sshd(t)
		for cuts, want := range []engine.Status{engine.StatusSame, engine.StatusSame, engine.StatusUnreachable} {
			target, dir := there, m.path(fmt.Sprintf("cut%d", cuts))
			relay := relayed(t, &target, 0)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			answered := resource.Command{Name: "answers", Script: ":", Unless: "touch " + dir + "/asked.$$; until [ -e " + dir + "/answer ]; do sleep 0.1; done"}
			cut := make(chan int)
			go func() {
				done := 0
				defer func() { cut <- done }()
				for end := time.Now().Add(2 * time.Minute); done < cuts && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
					if asked, _ := filepath.Glob(dir + "/asked.*"); len(asked) > done {
						relay.Cut()
						done++
					}
				}
				if err := os.WriteFile(dir+"/answer", nil, 0o600); err != nil {
					t.Error(err)
				}
			}()
			task := taskOf("x", answered)
			results, err := Plan(t.Context(), []Work{{Target: target, Blueprint: Blueprint{Tasks: []recipe.Task{task}}}}, Settings{Forks: 1, Observe: func(engine.HostEvent) {}})
			if err != nil {
				t.Fatal(err)
			}
			if done := <-cut; done != cuts {
				t.Fatalf("%d of %d connections were cut", done, cuts)
			}
			if results[0].Status != want || relay.Connections() != int64(min(cuts+1, 2)) {
				t.Errorf("cut %d times: %s, %v, over %d connections", cuts, results[0].Status, results[0].Err, relay.Connections())
			}
		}
	})
}
