package recipe

// Host is what of a build's input may be one host's alone. Each method is a look (Input.Noted): hosts share a
// build that differ in nothing that it has called for.
type Host struct {
	listed   Listed
	platform Platform
	looked   func(Look) // nil: nobody wants to know
}

// HostOf is a host of which the inventory says so much, and it itself.
func HostOf(listed Listed, platform Platform) Host { return Host{listed: listed, platform: platform} }

func look[T any](h Host, at func(Host) T) T {
	return see(h.looked, Input{Host: h}, func(in Input) T { return at(in.Host) })
}

// Name is the host's in the inventory.
func (h Host) Name() string { return look(h, func(h Host) string { return h.listed.Name }) }

// Address is the inventory's word, as Listed has it.
func (h Host) Address() string { return look(h, func(h Host) string { return h.listed.Address }) }

// Groups are the host's in the inventory, outermost first.
func (h Host) Groups() []string { return look(h, func(h Host) []string { return h.listed.Groups }) }

// Tasks are the host's in the inventory, with those that they need.
func (h Host) Tasks() []string { return look(h, func(h Host) []string { return h.listed.Tasks }) }

// Hostname is what the host calls itself.
func (h Host) Hostname() string { return look(h, func(h Host) string { return h.platform.Hostname }) }

// CPUs are its processors that are online.
func (h Host) CPUs() int { return look(h, func(h Host) int { return h.platform.CPUs }) }

// MemoryMB is its memory in mebibytes.
func (h Host) MemoryMB() int { return look(h, func(h Host) int { return h.platform.MemoryMB }) }
