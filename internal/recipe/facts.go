package recipe

import (
	"maps"
	"time"
)

// PathType is what stands at a path.
type PathType string

// What can stand at a path. PathAbsent is the zero value: nothing there.
const (
	PathAbsent    PathType = ""
	PathFile      PathType = "file"
	PathDirectory PathType = "directory"
	PathLink      PathType = "link"
	PathOther     PathType = "other" // a device, a socket, a FIFO
)

// Path is what was found at a path. A link is never followed.
type Path struct {
	Type   PathType
	Mode   uint32 // the permission bits, 07777 at most
	Owner  string
	Group  string
	Target string // of a link
	SHA256 string // of a file whose probe asked for it, in hex
}

// Tree is what stands in the way of removing a directory with all that is in it, and of putting
// it back.
type Tree struct {
	Mounts    []string // what is mounted at it or below
	Kilobytes int      // what would have to be copied to another file system
}

// MostCopied is how much of a directory is copied to another file system before it is removed, in
// kilobytes. In the same one it is renamed, whatever it holds.
const MostCopied = 256 << 10

// Content is the bytes of a file.
type Content struct {
	Bytes []byte
	Size  int64 // of a file that is too long to be brought, without its bytes
}

// Package is a Debian package's state, as dpkg-query reports it.
type Package struct {
	Status  string // db:Status-Abbrev without spaces: "ii" is installed, "" unknown to dpkg
	Version string
}

// Installed reports whether the package is unpacked and configured: the second letter is
// the state (dpkg-query(1)); the first is what is wanted, and one on hold ("hi") is there too.
func (p Package) Installed() bool { return len(p.Status) == 2 && p.Status[1] == 'i' }

// Candidate is the version of a package that apt would install by the lists that it has
// (apt-cache(8), policy): "" when there is none.
type Candidate struct{ Version string }

// Removal is what apt would do besides, were a package purged: nothing of one that is not there.
type Removal struct {
	Along []string // packages that go with it
	Comes []string // packages that are installed in its place
}

// Lists is the state of apt's package lists.
type Lists struct {
	Known bool          // lists were fetched, and no source of apt (sources.list(5)) has changed since
	Age   time.Duration // by the host's own clock
}

// Unit is a systemd unit's state, in systemd's words (systemctl(1)).
type Unit struct {
	Load       string // LoadState: loaded, not-found, masked
	Active     string // ActiveState: active, inactive, failed, activating
	State      string // UnitFileState: enabled, disabled, static, masked, ""
	NeedReload bool   // NeedDaemonReload: the file on disk is newer than what systemd holds
}

// Running reports whether the unit is active.
func (u Unit) Running() bool { return u.Active == "active" || u.Active == "reloading" }

// User is an account in passwd(5).
type User struct {
	Exists   bool
	UID      int
	Group    string // its primary group's name; its number where that has none
	Home     string
	Shell    string
	Comment  string
	Password string // the SHA-256 of its hash in shadow(5), in hex, where its probe asked for it: salted, it tells nothing
}

// Group is an entry of group(5).
type Group struct {
	Exists  bool
	GID     int
	Members []string
}

// Command is what a read-only script answered.
type Command struct {
	Exit   int
	Output string // the first kilobyte of its standard output
}

// Said is what a host says of itself to a question.
type Said struct {
	Text    string // without newlines at its end
	Problem string // why that is no answer, "" when it is one: "ends with 2"
}

// MostSaid is the most that an answer to a task's own question may have, in bytes.
const MostSaid = 1024

// Pending is the notification that waits for a unit: "" when none does.
type Pending struct{ Action Action }

// Owner is the installed package that a path belongs to, "" for none.
type Owner struct {
	Package  string
	Conffile bool   // dpkg keeps it as it was changed here (deb-conffiles(5))
	Digest   string // of a conffile, as the package has it
	Shipped  bool   // a conffile that is as the package has it
}

// Touched are the paths that runs have begun to change since a task's memory began.
type Touched []string

// Entries are the names in a directory.
type Entries []string

// Memory is the first line of what a host has noted of what a task wanted.
type Memory struct {
	Head    string // "" where nothing is noted
	Earlier bool   // nothing is, yet a run of a version that noted nothing worked on the task here
}

// Memories are all that a host has noted, by task.
type Memories map[string]string

// Earlier are the names of the tasks on which a version worked that noted nothing.
type Earlier []string

// Fact is one answer of a host: its value, or the event until which it is unknown.
type Fact struct {
	Value any    // what the key's kind is answered with: Path, Unit, User, []Listener, …
	Until string // "" when known; else what has to happen first: "nginx-light is installed"
	Was   bool   // with Until: Value is what was found before, and may be so still
}

// Facts are a host's answers, by key.
type Facts map[Key]Fact

// Clone returns a copy that can be changed without changing f.
func (f Facts) Clone() Facts { return maps.Clone(f) }

// Apply lays effects over the facts, in place.
func (f Facts) Apply(effects []Effect) {
	for _, effect := range effects {
		f[effect.Key] = effect.Fact
	}
}

// Unknown returns what has to happen before all of keys are known, "" if they are.
func (f Facts) Unknown(keys []Key) string {
	for _, key := range keys {
		if until := f[key].Until; until != "" {
			return until
		}
	}
	return ""
}

func value[T any](f Facts, key Key) T {
	v, _ := f[key].Value.(T)
	return v
}

// Path returns what was found at a path; its zero value means nothing there.
func (f Facts) Path(path string) Path { return value[Path](f, PathKey(path)) }

// Tree returns what stands in the way of removing a directory with all that is in it.
func (f Facts) Tree(path string) Tree { return value[Tree](f, TreeKey(path)) }

// Files returns all that is in a directory; nothing where there is none.
func (f Facts) Files(path string) Files { return value[Files](f, FilesKey(path)) }

// Content returns the bytes of a file, or its size: nothing when there is none or none was asked for.
func (f Facts) Content(path string) Content { return value[Content](f, ContentKey(path)) }

// Package returns a package's state.
func (f Facts) Package(name string) Package { return value[Package](f, PackageKey(name)) }

// Candidate returns the version of a package that apt would install.
func (f Facts) Candidate(name string) Candidate { return value[Candidate](f, CandidateKey(name)) }

// Removal returns what apt would do besides, were a package purged.
func (f Facts) Removal(name string) Removal { return value[Removal](f, RemovalKey(name)) }

// Lists returns the state of apt's lists.
func (f Facts) Lists() Lists { return value[Lists](f, ListsKey()) }

// Unit returns a unit's state.
func (f Facts) Unit(name string) Unit { return value[Unit](f, UnitKey(name)) }

// User returns an account.
func (f Facts) User(name string) User { return value[User](f, UserKey(name)) }

// Group returns a group.
func (f Facts) Group(name string) Group { return value[Group](f, GroupKey(name)) }

// Command returns a script's answer.
func (f Facts) Command(name string) Command { return value[Command](f, CommandKey(name)) }

// Said returns what the host says of itself to a question.
func (f Facts) Said(name string) Said { return value[Said](f, FactKey(name)) }

// Pending returns the notification that waits for a unit.
func (f Facts) Pending(unit string) Pending { return value[Pending](f, PendingKey(unit)) }

// Listeners returns what listens at a TCP port.
func (f Facts) Listeners(port int) []Listener { return value[[]Listener](f, ListenerKey(port)) }

// Owner returns the package that a path belongs to.
func (f Facts) Owner(path string) Owner { return value[Owner](f, OwnerKey(path)) }

// Entries returns the names in a directory.
func (f Facts) Entries(path string) Entries { return value[Entries](f, EntriesKey(path)) }

// Memory returns the first line of what is noted of what a task wanted.
func (f Facts) Memory(task string) Memory { return value[Memory](f, MemoryKey(task)) }

// Touched returns the paths that runs have begun to change since a task's memory began.
func (f Facts) Touched(task string) Touched { return value[Touched](f, TouchedKey(task)) }

// Heads returns the first line of all that is noted, by task: a host that is asked for that of any
// task answers with all.
func (f Facts) Heads() map[string]string {
	heads := map[string]string{}
	for key, fact := range f {
		if noted, ok := fact.Value.(Memory); ok && noted.Head != "" {
			heads[key.Name] = noted.Head
		}
	}
	return heads
}

// Memories returns all that is noted, of all tasks.
func (f Facts) Memories() Memories { return value[Memories](f, MemoriesKey()) }

// Earlier returns the tasks on which a version worked that noted nothing.
func (f Facts) Earlier() Earlier { return value[Earlier](f, EarlierKey()) }

// Effect is what a step does to one fact.
type Effect struct {
	Key  Key
	Fact Fact
}

// Known is the effect of a step whose outcome is certain.
func Known(key Key, value any) Effect { return Effect{key, Fact{Value: value}} }

// UnknownUntil is the effect of a step whose outcome only the host can tell.
func UnknownUntil(key Key, until string) Effect { return Effect{key, Fact{Until: until}} }

// ChangedBy are the effects of what may change a key in a way that is known only afterwards: of what
// stands at a path, the content too.
func ChangedBy(until string, key Key) []Effect {
	effects := []Effect{UnknownUntil(key, until)}
	if key.Kind == KindPath {
		effects = append(effects, UnknownUntil(ContentKey(key.Name), until))
	}
	return effects
}
