package recipe

// Look is one look of a build at its input, and what it saw. Builds are pure: one that sees the same with
// every look, from the first on, makes the same.
type Look struct {
	At   func(Input) any // nil is at all of it, of which no two are the same
	Seen any             // that can be compared by reflect.DeepEqual
}

// See looks at the input, and tells Looked that it did.
func (in Input) See(at func(Input) any) any {
	seen := at(in)
	in.Saw(at, seen)
	return seen
}

// Saw tells Looked of a look.
func (in Input) Saw(at func(Input) any, seen any) {
	if in.Looked != nil {
		in.Looked(Look{at, seen})
	}
}
