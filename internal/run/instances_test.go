package run

import (
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Instances of a task each have their own memory: one goes, and the others stay, with what they share
// and what they need.
func TestInstancesOfATask(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		before := m.snapshot(t)
		shared := resource.File{Path: m.path("shared"), Content: "shared"}
		shop := recipe.Task{Name: "shop", Instances: true, Needs: []string{"nginx"}, Build: func(in recipe.Input) (recipe.Recipe, error) {
			var r recipe.Recipe
			r.Add(shared)
			r.Add(resource.File{Path: m.path("shop" + in.Instance), Content: in.Instance + in.Vars["domain"].(string)})
			return r, nil
		}}
		all := []recipe.Task{taskOf("nginx", resource.File{Path: m.path("nginx"), Content: "nginx"}), shop}
		find := func(names ...string) []recipe.Task {
			var found []recipe.Task
			for _, name := range names {
				found = append(found, Blueprint{All: all}.task(name))
			}
			return found
		}
		values := map[string]recipe.Values{"shop@blue": {"domain": " a"}, "shop@green": {"domain": " b"}}
		both := Blueprint{Tasks: find("nginx", "shop@blue", "shop@green"), Values: values, Given: []string{"shop@blue", "shop@green"}}
		is(t, m.works(t, "install", both, Install), engine.StatusChanged)
		if m.read(t, "shopblue") != "blue a" || m.read(t, "shopgreen") != "green b" {
			t.Errorf("blue is %q, green is %q", m.read(t, "shopblue"), m.read(t, "shopgreen"))
		}
		is(t, m.works(t, "install", both, Install), engine.StatusSame)

		refused := m.works(t, "remove", Blueprint{Removes: find("nginx"), Needing: find("shop"), All: all}, Install)
		if refused.Status != engine.StatusFailed || refused.Err.Error() != "nginx: needed by shop@blue, shop@green" {
			t.Errorf("%s: %v", refused.Status, refused.Err)
		}
		is(t, m.works(t, "remove", Blueprint{Removes: find("shop@blue"), All: all}, Install), engine.StatusChanged)
		if m.read(t, "shopblue") != "" || m.read(t, "shared") != "shared" || m.read(t, "shopgreen") != "green b" || !strings.Contains(m.told.String(), "nginx stays: shop@green needs it\n") {
			t.Errorf("blue is %q, shared %q, told:\n%s", m.read(t, "shopblue"), m.read(t, "shared"), m.told.String())
		}
		is(t, m.works(t, "rollback", Blueprint{}, Rollback("shop@blue")), engine.StatusChanged)
		is(t, m.works(t, "install", both, Install), engine.StatusSame)
		is(t, m.works(t, "remove", Blueprint{Removes: find("shop@green", "shop@blue"), All: all}, Install), engine.StatusChanged)
		sameLines(t, "all removed", m.snapshot(t), before)
	})
}
