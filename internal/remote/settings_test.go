package remote

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	home := home()
	t.Setenv("SSH_AUTH_SOCK", "/agent")
	dir := t.TempDir()
	file := filepath.Join(dir, "ssh_config")
	writeFile(t, filepath.Join(dir, "more"), "Host web1\n  ServerAliveCountMax 7\n", 0o600)
	writeFile(t, file, `
Include `+filepath.Join(dir, "more")+`
Host web1
  HostName %h.Example.org
  User deploy
  Port 2200
  IdentityFile ~/.ssh/%r@%h
  IdentityFile %d/second
  ProxyJump bastion
  UserKnownHostsFile ~/kh /dev/null
  StrictHostKeyChecking accept-new
Host six
  HostName fe80::1%%eth0
  ProxyCommand nc %h %p %r %n %%
  AddressFamily inet6
  HostKeyAlias Six
  IdentityAgent none
  ConnectTimeout 3
  ServerAliveInterval 1m
Match host web?
  IdentityFile third
  User never
Match all
  HashKnownHosts yes
`, 0o600)

	web, err := Config{ConfigFile: file, Identities: []string{"/explicit"}}.settings(Address{Host: "web1"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "host", web.host, "web1.example.org")
	equal(t, "user", web.user, "deploy")
	equal(t, "port", web.port, 2200)
	equal(t, "jump", web.proxyJump, "bastion")
	equal(t, "host key name", (&hostKeys{settings: web}).name(), "[web1.example.org]:2200")
	equal(t, "strict", web.strict, "accept-new")
	equal(t, "hashed", web.hashKnownHosts, true)
	equal(t, "alive", web.keepAliveMax, 7)
	equal(t, "agent", web.agentSocket, "/agent")
	equal(t, "known hosts", web.knownHosts[:2], []string{home + "/kh", "/dev/null"})
	equal(t, "identities", web.identities, []identityFile{
		{path: "/explicit", explicit: true}, {path: home + "/.ssh/deploy@web1.example.org"}, {path: home + "/second"}}) // its name has become another: no Match host

	six, err := Config{ConfigFile: file, KnownHosts: "/lab"}.settings(Address{Host: "six", User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "host", six.host, "fe80::1%eth0")
	equal(t, "proxy", six.proxyCommand, "nc fe80::1%eth0 22 u six %")
	equal(t, "network", six.network, "tcp6")
	equal(t, "host key name", (&hostKeys{settings: six}).name(), "six")
	equal(t, "agent", six.agentSocket, "")
	equal(t, "known hosts", six.knownHosts, []string{"/lab"})
	equal(t, "connect timeout", six.connectTimeout, 3*time.Second)
	equal(t, "keepalive", six.keepAlive, time.Minute)
	equal(t, "identities", len(six.identities), 5)

	// options win over the file, the address over both
	over, err := Config{ConfigFile: file, Options: []string{"user=a", "Port 3", `HostName = "other"`, "ProxyJump=none", "ServerAliveCountMax=2"}}.
		settings(Address{Host: "web1", Port: 4})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "user", over.user, "a")
	equal(t, "port", over.port, 4)
	equal(t, "host", over.host, "other")
	equal(t, "jump", over.proxyJump, "")
	equal(t, "alive", over.keepAliveMax, 2)
}

// Nobody has to ask for them, and nobody can turn them off: without them a dead host would
// be waited for without end.
func TestDeadlinesAreOnByDefault(t *testing.T) {
	for _, options := range [][]string{nil, {"ServerAliveInterval=0", "ConnectTimeout=0"}, {"ServerAliveInterval=none", "ConnectTimeout=none"}} {
		s, err := Config{ConfigFile: "none", Options: options}.settings(Address{Host: "web1"})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint("keepalive of ", options), []any{s.keepAlive, s.keepAliveMax}, []any{15 * time.Second, 3})
		equal(t, fmt.Sprint("connect timeout of ", options), s.connectTimeout, 10*time.Second)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	file := filepath.Join(t.TempDir(), "config")
	for _, c := range []struct{ option, file, want string }{
		{option: "StrictHostKeyCheking=no", want: "-o StrictHostKeyCheking: unknown ssh option"},
		{option: "Password=hunter2", want: "-o Password: unknown ssh option"},
		{option: "nonsense", want: "is not Key=Value"},
		{option: "Port=", want: "is not Key=Value"},
		{option: "Port=70000", want: "is not a number from 1 to 65535"},
		{option: "Port=22x", want: "is not a number"},
		{option: "ConnectTimeout=soon", want: "is not a number of seconds"},
		{option: "StrictHostKeyChecking=maybe", want: "none of ask"},
		{option: "AddressFamily=ipx", want: "none of any"},
		{option: "KnownHostsCommand=/bin/true", want: "not supported"},
		{option: "User=root\nProxyCommand x", want: "is not Key=Value"},
		{file: "Port 22\nUser\n", want: "config:2: User: has no value"},
	} {
		config := Config{ConfigFile: "none"}
		if c.option != "" {
			config.Options = []string{c.option}
		}
		if c.file != "" {
			writeFile(t, file, c.file, 0o600)
			config.ConfigFile = file
		}
		err := config.Check(Address{Host: "localhost"})
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c, err, c.want)
		}
	}
	if err := (Config{ConfigFile: "/does/not/exist"}).Check(Address{Host: "localhost"}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	if err := (Config{ConfigFile: "none", Options: []string{"ForwardAgent=yes", "LogLevel ERROR"}}).Check(Address{Host: "localhost"}); err != nil {
		t.Error(err)
	}
}

func TestStrictHostKeyCheckingNoWarns(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	var warned []string
	config := Config{ConfigFile: "none", Options: []string{"StrictHostKeyChecking=no"}, Warn: func(m string) { warned = append(warned, m) }}
	s, err := config.settings(Address{Host: "h"})
	if err != nil || s.strict != "accept-new" || len(warned) != 1 {
		t.Error(s.strict, err, warned)
	}
}

func TestParseJump(t *testing.T) {
	for text, want := range map[string]Address{
		"h":                       {Host: "h"},
		"u@h:23":                  {User: "u", Host: "h", Port: 23},
		"ssh://u@h:23/":           {User: "u", Host: "h", Port: 23},
		"[2001:db8::1]:23":        {Host: "2001:db8::1", Port: 23},
		"u@[fe80::1%eth0]":        {User: "u", Host: "fe80::1%eth0"},
		"2001:db8::1":             {Host: "2001:db8::1"},
		"corp\\user@h":            {User: "corp\\user", Host: "h"},
		"user@realm@h.example:99": {User: "user@realm", Host: "h.example", Port: 99},
	} {
		got, err := parseJump(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "h:0", "h:70000", "h:x", "-oProxyCommand=x", "u@"} {
		if got, err := parseJump(text); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
}
