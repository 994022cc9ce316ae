package run

import (
	"fmt"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/lab"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// While a person ponders over more hosts than have their turn at once, there is no connection to any;
// and each one's ends with its work.
func TestConnectionsEndWithTheirWork(t *testing.T) {
	onMachine(t, func(m *machine) {
		target := m.sshd(t)
		relay := relayed(t, &target, 0)
		for _, test := range []struct{ forks, pondered int }{{3, 3}, {2, 0}} {
			var work []Work
			for i := range 3 {
				path := m.path(fmt.Sprintf("of-%d-%d", test.forks, i))
				task := recipe.Task{Name: fmt.Sprintf("x%d-%d", test.forks, i), Build: func(recipe.Input) (recipe.Recipe, error) {
					var r recipe.Recipe
					r.Add(resource.Directory{Path: path})
					return r, nil
				}}
				one := target
				one.Name = fmt.Sprintf("there%d", i)
				work = append(work, Work{Target: one, Blueprint: Blueprint{Tasks: []recipe.Task{task}}})
			}
			open := -1
			settings := Settings{Forks: test.forks, Unasked: true, Patience: time.Minute, Observe: func(engine.HostEvent) {}, Confirm: func() bool {
				open = settled(relay, test.pondered)
				return true
			}}
			settings.Header.Verb = "install"
			results, err := Install(t.Context(), work, settings)
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range results {
				is(t, result.Finished, engine.StatusChanged)
			}
			if open != test.pondered {
				t.Errorf("%d at once: %d connections while it is asked, want %d", test.forks, open, test.pondered)
			}
		}
		var most int
		settings := Settings{Forks: 1, Observe: func(event engine.HostEvent) {
			if _, ended := event.Event.(engine.Finished); ended {
				most = max(most, settled(relay, 0))
			}
		}}
		if _, err := Verify(t.Context(), []Work{{Target: target}, {Target: target}}, settings); err != nil {
			t.Fatal(err)
		}
		if most != 0 {
			t.Errorf("%d connections to hosts whose work has ended", most)
		}
	})
}

// settled are the connections that are open once they are as many as wanted, or after a while.
func settled(relay *lab.Relay, want int) int {
	for end := time.Now().Add(time.Minute); relay.Open() != want && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	return relay.Open()
}
