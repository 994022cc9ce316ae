package main

import (
	"testing"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/tasks"
)

// A secret that is made up for a proof is one that its variable takes; one with a form of its own, as
// the webhook's URL, is left out.
func TestMadeUpSecretsAreTaken(t *testing.T) {
	made := map[string]bool{}
	for _, task := range tasks.All() {
		for _, extra := range madeUpSecrets(inventory.Host{}, []recipe.Task{task}, nil) {
			made[task.Name+"."+extra.Variable] = true
			for _, v := range task.Variables {
				if v.Name != extra.Variable {
					continue
				}
				if _, err := v.Decode(extra.Value); err != nil {
					t.Errorf("%s.%s: %v", task.Name, v.Name, err)
				}
			}
		}
	}
	for name, want := range map[string]bool{"gimel.password": true, "gimel.hash_key": true, "gimel.webhook": false, "gimel.bigquery_credentials": false} {
		if made[name] != want {
			t.Errorf("%s is made up: %t", name, made[name])
		}
	}
}
