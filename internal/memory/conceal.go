package memory

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

// shown is a resource of which a diff or a copy shows what stands at its path.
type shown interface {
	recipe.Placed
	Hidden() recipe.Resource
}

// concealed returns the recipe in which what takes the place of a secret is as secret as that, for
// this run: neither its diff nor a copy shows what stood there. What is noted is what the task says,
// so the next run shows it.
func (p *plan) concealed(wanted recipe.Recipe) recipe.Recipe {
	secret := map[string]bool{}
	for _, m := range p.Memories {
		for _, trace := range m.Traces {
			if path, _ := resource.At(trace); trace.Secret && path != "" {
				secret[path] = true
			}
		}
	}
	hidden := wanted
	hidden.Items = make([]recipe.Item, len(wanted.Items))
	for i, item := range wanted.Items {
		if shown, ok := item.Resource.(shown); ok && secret[shown.Place()] {
			item.Resource = shown.Hidden()
		}
		hidden.Items[i] = item
	}
	return hidden
}
