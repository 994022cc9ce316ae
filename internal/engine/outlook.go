package engine

import "provision/internal/recipe"

// Wanted is a recipe, and what of it is the same for all hosts that want it. It never changes.
type Wanted struct {
	recipe.Recipe
	keys    [][]recipe.Key              // of each item's probes
	readers map[recipe.Key][]recipe.Key // by what is read, the answers that depend on it
	open    []recipe.Key                // what of the questions any package or command may change
	first   []recipe.Foreword           // what is noted before the first change
}

// Want returns what a recipe wants.
func Want(wanted recipe.Recipe) *Wanted {
	w := &Wanted{Recipe: wanted, readers: map[recipe.Key][]recipe.Key{}}
	for _, item := range wanted.Items {
		w.keys = append(w.keys, item.Keys())
		if foreword, ok := item.Resource.(recipe.Foreword); ok {
			w.first = append(w.first, foreword)
		}
	}
	for _, probe := range wanted.Probes() {
		if changeable(probe.Key) {
			w.open = append(w.open, probe.Key)
		}
		for _, key := range probe.Reads {
			w.readers[key] = append(w.readers[key], probe.Key)
		}
	}
	return w
}

// outlook is a host as it will be: what was found, with the effects of the steps that are
// planned laid over it.
type outlook struct {
	recipe.Facts
	*Wanted
}

func newOutlook(wanted *Wanted, found recipe.Facts) outlook { return outlook{found.Clone(), wanted} }

// lay lays the effects of a change over the facts. What depends on what it changes is unknown
// from then on, unless the change itself decides it.
func (o outlook) lay(effects []recipe.Effect) {
	for _, effect := range effects {
		until := effect.Fact.Until
		if until == "" {
			until = changed(effect.Key)
		}
		o.doubt(effect.Key, until)
	}
	o.Apply(effects)
}

// maybe lays over the facts that an item may change what it asks about, or more, once it is
// known whether it has to.
func (o outlook) maybe(item recipe.Item, until string) {
	for _, n := range item.Notifies {
		if o.Pending(n.Unit).Action == "" {
			o.Facts[recipe.PendingKey(n.Unit)] = recipe.Fact{Until: until}
		}
	}
	for _, key := range item.Keys() {
		o.doubt(key, until)
	}
	if unconfined, ok := item.Resource.(recipe.Unconfined); ok && unconfined.Unconfined() != "" {
		o.unconfine(until)
	}
	if changer, ok := item.Resource.(recipe.Changer); ok {
		for _, key := range changer.MayChange() {
			o.Facts[key] = recipe.Fact{Until: until}
			o.doubt(key, until)
		}
	}
}

// doubt makes unknown what depends on a key, and what depends on that.
func (o outlook) doubt(key recipe.Key, until string) {
	for _, reader := range o.readers[key] {
		if o.Facts[reader].Until != until {
			o.Facts[reader] = recipe.Fact{Until: until}
			o.doubt(reader, until)
		}
	}
}

// changed says in a few words that what a key names is another.
func changed(key recipe.Key) string {
	if key.Kind == recipe.KindCommand {
		return key.Name // says what it does
	}
	return key.Name + " has changed"
}
