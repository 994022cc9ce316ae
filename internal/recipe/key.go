// Package recipe holds the words that the rest of the house speaks: what a task
// is, what a host can be asked, what was found, what differs, and which steps
// make it so. It is pure and imports nothing but the standard library.
package recipe

import "strconv"

// Kind says what sort of thing a key names.
type Kind string

// The kinds of things that a host can be asked about.
const (
	KindPath      Kind = "path"      // a file, directory or link: type, mode, owner, digest
	KindTree      Kind = "tree"      // what stands in the way of removing a directory with all that is in it
	KindFiles     Kind = "files"     // all that is in a directory
	KindContent   Kind = "content"   // the bytes of a file, asked only for a diff
	KindPackage   Kind = "package"   // a Debian package's state
	KindLists     Kind = "lists"     // the age of apt's package lists
	KindCandidate Kind = "candidate" // the version of a package that apt would install
	KindRemoval   Kind = "removal"   // what else goes when a package is purged
	KindUnit      Kind = "unit"      // a systemd unit
	KindUser      Kind = "user"
	KindGroup     Kind = "group"
	KindCommand   Kind = "command"  // the exit status of a read-only script
	KindPending   Kind = "pending"  // a notification that no restart has answered yet
	KindListener  Kind = "listener" // what listens at a TCP port
	KindOwner     Kind = "owner"    // the package that a path belongs to
	KindEntries   Kind = "entries"  // the names in a directory
	KindMemory    Kind = "memory"   // what is noted of what a task wanted: its first line
	KindTouched   Kind = "touched"  // the paths that runs have begun to change for a task
	KindMemories  Kind = "memories" // all of what is noted, of all tasks
	KindFact      Kind = "fact"     // what a host says of itself to a task's own question
	KindEarlier   Kind = "earlier"  // the tasks on which a version worked that noted nothing
)

// Key names one thing that a host can be asked about. A fact is found by its key.
type Key struct {
	Kind Kind
	Name string
}

// String returns the key as it is written in recipes and reports: "unit:nginx.service".
func (k Key) String() string { return string(k.Kind) + ":" + k.Name }

// PathKey names a path of the host's file system.
func PathKey(path string) Key { return Key{KindPath, path} }

// TreeKey names what stands in the way of removing a directory with all that is in it.
func TreeKey(path string) Key { return Key{KindTree, path} }

// FilesKey names all that is in a directory.
func FilesKey(path string) Key { return Key{KindFiles, path} }

// ContentKey names the bytes of a file.
func ContentKey(path string) Key { return Key{KindContent, path} }

// PackageKey names a Debian package.
func PackageKey(name string) Key { return Key{KindPackage, name} }

// UnitKey names a systemd unit, with its suffix.
func UnitKey(name string) Key { return Key{KindUnit, name} }

// UserKey names a user account.
func UserKey(name string) Key { return Key{KindUser, name} }

// GroupKey names a group.
func GroupKey(name string) Key { return Key{KindGroup, name} }

// CommandKey names a probe script by the ID of the resource that asks it.
func CommandKey(name string) Key { return Key{KindCommand, name} }

// PendingKey names the notification that waits for a unit.
func PendingKey(unit string) Key { return Key{KindPending, unit} }

// CandidateKey names the version of a package that apt would install.
func CandidateKey(name string) Key { return Key{KindCandidate, name} }

// RemovalKey names what else goes when a package is purged.
func RemovalKey(name string) Key { return Key{KindRemoval, name} }

// ListsKey names the age of apt's package lists.
func ListsKey() Key { return Key{Kind: KindLists} }

// ListenerKey names what listens at a TCP port.
func ListenerKey(port int) Key { return Key{KindListener, strconv.Itoa(port)} }

// OwnerKey names the package that a path belongs to.
func OwnerKey(path string) Key { return Key{KindOwner, path} }

// EntriesKey names the names in a directory.
func EntriesKey(path string) Key { return Key{KindEntries, path} }

// MemoryKey names the first line of what is noted of what a task wanted.
func MemoryKey(task string) Key { return Key{KindMemory, task} }

// TouchedKey names the paths that runs have begun to change since a task's memory began.
func TouchedKey(task string) Key { return Key{KindTouched, task} }

// MemoriesKey names all that is noted, of all tasks.
func MemoriesKey() Key { return Key{Kind: KindMemories} }

// FactKey names a question about the host itself: one of Questions, or a task's own, TASK.NAME.
func FactKey(name string) Key { return Key{KindFact, name} }

// EarlierKey names the tasks on which a version worked that noted nothing.
func EarlierKey() Key { return Key{Kind: KindEarlier} }
