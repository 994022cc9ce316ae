package recipe

// Look is one look of a build at its input, and what it saw. Builds are pure: one that sees the same with
// every look, from the first on, makes the same.
type Look struct {
	At   func(Input) any
	Seen any // that can be compared by reflect.DeepEqual
}

// Noted is the input, from which a build can learn nothing that looked is not told: first of all that hosts of
// a kind have in common, then of each call by which it asks for what may be this host's alone.
func (in Input) Noted(looked func(Look)) Input {
	looked(Look{common, common(in)})
	noted := in
	noted.Host.looked = looked
	if in.Of != nil {
		noted.Of = func(task string) Values {
			return see(looked, in, func(in Input) Values { return in.Of(task) })
		}
	}
	if in.Ask != nil {
		noted.Ask = func(question Probe, madeUp string) (Said, bool) {
			return see(looked, in, func(in Input) told { return toldOf(in.Ask(question, madeUp)) }).both()
		}
	}
	if in.Peers != nil {
		noted.Peers = func(task string) ([]Peer, error) {
			of := see(looked, in, func(in Input) peers { return peersOf(in.Peers(task)) })
			return of.all, of.err
		}
	}
	if in.Exported != nil {
		noted.Exported = func(peer, task, export string) (Said, bool) {
			return see(looked, in, func(in Input) told { return toldOf(in.Exported(peer, task, export)) }).both()
		}
	}
	return noted
}

// common is all of an input but what is asked for by calls, of which it says which there are. A field that
// somebody adds is in it: where no two hosts have it in common, none are alike, until it is asked for too.
func common(in Input) any {
	there := [...]bool{in.Of != nil, in.Ask != nil, in.Peers != nil, in.Exported != nil}
	in.Host, in.Of, in.Ask, in.Peers, in.Exported = Host{}, nil, nil, nil, nil
	return struct {
		Input
		there [len(there)]bool
	}{in, there}
}

// see looks at an input, and tells looked, unless that is nil, that it did.
func see[T any](looked func(Look), in Input, at func(Input) T) T {
	seen := at(in)
	if looked != nil {
		looked(Look{func(in Input) any { return at(in) }, seen})
	}
	return seen
}

// told is what Ask and Exported return.
type told struct {
	said  Said
	known bool
}

func toldOf(said Said, known bool) told { return told{said, known} }

func (t told) both() (Said, bool) { return t.said, t.known }

// peers are what Peers returns.
type peers struct {
	all []Peer
	err error
}

func peersOf(all []Peer, err error) peers { return peers{all, err} }
