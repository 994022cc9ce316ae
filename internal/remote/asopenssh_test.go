package remote

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sshCase is a configuration. DIR stands for the test's directory in all of it.
type sshCase struct {
	file    string
	options []string
	host    string            // web1 unless it says otherwise
	user    string            // as typed before the host
	port    int               // as typed behind it
	more    map[string]string // other files
	asked   bool              // only ssh can tell
	wrong   string            // ssh and we refuse it, we with these words
	refused string            // ssh takes it, and we refuse it with these words
}

var sshCases = []sshCase{
	// Host
	{file: "Host web1\n Port 2200\nHost *\n Port 23\n User deploy\n"},
	{file: "Host \"web1\"\n Port 2200\n"},
	{file: "Host 'web1'\n Port 2200\n"},
	{file: "Host we\"b\"1\n Port 2200\n"},
	{file: "Host \"web1 db1\"\n Port 2200\n"},
	{file: "Host web?\n Port 2200\nHost w*1\n User x\nHost web??\n HostName never\n"},
	{file: "Host web* !web1\n Port 2200\nHost !db1\n User never\nHost !db1 *\n User deploy\n"},
	{file: "Host WEB1\n Port 2200\n"},
	{file: "Host Web1\n Port 2200\n HostName %h.Example.ORG\n", host: "Web1"},
	{file: "Host=web1\n\tPort=2200\n  User = deploy\n   HostName   =   10.0.0.1  \n"},
	{file: "host web1 # a comment\nport 2200 # another\nuser a#b\n"},
	{file: "Host web1\r\n Port 2200\r\n User deploy\r\n"},
	{file: "Port 2200"},
	{file: "Host db1\n Port 99999\n", wrong: "is not a number from 1 to 65535"},
	{file: "Host\n Port 22\n", wrong: "has no value"},
	{file: "User \"a b\n", wrong: "a quote that is not closed"},
	{file: "Port 22 23\n", wrong: "more than one value"},
	{file: "User \"\"\n", wrong: "has no value"},

	// Match
	{file: "Match all\n Port 2200\n"},
	{file: "Match host web1\n Port 2200\n", asked: true},
	{file: "Match host web1 user admin\n Port 2200\nMatch host web1\n User deploy\n", asked: true},
	{file: "Host web1\n HostName 10.0.0.1\nMatch host web1\n Port 1111\nMatch host 10.0.0.*\n Port 2200\n", asked: true},
	{file: "Host web1\n HostName 10.0.0.1\nMatch originalhost web1\n Port 2200\n", asked: true},
	{file: "Match !host db1\n Port 2200\n", asked: true},
	{file: "Match user admin\n Port 2200\n", user: "admin", asked: true},
	{file: "Match user admin\n Port 2200\n", asked: true},
	{file: "Match localuser *\n Port 2200\n", asked: true},
	{file: "Match exec \"true\"\n Port 2200\n", asked: true},
	{file: "Match exec \"test %h = web1 && test %p = 2200\"\n User deploy\n", port: 2200, asked: true},
	{file: "Match exec \"false\"\n Port 2200\nHost *\n Port 23\n", asked: true},
	{file: "Match final\n Port 2200\nHost *\n HostName 10.0.0.1\nMatch final host 10.0.0.1\n User deploy\n", asked: true},
	{file: "Match nonsense x\n Port 2200\n", wrong: "ssh -G", asked: true},
	{file: "Match host db1\n Foo bar\n", wrong: "Foo: unknown ssh option"},

	// Include
	{file: "Include DIR/more\nPort 23\n", more: map[string]string{"more": "Host web1\n Port 2200\nHost other\n User never\n"}},
	{file: "Host web1\n Include DIR/more\nHost *\n User deploy\n", more: map[string]string{"more": "Port 2200\nHost db1\n User never\n"}},
	{file: "Host db1\n Include DIR/more\nHost *\n User deploy\n", more: map[string]string{"more": "Port 2200\nHost web1\n User never\nHost *\n HostName never\n"}},
	{file: "Host db1\n Include DIR/more\nHost *\n User deploy\n", more: map[string]string{"more": "Match host *\n Port 2200\n"}},
	{file: "Include DIR/*.conf\n", more: map[string]string{"b.conf": "Port 23\n", "a.conf": "Port 2200\n", "c.txt": "User never\n"}},
	{file: "Include DIR/more DIR/none\nUser deploy\n", more: map[string]string{"more": "Include DIR/again\n", "again": "Port 2200\n"}},
	{file: "Include DIR/more\n", more: map[string]string{"more": "Include DIR/more\n"}, wrong: "includes itself"},
	{file: "Include DIR/more\n", more: map[string]string{"more": "Foo bar\n"}, wrong: "more:1: Foo: unknown"},

	// which name, which user, which way
	{options: []string{"HostName=%h.x%%y"}},
	{options: []string{"HostName=fe80::1%eth0"}, wrong: "%e"},
	{options: []string{"HostName=fe80::1%%eth0"}},
	{host: "fe80::1%eth0"},
	{file: "User deploy\nPort 2200\n", user: "root", port: 22},
	{file: "User deploy\n", options: []string{"User=a", "User=b"}},
	{file: "User \"a b\"\n"},
	{options: []string{"User=%n"}, asked: true},
	{file: "AddressFamily INET6\nBindAddress ::1\n"},
	{options: []string{"AddressFamily=ipx"}, wrong: "none of any"},
	{file: "CanonicalizeHostname always\nHostName localhost\n", asked: true},
	{file: "CanonicalizeHostname no\nCanonicalDomains example.org\n"},
	{file: "ProxyCommand nc -X connect \"%h\" %p # %r %n %%\nProxyJump never\n"},
	{file: "ProxyJump none\nProxyCommand nc %h %p\nProxyJump never\n"},
	{file: "ProxyCommand none\nProxyJump never\n"},
	{file: "ProxyCommand NONE\nProxyJump never\n"},
	{file: "ProxyJump b , c\n", refused: "more than one word"},
	{file: "ProxyJump b c\n", refused: "more than one word"},
	{file: "IdentityFile ~/.ssh/id_rsa\nIdentityFile ~/.ssh/id_ed25519\nIdentityFile ~/.ssh/id_ecdsa_sk\nMatch host *\n", asked: true},
	{file: "ProxyJump %r@bastion:2222 # comment\nProxyCommand never\nUser deploy\n"},
	{file: "ProxyJump a,ssh@b,%n.jump\n"},
	{options: []string{"ProxyCommand=nc %h"}, file: "ProxyJump never\n"},
	{file: "BindInterface lo\n", refused: "BindInterface: is not supported"},

	// who we are
	{file: "IdentityFile ~/a\nIdentityFile %d/b\nIdentityFile c/%r@%h:%p\nIdentityFile \"~/d e\"\nHost *\nIdentityFile /f#g\n"},
	{file: "IdentityFile ${HOME}/x_%%_%n_%u_%i_%L_%l_%k\nHostKeyAlias Other\n"},
	{file: "IdentityFile ~/.ssh/%C\n"},
	{file: "IdentityFile ~/.ssh/%C\nProxyJump b\n", refused: "not the same in all versions"},
	{file: "IdentityFile ~root/x\n"},
	{file: "IdentityFile %q\n", refused: "%q"},
	{file: "IdentityFile ${NO_SUCH_VARIABLE}/x\n", refused: "NO_SUCH_VARIABLE"},
	{file: "IdentityFile none\n"},
	{file: "IdentityFile none\nMatch host *\n", asked: true},
	{file: "CertificateFile ~/a-cert.pub\nCertificateFile %d/b\nIdentitiesOnly yes\n"},
	{file: "CertificateFile none\nCertificateFile ~/b\nMatch host *\n", asked: true},
	{file: "IdentitiesOnly maybe\n", wrong: "\"maybe\" is none of yes, no"},
	{file: "IdentityAgent ~/agent_%r\n"},
	{file: "IdentityAgent \"${HOME}/agent\"\nMatch host *\n", asked: true},
	{file: "IdentityAgent none\n"},
	{file: "IdentityAgent $HOME\n"},
	{file: "IdentityAgent SSH_AUTH_SOCK\n"},
	{file: "BatchMode yes\n"},
	{file: "BatchMode yes\nMatch host *\n", asked: true},
	{file: "PreferredAuthentications password,publickey\n"},
	{file: "PreferredAuthentications hostbased,keyboard-interactive\nMatch host *\n", asked: true},
	{file: "PreferredAuthentications gssapi-with-mic\n", refused: "has none of publickey"},
	{file: "PubkeyAuthentication no\nPasswordAuthentication no\nChallengeResponseAuthentication no\n"},
	{file: "PubkeyAuthentication host-bound\nPasswordAuthentication TRUE\nKbdInteractiveAuthentication false\n"},
	{file: "PubkeyAuthentication no\nMatch host *\nKbdInteractiveAuthentication no\n", asked: true},
	{file: "NumberOfPasswordPrompts 0\n"},
	{file: "PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512\n"},
	{file: "PubkeyAcceptedKeyTypes +ssh-rsa\n", asked: true},
	{file: "PKCS11Provider /usr/lib/x.so\n", refused: "PKCS11Provider: is not supported"},
	{file: "PKCS11Provider none\n"},

	// how safely
	{file: "StrictHostKeyChecking yes\nHashKnownHosts yes\n"},
	{file: "StrictHostKeyChecking off\n"},
	{file: "StrictHostKeyChecking accept-new\nMatch host *\n", asked: true},
	{file: "StrictHostKeyChecking yes\nMatch host *\n", asked: true},
	{file: "UserKnownHostsFile ~/a %d/b_%h_%k \"/c d\"\nGlobalKnownHostsFile ~/x %h\n"},
	{file: "UserKnownHostsFile ~/a ${HOME}/b_%%_%h\nGlobalKnownHostsFile none\nMatch host *\n", asked: true},
	{file: "UserKnownHostsFile \"/c d\"\nMatch host *\n", asked: true, refused: "a path with a space"},
	{file: "UserKnownHostsFile none\n"},
	{file: "UserKnownHostsFile %q\n", wrong: "%q"},
	{file: "UserKnownHostsFile ~/a none\n", wrong: "alone"},
	{file: "HostKeyAlias Other\n"},
	{file: "HostKeyAlias [Other]:22\nMatch host *\n", asked: true},
	{file: "RevokedHostKeys /etc/ssh/revoked\n"},
	{file: "RevokedHostKeys /etc/ssh/revoked\nMatch host *\n", asked: true},
	{file: "RevokedHostKeys none\n"},
	{file: "KnownHostsCommand /bin/x %H\n", refused: "KnownHostsCommand: is not supported"},
	{file: "KnownHostsCommand /bin/x %H\nMatch host *\n", asked: true, refused: "knownhostscommand: is not supported"},
	{file: "CheckHostIP yes\n", refused: "CheckHostIP: is not supported"},
	{file: "CheckHostIP no\nProxyUseFdpass no\nSessionType default\nRemoteCommand none\n"},
	{file: "Ciphers aes256-ctr,aes128-ctr\nMACs hmac-sha2-256\nKexAlgorithms curve25519-sha256\n"},
	{file: "Ciphers ^aes256-ctr\nMACs -hmac-sha1*\nKexAlgorithms +diffie-hellman-group14-sha1\n", asked: true},
	{file: "Ciphers aes128-cbc,aes192-cbc\n", asked: true},
	{file: "Ciphers aes192-cbc\n", asked: true, refused: "none of aes192-cbc is supported"},
	{file: "Ciphers aes256-foo\n", asked: true, wrong: "ssh -G"},
	{file: "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512\n"},
	{file: "HostKeyAlgorithms +ssh-rsa\nCASignatureAlgorithms +ssh-rsa\n", asked: true},
	{file: "RequiredRSASize 3072\nMatch host *\n", asked: true},
	{file: "RequiredRSASize 3072\n"},

	// how long
	{options: []string{"ConnectTimeout=1w"}},
	{file: "ConnectTimeout 1H2m3\nServerAliveInterval 1m30s\nServerAliveCountMax 7\n"},
	{file: "ConnectTimeout none\nServerAliveInterval 0\n"},
	{file: "ConnectTimeout 1h\nServerAliveInterval 20\nMatch host *\n", asked: true},
	{options: []string{"ConnectTimeout=1.5m"}, wrong: "is not a number of seconds"},
	{options: []string{"ConnectTimeout=-1"}, wrong: "is not a number of seconds"},
	{options: []string{"ServerAliveCountMax=0"}, refused: "is not a number from 1"},
	{file: "ProtocolKeepAlives 20\n"},

	// what else there is
	{file: "Foo bar\n", wrong: "config:1: Foo: unknown ssh option"},
	{file: "IgnoreUnknown F*,Bar\nFoo bar\nbar \"x\"\nPort 2200\n"},
	{file: "Foo bar\nIgnoreUnknown F*\n", wrong: "Foo: unknown"},
	{file: "Host db1\n IgnoreUnknown Foo\nHost *\n Foo bar\n", wrong: "Foo: unknown"},
	{options: []string{"IgnoreUnknown=Foo"}, file: "Foo bar\nPort 2200\n"},
	{options: []string{"Foo=hunter2"}, wrong: "-o Foo: unknown ssh option"},
	{file: "Compression maybe\n", wrong: "\"maybe\" is none of"},
	{file: "Compression yes\nForwardAgent yes\nLocalForward 8080 localhost:80\nSendEnv LANG LC_*\nSetEnv A=b C=d\nControlMaster auto\nControlPath ~/%C\nIPQoS lowdelay throughput\nCipher 3des\nUseRoaming no\nGSSAPIAuthentication yes\nRekeyLimit 1G 1h\n"},
	{file: "RemoteCommand tmux attach\n", refused: "RemoteCommand: is not supported"},
	{file: "RemoteCommand tmux attach\n", options: []string{"RemoteCommand=none"}},
	{file: "SessionType none\n", refused: "SessionType: is not supported"},
	{options: []string{"LocalForward=8080 localhost:80"}, refused: "-o LocalForward: is not supported"},
	{options: []string{"Host=web1"}, wrong: "not supported"},
	{options: []string{"Port"}, wrong: "is not Key=Value"},
	{options: []string{"Port 2200", "User = deploy", `HostName="other"`}},
}

// Every configuration means what OpenSSH's client takes it to mean, or is refused; and what does
// not need ssh is read without it.
func TestSettingsAreThoseOfOpenSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	plain, err := askedOfSSH(Config{ConfigFile: "none"}, Address{Host: "web1"})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range sshCases {
		t.Run(fmt.Sprintf("%d %s", i, strings.Join(append(c.options, strings.Fields(c.file)...), "_")), func(t *testing.T) {
			config, address := c.write(t)
			path := os.Getenv("PATH")
			t.Setenv("PATH", "/nonexistent")
			_, err := config.settings(address)
			if c.asked != (err != nil && strings.Contains(err.Error(), "only OpenSSH's client can answer")) {
				t.Errorf("without ssh: %v", err)
			}
			t.Setenv("PATH", path)
			got, err := config.settings(address)
			truth, failure := askedOfSSH(config, address)
			words := c.wrong + c.refused
			switch {
			case words != "" && (!errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), words) || Hint(err) == ""):
				t.Errorf("not refused with %q and a hint: %v", words, err)
			case (c.wrong != "") != (failure != nil):
				t.Errorf("ssh says %v", failure)
			case words == "" && err != nil:
				t.Error(err)
			case words == "":
				compare(t, config, address, got, truth, plain)
			}
		})
	}
}

func (c sshCase) write(t *testing.T) (Config, Address) {
	dir := t.TempDir()
	in := func(text string) string { return strings.ReplaceAll(text, "DIR", dir) }
	for name, text := range c.more {
		writeFile(t, filepath.Join(dir, name), in(text), 0o600)
	}
	config := Config{ConfigFile: filepath.Join(dir, "config"), Options: c.options}
	writeFile(t, config.ConfigFile, in(c.file), 0o600)
	address := Address{Host: c.host, User: c.user, Port: c.port}
	if address.Host == "" {
		address.Host = "web1"
	}
	return config, address
}

// askedOfSSH is what ssh itself would do, keyword by keyword.
func askedOfSSH(config Config, address Address, more ...string) (map[string][]string, error) {
	arguments := []string{"-G", "-T", "-F", config.ConfigFile}
	if address.User != "" {
		arguments = append(arguments, "-l", address.User)
	}
	if address.Port != 0 {
		arguments = append(arguments, "-p", fmt.Sprint(address.Port))
	}
	for _, option := range append(slices.Clone(more), config.Options...) {
		arguments = append(arguments, "-o", option)
	}
	cmd := exec.Command("ssh", append(arguments, "--", address.Host)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	said := map[string][]string{}
	for text := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
		said[strings.ToLower(key)] = append(said[strings.ToLower(key)], value)
	}
	return said, nil
}

// compare holds the settings against what ssh would do; plain is what it does without any
// configuration. What ssh -G prints with its tokens in it
// is expanded by ssh itself, in the one keyword where it prints the result.
func compare(t *testing.T, config Config, address Address, got settings, truth, plain map[string][]string) {
	t.Helper()
	said := func(key string) string { return strings.Join(truth[key], "\n") }
	expanded := func(value string) string {
		out, err := askedOfSSH(config, address, `ControlPath="`+strings.ReplaceAll(strings.ReplaceAll(value, `\`, `\\`), `"`, `\"`)+`"`)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(out["controlpath"], "\n")
	}
	files := func(key string) (paths []string) {
		for _, value := range truth[key] {
			if value != "none" {
				paths = append(paths, expanded(value))
			}
		}
		return paths
	}
	equal(t, "host", got.host, said("hostname"))
	equal(t, "user", got.user, said("user"))
	equal(t, "port", fmt.Sprint(got.port), said("port"))
	equal(t, "network", got.network, map[string]string{"any": "tcp", "inet": "tcp4", "inet6": "tcp6"}[said("addressfamily")])
	equal(t, "bind address", got.bindAddress, said("bindaddress"))
	jump, command := said("proxyjump"), said("proxycommand")
	if jump != "" {
		jump = expanded(jump)
	}
	if command != "" {
		command = expanded(command)
	}
	equal(t, "jump", got.proxyJump, jump)
	equal(t, "proxy", got.proxyCommand, command)

	equal(t, "alias", got.hostKeyAlias, said("hostkeyalias"))
	equal(t, "strict", got.strict, map[string]string{"ask": "ask", "true": "yes", "accept-new": "accept-new", "false": "accept-new"}[said("stricthostkeychecking")])
	equal(t, "hashed", got.hashKnownHosts, said("hashknownhosts") == "yes")
	known := strings.TrimSpace(strings.ReplaceAll(said("userknownhostsfile")+" "+said("globalknownhostsfile"), "none", ""))
	equal(t, "known hosts", strings.Join(got.knownHosts, " "), known)
	equal(t, "revoked", got.revokedHostKeys, said("revokedhostkeys"))
	if got.leastRSA != 0 || said("requiredrsasize") != plain["requiredrsasize"][0] {
		equal(t, "RSA", fmt.Sprint(got.leastRSA), said("requiredrsasize"))
	}
	for key, list := range map[string][]string{"hostkeyalgorithms": got.hostKeyAlgorithms, "casignaturealgorithms": got.caAlgorithms, "pubkeyacceptedalgorithms": got.keyAlgorithms,
		"ciphers": got.ciphers, "macs": got.macs, "kexalgorithms": got.keyExchanges} {
		want := truth[key]
		if list == nil {
			equal(t, key+", ssh's own", want, plain[key])
			continue
		}
		names := strings.Split(want[0], ",")
		if key != "casignaturealgorithms" && key != "pubkeyacceptedalgorithms" {
			names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(implemented(key), name) })
		}
		equal(t, key, list, names)
	}

	var identities []string
	for _, identity := range got.identities {
		identities = append(identities, identity.path)
	}
	if len(got.identities) > 0 && got.identities[0].standard {
		equal(t, "identities, ssh's own", truth["identityfile"], plain["identityfile"])
	} else {
		equal(t, "identities", identities, files("identityfile"))
	}
	equal(t, "certificates", got.certificates, files("certificatefile"))
	equal(t, "identities only", got.identitiesOnly, said("identitiesonly") == "yes")
	switch agent := said("identityagent"); {
	case agent == "" || agent == "SSH_AUTH_SOCK":
		equal(t, "agent", got.agentSocket, os.Getenv("SSH_AUTH_SOCK"))
	case agent == "none":
		equal(t, "agent", got.agentSocket, "")
	case strings.HasPrefix(agent, "$") && !strings.HasPrefix(agent, "${"):
		equal(t, "agent", got.agentSocket, os.Getenv(agent[1:]))
	default:
		equal(t, "agent", got.agentSocket, expanded(agent))
	}
	methods := strings.Split(said("preferredauthentications"), ",")
	allowed := func(method string) bool { return methods[0] == "" || slices.Contains(methods, method) }
	asks := said("numberofpasswordprompts") != "0"
	if methods[0] != "" {
		equal(t, "methods", got.methods, methods)
	}
	equal(t, "public keys", got.publicKeys, said("pubkeyauthentication") != "false" && allowed("publickey"))
	equal(t, "password", got.password, said("passwordauthentication") == "yes" && allowed("password") && asks)
	equal(t, "interactive", got.interactive, said("kbdinteractiveauthentication") == "yes" && allowed("keyboard-interactive") && asks)
	equal(t, "batch", got.batch, said("batchmode") == "yes")

	seconds := func(key, otherwise string, unsaid ...string) time.Duration {
		value := said(key)
		if slices.Contains(unsaid, value) {
			value = otherwise
		}
		d, _ := time.ParseDuration(value + "s")
		return d
	}
	equal(t, "connect timeout", got.connectTimeout, seconds("connecttimeout", "10", "none", "0"))
	equal(t, "keepalive", got.keepAlive, seconds("serveraliveinterval", "15", "0", "300"))
	equal(t, "alive", fmt.Sprint(got.keepAliveMax), said("serveralivecountmax"))
}
