// Package address is where a host is, as the inventory has it and ssh takes it.
package address

import (
	"regexp"
	"strconv"
	"strings"
)

// Address says how a host is reached. An empty User and a Port of 0 are what
// ~/.ssh/config says for the host, as for ssh.
type Address struct {
	User string
	Host string // a name, or an IP address without brackets, with its zone if it has one
	Port int
}

// String returns user@host:port with what is set, and an IPv6 address in brackets.
func (a Address) String() string {
	text := a.Host
	if strings.Contains(text, ":") {
		text = "[" + text + "]"
	}
	if a.User != "" {
		text = a.User + "@" + text
	}
	if a.Port != 0 {
		text += ":" + strconv.Itoa(a.Port)
	}
	return text
}

// Place is what two addresses of the same host have in common, whoever logs in.
func (a Address) Place() string {
	port := a.Port
	if port == 0 {
		port = 22
	}
	return strings.TrimSuffix(strings.ToLower(a.Host), ".") + " " + strconv.Itoa(port)
}

var portForm = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)

// ParsePort reads a port, in decimal digits without a sign and leading zeros.
func ParsePort(text string) (port int, ok bool) {
	if !portForm.MatchString(text) {
		return 0, false
	}
	port, _ = strconv.Atoi(text) // five digits
	return port, port <= 65535
}
