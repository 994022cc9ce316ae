package recipe

// Part is what a task offers to others of what it knows to make: nginx a site. A task of one's own says
// it as nginx.site(…). It is made as a task is, of variables of its own.
type Part struct {
	Name      string     // site
	About     string     // what it is, the first sentence for a list, and what it brings
	Leaves    string     // what becomes of one that is no longer wanted
	Example   string     // lines of a task of one's own
	Manual    string     // what it goes by: "systemd.unit(5)"
	Variables []Variable // its arguments: those that have to be set may be given by their place
	Gives     []Given
	// Build returns its resources and what it gives. Input.Vars are its arguments, and Input.Of knows
	// the variables of its task.
	Build func(Input) (Recipe, map[string]string, error)
}

// Given is something to know of a part that was made: of an application its socket.
type Given struct{ Name, Help string }
