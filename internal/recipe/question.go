package recipe

// The questions about a host itself that every task may ask. Each is asked only where a task
// reads its answer.
const (
	Addresses      = "addresses"
	Interface      = "interface"
	Virtualization = "virtualization"
	BootID         = "boot_id"
)

// Question is the probe of one of these.
func Question(name string) Probe { return Probe{Key: FactKey(name)} }
