package recipe

import "time"

// Platform is what a recipe may depend on of the host that it is for. It rides in the
// one probe. Every recipe is built for each of Platforms before the first connection,
// so that a template that fails on one release fails there, not on the host.
type Platform struct {
	System
	Hostname string
	CPUs     int // processors that are online
	MemoryMB int // in mebibytes, as the kernel has it (proc(5), MemTotal)
}

// System is what of it many hosts have in common.
type System struct {
	Release  int    // Debian's: 12, 13
	Codename string // bookworm, trixie
	Arch     string // dpkg's: amd64, arm64
}

// Platforms returns every platform that the tasks support. The host's name, its processors and
// its memory are made up: a small host's.
func Platforms() []Platform {
	var all []Platform
	for _, release := range []System{{Release: 12, Codename: "bookworm"}, {Release: 13, Codename: "trixie"}} {
		for _, arch := range []string{"amd64", "arm64"} {
			release.Arch = arch
			all = append(all, Platform{System: release, Hostname: "host", CPUs: 1, MemoryMB: 1024})
		}
	}
	return all
}

// Input is what a task's recipe is made from. What hosts of a kind have in common are plain fields; what may
// be one host's alone is asked for by a call, which is noted: hosts that answer the same share what was built.
type Input struct {
	Vars     Values
	Instance string // of the task, "" where a host has one of it
	System   System
	Guess    bool // no host has been asked yet: what Platforms makes up is made up
	// Of returns another task's variables for the same host: graphite asks for nginx's.
	Of func(task string) Values
	// Release is what a deploy brings; nil when only the system is installed, and the
	// release that is there stays.
	Release *Release
	Host    Host // what may be this host's alone
	// Ask returns what the host says to a question, a fact's probe, and whether that is known: what
	// is not known is made up. That it was asked is noted, and who builds asks the host. Nil knows
	// nothing.
	Ask func(question Probe, madeUp string) (said Said, known bool)
	// Peers returns the hosts that have a task, in the inventory's order; nil knows none.
	Peers func(task string) ([]Peer, error)
	// Exported returns what a peer's task exports, as Ask does; nil knows nothing. Of what is NotYet a
	// build may make an error: then the host is planned after the peer. Or it goes without: then the host
	// is changed, planned again after the peer, and proved then.
	Exported func(peer, task, export string) (said Said, known bool)
	// Address is the host as the controller reaches it, for checks and for what is told to a
	// person. A recipe is built without it: it may be that of a relay, or another tomorrow.
	Address string
}

// Listed is what the inventory says of a host, before any connection.
type Listed struct {
	Name    string
	Address string   // the inventory's word, whatever way leads there; of a host that is in none, what was typed
	Groups  []string // outermost first
	Tasks   []string // with those that they need
}

// Peer is a host that has a task, as other hosts' builds see it.
type Peer struct {
	Listed
	Vars    Values   // the task's variables there, without those that are secret
	Secrets []string // the names of these
}

// Export is a public file that a task brings, and that builds for other hosts see.
type Export struct {
	Name string
	Path string
	At   Position // where its task says so
}

// MostExported is the most that such a file may have, in bytes.
const MostExported = 4096

// Problems of an export, as Said has them.
const (
	NotYet = "is not there yet"
	Unread = "cannot be read" // begins it, with the reason behind
)

// Release is a version of an application that is deployed.
type Release struct {
	Version string // names its directory
	Present bool   // the host has it already: nothing is uploaded, and it is an error if not
	// Artifact returns the file for an architecture, which may have to be built first.
	// Before the host's architecture is known, recipes are built with an empty one. It is not called when
	// the release is Present, and is nil where the host fetches it: then the task says the version too.
	Artifact func(arch string) (Artifact, error)
}

// Artifact is a file on the controller that a deploy brings to hosts.
type Artifact struct {
	Source string // its path here
	Size   int64  // bytes
	SHA256 string // in hex
}

// Task is something that provision can install: a system, its variables, its recipe and
// the checks that prove that it works.
type Task struct {
	Name      string
	Summary   string   // one line, for list
	About     string   // a few sentences, for list TASK
	Example   string   // a whole hosts.yaml that installs it, for list TASK
	Formerly  []string // names that it had: what hosts noted of these is noted of it
	Uses      []string // the tasks whose parts it includes, and whose variables it reads
	Needs     []string // the tasks that are installed with it, before it
	Beside    []string // the tasks that are on the host of its proof before it: it does without them, and can show more with them
	Instances bool     // a host may have several of it: see Find
	Variables []Variable
	Exports   []Export // what other hosts' builds see of it
	Parts     []Part   // what it offers to other tasks, which need it
	// Check refuses values that do not go together, and names the variable that is to be
	// another; nil refuses none. Build can rely on it.
	Check  func(Values) (variable string, err error)
	Build  func(Input) (Recipe, error)
	Verify func(Input) ([]Check, error)
	// Actions are what can be run on a host that has the task.
	Actions []Script
	// Drain takes a host that has the task out of service before it is changed, as out of a load balancer, and
	// Undrain brings it back once it has passed its checks; nil, both of them: it is changed as it serves.
	Drain, Undrain *Hook
	// Deployed says how the task's releases lie on a host; nil when it has none.
	Deployed *Deployed
	// After returns the lines that tell a person what to do next: where it answers,
	// where a generated password is kept.
	After func(Input) []string
}

// Names are the task's, and those that it had.
func (t Task) Names() []string { return append([]string{t.Name}, t.Formerly...) }

// Script is an action of a task, which is no state of a host: a backup, a flush. It is run when a person
// says so.
type Script struct {
	Name      string
	Help      string     // one sentence
	At        Position   // where its task says so
	Text      string     // POSIX sh, run as root; its arguments and the task's variables are variables of the shell
	Arguments []Variable // no two of a name, and none of a variable's of the task
	Timeout   time.Duration
	Drains    bool // the host is drained while it is run, for it interrupts what the host serves
}

// Hook is a script that is run for a host around its change. Beside the task's variables it has host, the
// host's name, and address, both as the inventory has them. It may be run once more where a run died, so it
// does nothing where it has been.
type Hook struct {
	Script
	On string // the task on whose hosts it is run, all of them; "" is the host itself
}

// HookArguments are what a hook's script has beside the task's variables.
func HookArguments() []Variable {
	return []Variable{{Name: "host", Type: TypeString}, {Name: "address", Type: TypeString}}
}

// Deployed is where a task keeps its releases: a directory for each version, and a link
// to the one that runs.
type Deployed struct {
	Releases string // /opt/gimel/releases
	Current  string // /opt/gimel/current
	Source   string // the Go package that it is built from: ./cmd/gimel
	Binary   string // the artifact's name in a release's directory
	// Fetches says that without an artifact a host fetches the release itself, which the task's
	// variables name: what is deployed then has no version here.
	Fetches bool
	// Instance says how those of an instance lie; nil: a host has one of the task.
	Instance func(name string) Deployed
}

// Vantage is the place from which a check is made.
type Vantage string

// The vantages of a check.
const (
	FromHost       Vantage = "host"       // through the connection, to the host's loopback
	FromController Vantage = "controller" // from here, to the host's public address
)

// Check is one part of a task's proof: it uses the thing as its users would. It is
// data; the engine runs it. Exactly one of HTTP, TCP and Command is set. In every text
// field $NOW is the time in seconds since the epoch, $NONCE a number that is new in each
// verify, and $HOST the host's address as the controller reaches it; in a command's script
// $NOW and $NONCE are variables of its shell.
//
// Verifies of one host may go on at once, beside an install: what a check writes bears
// $NONCE in its name, and goes or is bounded.
type Check struct {
	Name    string
	At      Position // where its task says so
	From    Vantage
	Within  time.Duration // it is tried again until then; 0 is once
	Needs   string        // the name of an earlier check: when that fails, this one is left out
	Again   string        // the name of an earlier check that is made again before each further try: a restart loses what it sent
	HTTP    *HTTPCheck
	TCP     *TCPCheck
	Command *CommandCheck
}

// HTTPCheck is a request and what its answer must be.
type HTTPCheck struct {
	Method   string // "" is GET
	URL      string // http://127.0.0.1/render?target=x, http://$HOST/
	Header   map[string]string
	Body     string
	User     string // basic authentication, with Password
	Password Secret
	Insecure bool   // accept any certificate: the task made it itself
	Status   int    // 0 is 200
	Contains string // in the body
	Lacks    string // must not be in the body
	Prefix   string // of the body: "\x89PNG"
	Type     string // prefix of Content-Type
}

// TCPCheck is a line sent and, where Expect is set, a line that must come back; or a port
// that must be closed.
type TCPCheck struct {
	Address string // 127.0.0.1:2003, $HOST:2004, /run/x.sock
	Send    string
	Expect  string
	Closed  bool // a connection must be refused or go unanswered
}

// CommandCheck is a script that is run on the host and what it must print.
type CommandCheck struct {
	Script   string
	Exit     int
	Contains string
}
