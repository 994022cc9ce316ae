package remote

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	defaultConnectTimeout = 10 * time.Second
	defaultKeepAlive      = 15 * time.Second
	defaultKeepAliveMax   = 3
)

// settings are what holds for one host once the options and ssh_config have
// spoken. The first value of a key counts, as in ssh.
type settings struct {
	alias string // what was asked for: ssh_config matches on it
	host  string // what to connect to
	port  int
	user  string

	network      string // tcp, tcp4, tcp6
	bindAddress  string // "" is any
	proxyJump    string // "" is none, tokens expanded
	proxyCommand string // "" is none, tokens expanded

	ciphers, macs, keyExchanges []string // nil is x/crypto/ssh's own list

	hostKeyAlias    string   // "" is none
	strict          string   // ask, yes, accept-new
	knownHosts      []string // the user's files and the machine's
	appendKnownHost string   // the file that gets a new key; "" is none
	hashKnownHosts  bool

	hostKeyAlgorithms []string // that a host may show; nil is all
	caAlgorithms      []string // that may have signed a host's certificate; nil is all
	revokedHostKeys   string   // a file; "" is none
	leastRSA          int      // bits that an RSA key must have

	identities     []identityFile
	certificates   []string // CertificateFile
	identitiesOnly bool
	agentSocket    string   // "" is none
	keyAlgorithms  []string // that a key may sign with; nil is all
	methods        []string // PreferredAuthentications, or our own order
	publicKeys     bool     // PubkeyAuthentication
	password       bool     // PasswordAuthentication
	interactive    bool     // KbdInteractiveAuthentication
	batch          bool     // nobody is to be asked

	connectTimeout time.Duration
	keepAlive      time.Duration
	keepAliveMax   int
}

// identityFile is a private key that may be offered.
type identityFile struct {
	path     string
	explicit bool // -i: a file that is not there is an error
	standard bool // no one named it: ssh looks there by itself
}

// Check reads the options, ssh_config and the identities for a host, and connects to
// nothing. It returns what would stop every Dial: errors that wrap ErrConfig.
func (c Config) Check(address Address) error {
	c.Warn = nil // Dial warns
	s, err := c.settings(address)
	if err != nil {
		return err
	}
	ring, err := c.loadKeyring(s)
	ring.close()
	return err
}

// HostName returns the name or address that an address stands for once ssh_config has
// spoken: what others than ssh have to use.
func (c Config) HostName(address Address) (string, error) {
	c.Warn = nil // Dial warns
	s, err := c.settings(address)
	return s.host, err
}

// settings resolves an address.
func (c Config) settings(address Address) (settings, error) {
	from, err := c.source(address)
	if err != nil {
		return settings{}, err
	}
	s := settings{alias: address.Host, user: address.User, port: address.Port}
	if s.user == "" {
		s.user = from.word("user", localUser())
	}
	if s.port == 0 {
		s.port = from.number("port", 22)
	}
	s.host = address.Host
	if l, ok := from.first("hostname"); ok {
		s.host = from.expand(l, l.word(), tokens{'h': address.Host})
	}
	s.host = strings.ToLower(s.host) // as ssh does, before it is put in for %h
	s.hostKeyAlias = strings.ToLower(from.word("hostkeyalias", ""))
	s.network = map[string]string{"inet": "tcp4", "inet6": "tcp6"}[from.choice("addressfamily", "any")]
	if s.network == "" {
		s.network = "tcp"
	}
	s.bindAddress = from.word("bindaddress", "")
	s.ciphers, s.macs, s.keyExchanges = from.offered("ciphers"), from.offered("macs"), from.offered("kexalgorithms")
	fillProxy(&s, from)
	c.fillHostKey(&s, from)
	c.fillIdentity(&s, from)
	fillLogin(&s, from)
	c.fillTimes(&s, from)
	return s, from.err
}

// fillProxy takes whichever of ProxyJump and ProxyCommand stands first. A ProxyCommand that is
// none leaves no room for a ProxyJump, and not the other way round.
func fillProxy(s *settings, from *source) {
	l, _ := from.first("proxyjump", "proxycommand")
	if l.key == "proxyjump" {
		text, _, _ := strings.Cut(l.rest, "#") // in a command that is no comment
		text = strings.TrimSpace(text)
		if strings.ContainsAny(text, " \t") { // of which ssh takes the first, without a word
			from.fail(l, fmt.Sprintf("has more than one word: %q", text))
		}
		if !strings.EqualFold(text, "none") {
			s.proxyJump = from.expand(l, text, s.proxyTokens())
			return
		}
		l, _ = from.first("proxycommand")
	}
	if !strings.EqualFold(l.rest, "none") {
		s.proxyCommand = from.expand(l, l.rest, s.proxyTokens())
	}
}

func (c Config) fillHostKey(s *settings, from *source) {
	switch strict := from.choice("stricthostkeychecking", "ask"); strict {
	case "no", "off", "false":
		s.strict = "accept-new"
		c.warn("StrictHostKeyChecking=no acts as accept-new: a changed host key is always refused")
	case "true":
		s.strict = "yes"
	default:
		s.strict = strict
	}
	s.hashKnownHosts = from.yes("hashknownhosts", false)
	s.hostKeyAlgorithms = from.offered("hostkeyalgorithms")
	s.caAlgorithms = from.list("casignaturealgorithms")
	s.leastRSA = from.number("requiredrsasize", 0)
	if l, ok := from.first("revokedhostkeys"); ok {
		s.revokedHostKeys = strings.Join(from.paths(l, s.fileTokens()), "")
	}
	own := []string{c.KnownHosts}
	if c.KnownHosts == "" {
		own = s.knownHostsFiles(from, "userknownhostsfile", "~/.ssh/known_hosts", "~/.ssh/known_hosts2")
		s.knownHosts = s.knownHostsFiles(from, "globalknownhostsfile", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
	}
	if len(own) > 0 {
		s.appendKnownHost = own[0]
	}
	s.knownHosts = append(own, s.knownHosts...)
}

func (s *settings) knownHostsFiles(from *source, key string, otherwise ...string) []string {
	l, ok := from.first(key)
	if !ok {
		l = directive{words: otherwise}
	}
	l.expanded = l.expanded || ok && key == "globalknownhostsfile" // the machine's are as they stand, for ssh
	return from.paths(l, s.fileTokens())
}

func (c Config) fillIdentity(s *settings, from *source) {
	for _, path := range c.Identities {
		for _, path := range from.paths(directive{where: "-i", name: path, words: []string{path}}, s.fileTokens()) {
			s.identities = append(s.identities, identityFile{path: path, explicit: true})
		}
	}
	named := from.all("identityfile")
	for _, l := range named {
		for _, path := range from.paths(l, s.fileTokens()) {
			s.identities = append(s.identities, identityFile{path: path})
		}
	}
	if len(s.identities) == 0 && len(named) == 0 {
		for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
			s.identities = append(s.identities, identityFile{path: inHome(".ssh/" + name), standard: true})
		}
	}
	for _, l := range from.all("certificatefile") {
		s.certificates = append(s.certificates, from.paths(l, s.fileTokens())...)
	}
	s.identitiesOnly = from.yes("identitiesonly", false)
	s.keyAlgorithms = from.list("pubkeyacceptedalgorithms")
	l, ok := from.first("identityagent")
	switch {
	case !ok || l.word() == "SSH_AUTH_SOCK":
		s.agentSocket = os.Getenv("SSH_AUTH_SOCK")
	case l.word() == "none":
	case strings.HasPrefix(l.word(), "$") && !strings.HasPrefix(l.word(), "${"): // a variable alone, without braces
		s.agentSocket = os.Getenv(l.word()[1:])
	default:
		s.agentSocket = strings.Join(from.paths(l, s.fileTokens()), "")
	}
}

// fillLogin settles which ways to log in are tried, in which order, and whether anybody is asked.
func fillLogin(s *settings, from *source) {
	s.batch = from.yes("batchmode", false)
	s.publicKeys = from.yes("pubkeyauthentication", true)
	asks := from.number("numberofpasswordprompts", 3) > 0
	s.password = asks && from.yes("passwordauthentication", true)
	s.interactive = asks && from.yes("kbdinteractiveauthentication", true)
	if s.methods = from.list("preferredauthentications"); s.methods == nil {
		s.methods = []string{"publickey", "password", "keyboard-interactive"}
	}
	preferred := func(method string) bool { return slices.Contains(s.methods, method) }
	s.publicKeys = s.publicKeys && preferred("publickey")
	s.password = s.password && preferred("password")
	s.interactive = s.interactive && preferred("keyboard-interactive")
	if l, _ := from.first("preferredauthentications"); !preferred("publickey") && !preferred("password") && !preferred("keyboard-interactive") {
		from.fail(l, "has none of publickey, password, keyboard-interactive")
	}
}

func (c Config) fillTimes(s *settings, from *source) {
	s.connectTimeout = c.ConnectTimeout
	if s.connectTimeout == 0 { // ssh's 0 leaves it to TCP, and a handshake unbounded
		s.connectTimeout = from.time("connecttimeout", defaultConnectTimeout)
	}
	s.keepAlive = c.KeepAlive
	if s.keepAlive == 0 { // ssh's 0 is "never", and would wait for a dead host for ever
		s.keepAlive = from.time("serveraliveinterval", defaultKeepAlive)
	}
	s.keepAliveMax = from.number("serveralivecountmax", defaultKeepAliveMax)
}
