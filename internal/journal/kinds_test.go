package journal_test

import (
	"os/exec"
	"reflect"
	"testing"

	"provision/internal/recipe"
)

// ask puts a resource's questions to the machine, over the run's own shell.
func (c *client) ask(t *testing.T, probes []recipe.Probe) recipe.Facts {
	t.Helper()
	answer, err := c.Probe(t.Context(), probes)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Facts
}

// becomes makes a resource what it wants, step by step: after each the machine has to answer what
// the model of the step says. Then nothing differs any more.
func (c *client) becomes(t *testing.T, wanted recipe.Resource) recipe.Change {
	t.Helper()
	if validator, ok := wanted.(recipe.Validator); ok {
		if err := validator.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	model := c.ask(t, wanted.Probes())
	change, err := wanted.Diff(model)
	if err != nil {
		t.Fatal(err)
	}
	c.holds(t, wanted, model, change.Steps)
	return change
}

// holds does steps, and holds the model against the machine after each.
func (c *client) holds(t *testing.T, wanted recipe.Resource, model recipe.Facts, steps []recipe.Step) {
	t.Helper()
	for _, step := range steps {
		c.do(t, step)
		model.Apply(step.Effects())
		for key, is := range c.ask(t, wanted.Probes()) {
			if said := model[key]; said.Until == "" && !reflect.DeepEqual(comparable(said.Value, is.Value), is.Value) {
				t.Errorf("after %q: %s is %+v, the model says %+v", step.Title(), key, is.Value, said.Value)
			}
			model[key] = is
		}
	}
	again, err := wanted.Diff(model)
	if err != nil || !again.Empty() {
		t.Errorf("%s: then it wants %+v, %v", wanted.ID(), again, err)
	}
}

// comparable is what a model said, with what only the host can choose as the host has it.
func comparable(said, is any) any {
	switch said := said.(type) {
	case recipe.User:
		if said.Exists && said.UID == 0 {
			said.UID = is.(recipe.User).UID
		}
		return said
	case recipe.Group:
		if said.Exists && said.GID == 0 {
			said.GID = is.(recipe.Group).GID
		}
		return said
	case recipe.Lists:
		said.Age = is.(recipe.Lists).Age // time goes by
		return said
	case recipe.Path:
		if is.(recipe.Path).SHA256 == "" {
			said.SHA256 = ""
		}
		return said
	}
	return said
}

// withAccounts gives the machine accounts of its own, and the real commands that change them.
func (m *machine) withAccounts(t *testing.T) {
	t.Helper()
	m.withEtc(t)
	for _, name := range []string{"useradd", "usermod", "userdel", "chpasswd", "groupadd", "groupdel"} {
		if out, err := exec.Command("cp", "/usr/sbin/"+name, m.dir+"/sbin/").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// withEtc gives the machine a copy of /etc.
func (m *machine) withEtc(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", "/etc", m.dir+"/etc").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m.setup += "mount --bind " + m.dir + "/etc /etc || exit 99\n"
}
