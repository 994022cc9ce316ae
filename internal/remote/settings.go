package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kevinburke/ssh_config"
)

const (
	defaultConnectTimeout = 10 * time.Second
	defaultKeepAlive      = 15 * time.Second
	defaultKeepAliveMax   = 3
	systemConfigFile      = "/etc/ssh/ssh_config"
)

// settings are what holds for one host once the options and ssh_config have
// spoken. The first value of a key counts, as in ssh.
type settings struct {
	alias string // what was asked for: ssh_config matches on it
	host  string // what to connect to
	port  int
	user  string

	network      string // tcp, tcp4, tcp6
	proxyJump    string // "" is none
	proxyCommand string // "" is none, tokens expanded

	hostKeyAlias    string   // "" is none
	strict          string   // ask, yes, accept-new
	knownHosts      []string // the user's files and the machine's
	appendKnownHost string   // the file that gets a new key; "" is none
	hashKnownHosts  bool

	identities     []identityFile
	certificates   []string // CertificateFile
	identitiesOnly bool
	agentSocket    string // "" is none
	publicKeys     bool   // PubkeyAuthentication
	password       bool   // PasswordAuthentication
	interactive    bool   // KbdInteractiveAuthentication

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

// source answers for one host from the options and then the files.
type source struct {
	options []option
	files   []*ssh_config.Config
	alias   string
	err     error
}

func (s *source) all(key string) []string {
	var values []string
	for _, o := range s.options {
		if o.key == strings.ToLower(key) {
			values = append(values, o.value)
		}
	}
	for _, file := range s.files {
		found, err := file.GetAll(s.alias, key)
		if err != nil && s.err == nil {
			s.err = err
		}
		values = append(values, found...)
	}
	return values
}

func (s *source) first(key, otherwise string) string {
	if values := s.all(key); len(values) > 0 && values[0] != "" {
		return values[0]
	}
	return otherwise
}

func (s *source) yes(key string, otherwise bool) bool {
	switch strings.ToLower(s.first(key, "")) {
	case "yes", "true":
		return true
	case "no", "false":
		return false
	}
	return otherwise
}

func (s *source) seconds(key string, otherwise time.Duration) time.Duration {
	text := s.first(key, "")
	if text == "" || strings.EqualFold(text, "none") {
		return otherwise
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return time.Duration(n) * time.Second
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d
	}
	s.fail(key, text, "is not a number of seconds")
	return otherwise
}

func (s *source) number(key string, otherwise, least, most int) int {
	text := s.first(key, "")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		s.fail(key, text, fmt.Sprintf("is not a number from %d to %d", least, most))
		return otherwise
	}
	return n
}

func (s *source) fail(key, value, problem string) {
	if s.err == nil {
		s.err = configError("ssh option "+key+" for "+s.alias, fmt.Sprintf("%q %s", value, problem), "see ssh_config(5)")
	}
}

// Check reads the options, ssh_config and the identities, and connects to
// nothing. It returns what would stop every Dial: errors that wrap ErrConfig.
func (c Config) Check() error {
	c.Warn = nil // Dial warns
	s, err := c.settings(Address{Host: "localhost"})
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
	options, err := parseOptions(c.Options)
	if err != nil {
		return settings{}, err
	}
	files, err := c.configFiles()
	if err != nil {
		return settings{}, err
	}
	from := &source{options: options, files: files, alias: address.Host}
	s := settings{alias: address.Host, user: address.User, port: address.Port}
	if s.user == "" {
		s.user = from.first("User", localUser())
	}
	if s.port == 0 {
		s.port = from.number("Port", 22, 1, 65535)
	}
	s.host = expand(from.first("HostName", "%h"), map[byte]string{'h': address.Host})
	switch family := strings.ToLower(from.first("AddressFamily", "any")); family {
	case "any":
		s.network = "tcp"
	case "inet":
		s.network = "tcp4"
	case "inet6":
		s.network = "tcp6"
	default:
		from.fail("AddressFamily", family, "is none of any, inet, inet6")
	}
	c.fillProxy(&s, from)
	c.fillHostKey(&s, from)
	c.fillIdentity(&s, from)
	c.fillTimes(&s, from)
	return s, from.err
}

// configFiles reads the ssh_config files. A file that was named must be there.
func (c Config) configFiles() ([]*ssh_config.Config, error) {
	names := []string{c.ConfigFile}
	switch strings.ToLower(c.ConfigFile) {
	case "none":
		return nil, nil
	case "":
		names = []string{inHome(".ssh/config"), systemConfigFile}
	}
	var files []*ssh_config.Config
	for _, name := range names {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) && c.ConfigFile == "" {
			continue
		}
		if err == nil && !info.Mode().IsRegular() && !info.IsDir() { // reading a FIFO or a device may never end
			return nil, configError(name, "is not a regular file", "")
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, configError(name, "cannot be read", "", err)
		}
		file, err := ssh_config.Decode(bytes.NewReader(text))
		if err != nil {
			return nil, configError(name, strings.TrimPrefix(err.Error(), "ssh_config: "),
				"of Match, only `Match all` and `Match host PATTERN` are understood; -F FILE reads another file", err)
		}
		files = append(files, file)
	}
	return files, nil
}

func (c Config) fillProxy(s *settings, from *source) {
	// of ProxyJump and ProxyCommand, the one that stands first counts in ssh;
	// across options and files the order of the two is not kept here, and
	// ProxyJump goes first
	if jump := from.first("ProxyJump", "none"); !strings.EqualFold(jump, "none") {
		s.proxyJump = jump
		return
	}
	if command := from.first("ProxyCommand", "none"); !strings.EqualFold(command, "none") {
		s.proxyCommand = expand(command, s.tokens())
	}
}

func (c Config) fillHostKey(s *settings, from *source) {
	s.hostKeyAlias = from.first("HostKeyAlias", "")
	switch strict := strings.ToLower(from.first("StrictHostKeyChecking", "ask")); strict {
	case "ask", "yes", "accept-new":
		s.strict = strict
	case "no", "off":
		s.strict = "accept-new"
		c.warn("StrictHostKeyChecking=" + strict + " acts as accept-new: a changed host key is always refused")
	default:
		from.fail("StrictHostKeyChecking", strict, "is none of ask, yes, accept-new, no")
	}
	s.hashKnownHosts = from.yes("HashKnownHosts", false)
	read := func(names string) (files []string) {
		for _, name := range strings.Fields(names) {
			if !strings.EqualFold(name, "none") {
				files = append(files, expandPath(name, s.tokens()))
			}
		}
		return files
	}
	own := []string{c.KnownHosts}
	if c.KnownHosts == "" {
		own = read(from.first("UserKnownHostsFile", "~/.ssh/known_hosts ~/.ssh/known_hosts2"))
		s.knownHosts = read(from.first("GlobalKnownHostsFile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"))
	}
	if len(own) > 0 {
		s.appendKnownHost = own[0]
	}
	s.knownHosts = append(own, s.knownHosts...)
}

func (c Config) fillIdentity(s *settings, from *source) {
	for _, path := range c.Identities {
		s.identities = append(s.identities, identityFile{path: expandPath(path, s.tokens()), explicit: true})
	}
	named := from.all("IdentityFile")
	for _, path := range named {
		if !strings.EqualFold(path, "none") {
			s.identities = append(s.identities, identityFile{path: expandPath(path, s.tokens())})
		}
	}
	if len(s.identities) == 0 && len(named) == 0 {
		for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
			s.identities = append(s.identities, identityFile{path: inHome(".ssh/" + name), standard: true})
		}
	}
	for _, path := range from.all("CertificateFile") {
		if !strings.EqualFold(path, "none") {
			s.certificates = append(s.certificates, expandPath(path, s.tokens()))
		}
	}
	s.identitiesOnly = from.yes("IdentitiesOnly", false)
	s.publicKeys = from.yes("PubkeyAuthentication", true)
	s.password = from.yes("PasswordAuthentication", true)
	s.interactive = from.yes("KbdInteractiveAuthentication", true)
	switch agent := from.first("IdentityAgent", "SSH_AUTH_SOCK"); {
	case strings.EqualFold(agent, "none"):
	case agent == "SSH_AUTH_SOCK":
		s.agentSocket = os.Getenv("SSH_AUTH_SOCK")
	case strings.HasPrefix(agent, "$"):
		s.agentSocket = os.Getenv(strings.Trim(agent, "${}"))
	default:
		s.agentSocket = expandPath(agent, s.tokens())
	}
}

func (c Config) fillTimes(s *settings, from *source) {
	s.connectTimeout = c.ConnectTimeout
	if s.connectTimeout == 0 {
		s.connectTimeout = from.seconds("ConnectTimeout", defaultConnectTimeout)
	}
	if s.connectTimeout == 0 {
		s.connectTimeout = defaultConnectTimeout // ssh's 0 leaves it to TCP, and a handshake unbounded
	}
	s.keepAlive = c.KeepAlive
	if s.keepAlive == 0 {
		s.keepAlive = from.seconds("ServerAliveInterval", defaultKeepAlive)
	}
	if s.keepAlive == 0 {
		s.keepAlive = defaultKeepAlive // ssh's 0 is "never", and would wait for a dead host for ever
	}
	s.keepAliveMax = from.number("ServerAliveCountMax", defaultKeepAliveMax, 1, 1000)
}

// tokens are the escapes of ssh_config(5), TOKENS, that are known here.
func (s *settings) tokens() map[byte]string {
	return map[byte]string{
		'd': home(), 'h': s.host, 'n': s.alias, 'p': strconv.Itoa(s.port), 'r': s.user, 'u': localUser(),
		'i': strconv.Itoa(os.Getuid()),
	}
}

func expand(text string, tokens map[byte]string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+1 < len(text) {
			value, known := tokens[text[i+1]]
			if text[i+1] == '%' {
				value, known = "%", true
			}
			if known {
				out.WriteString(value)
				i++
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

func expandPath(path string, tokens map[byte]string) string {
	path = expand(strings.Trim(path, `"`), tokens)
	if path == "~" || strings.HasPrefix(path, "~/") {
		return filepath.Join(home(), path[1:])
	}
	return path
}

func home() string {
	if dir, err := os.UserHomeDir(); err == nil {
		return dir
	}
	return "/"
}

func inHome(path string) string { return filepath.Join(home(), path) }

func localUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
