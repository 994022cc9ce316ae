package project

import (
	"strings"
	"testing"

	"provision/internal/recipe"
)

// A secret that cannot stand in a format is refused without being told: also within a longer text,
// and with letters that an error escapes.
func TestUnfitSecretIsNotTold(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
variables = [var("token", secret)]
def build(v, host): return [file("/etc/shop", template("a.tmpl", token = v.token))]
-- tasks/templates/a.tmpl --
{{ nginxValue (printf "Bearer %s" .token) }}
`)
	task := p.Tasks()[0]
	_, err := task.Build(input(task, recipe.Values{"token": recipe.NewSecret("correct\"horse\nbattery")}))
	if err == nil {
		t.Fatal("it is not refused")
	}
	for _, word := range []string{"correct", "horse", "battery"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("it is told: %v", err)
		}
	}
}
