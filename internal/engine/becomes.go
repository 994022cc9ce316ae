package engine

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// This file says of an item before which something may change what it asks about, as a package of
// which nobody has said what it brings, what will stand there all the same: what the item would make
// where nothing is. The apply asks the host again, and makes that, or finds it right.

// AsItIs is the summary of what is right now, and is made so again where a step before changes it.
const AsItIs = "as it is now"

// changeable reports whether a key is one that any package or command may change: the place of what
// provision keeps itself is none.
func changeable(key recipe.Key) bool {
	switch key.Kind {
	case recipe.KindUnit, recipe.KindUser, recipe.KindGroup:
		return true
	case recipe.KindPath, recipe.KindContent, recipe.KindTree, recipe.KindFiles, recipe.KindEntries, recipe.KindOwner:
		return !strings.HasPrefix(key.Name, recipe.State+"/")
	}
	return false
}

// unconfine lays over the facts that any path, unit or account may be another from then on.
func (o outlook) unconfine(until string) {
	if until == "" {
		return
	}
	for _, key := range o.open {
		before := o.Facts[key]
		o.Facts[key] = recipe.Fact{Value: before.Value, Until: until, Was: before.Until == "" || before.Was}
		o.doubt(key, until)
	}
}

// unsettled is the change of an item of whose keys one at least is not known until something has
// happened. What is in its way now is refused now; what it misses may come.
func (o outlook) unsettled(item recipe.Item, until string) (recipe.Change, error) {
	change, failed := o.fromNothing(item)
	if o.found(item.Keys()) {
		now, err := item.Resource.Diff(o.Facts)
		switch {
		case err != nil && failed == nil:
			return recipe.Change{}, fmt.Errorf("%s: %w", item.Where(), err)
		case err == nil && now.Empty():
			return recipe.Change{Kind: recipe.Becomes, Summary: AsItIs, Until: until}, nil
		case err == nil && (failed != nil || change.Empty()):
			change, failed = now, nil
		}
	}
	if failed != nil || change.Empty() {
		return recipe.Change{Kind: recipe.MayBe, Until: until}, nil
	}
	change.Kind, change.Until, change.Steps = recipe.Becomes, until, nil
	if o.mayNotify(item) {
		change.Summary = strings.TrimPrefix(change.Summary+"; takes in what changed", "; ")
	}
	return change, nil
}

// found reports whether of all keys it is known what they were before what may change them.
func (o outlook) found(keys []recipe.Key) bool {
	return !slices.ContainsFunc(keys, func(key recipe.Key) bool { fact := o.Facts[key]; return fact.Until != "" && !fact.Was })
}

// fromNothing is an item's change where nothing is of what is not known.
func (o outlook) fromNothing(item recipe.Item) (recipe.Change, error) {
	keys := item.Keys()
	before := make([]recipe.Fact, len(keys))
	for i, key := range keys {
		if before[i] = o.Facts[key]; before[i].Until != "" {
			o.Facts[key] = recipe.Fact{}
		}
	}
	change, err := item.Resource.Diff(o.Facts)
	for i, key := range slices.Backward(keys) {
		o.Facts[key] = before[i]
	}
	deltas := slices.Clone(change.Deltas)
	for i := range deltas {
		if deltas[i].After != "" {
			deltas[i].Before = ""
		}
	}
	change.Deltas = deltas
	return change, err
}

// mayNotify reports whether an item is a unit that runs, and may have to take a change in.
func (o outlook) mayNotify(item recipe.Item) bool {
	return slices.ContainsFunc(item.Keys(), func(key recipe.Key) bool {
		return key.Kind == recipe.KindPending && o.Facts[key].Until != "" && o.Unit(key.Name).Running()
	})
}

// becomesSo reports whether a change makes just what an earlier plan said that will stand.
func becomesSo(shown, fresh Planned) bool {
	if !reflect.DeepEqual(shown.Item.Resource, fresh.Item.Resource) {
		return false
	}
	change := fresh.Change
	switch {
	case change.Kind == recipe.MayBe:
		return false
	case change.Kind != recipe.Becomes, change.Summary == AsItIs:
		return true
	}
	return change.Summary == shown.Change.Summary && reflect.DeepEqual(change.Deltas, shown.Change.Deltas) && sameContent(change.Diff, shown.Change.Diff)
}

// sameContent reports whether two files become the same.
func sameContent(one, other *recipe.FileDiff) bool {
	if one == nil || other == nil {
		return one == other
	}
	return slices.Equal(one.After, other.After)
}

// unforeseen is an error of an item that the plan said something else of.
func (a *application) unforeseen(item recipe.Item, err error) error {
	for _, planned := range a.plan.Items {
		if planned.Item.Resource.ID() == item.Resource.ID() && planned.Change.Kind == recipe.Becomes {
			return fmt.Errorf("%w: %w", ErrUnforeseen, err)
		}
	}
	return err
}
