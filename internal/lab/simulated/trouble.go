package simulated

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Trouble is what is wrong with a host.
type Trouble string

// What may be wrong.
const (
	Well             Trouble = ""
	Refuses          Trouble = "refuses"               // nothing listens: at its port PortOfNone
	Resets           Trouble = "resets"                // each connection, as soon as it is made
	Busy             Trouble = "busy"                  // hangs up on the first connections, as sshd does beyond MaxStartups
	Silent           Trouble = "silent"                // accepts, and says nothing
	SilentAfterLogin Trouble = "silent after login"    // opens no channel, and answers no keepalive
	SilentInAnswer   Trouble = "silent in the answer"  // nor does this, after half of it
	StuckInAnswer    Trouble = "stuck in the answer"   // the command hangs, the server is well
	ResetsInAnswer   Trouble = "resets in the answer"  // after half of it
	EndsInAnswer     Trouble = "ends in the answer"    // after half of it, with exit status 0
	NoSSH            Trouble = "no SSH"                // another server, which says so and hangs up
	EndlessBanner    Trouble = "endless banner"        // talks on and on before it says SSH
	Garbage          Trouble = "garbage for an answer" // of the right command
	EndlessAnswer    Trouble = "endless answer"        // of the right command
	EndlessNoise     Trouble = "endless noise"         // of the login shell, before the command
)

// PortOfNone is where nothing listens (tcpmux).
const PortOfNone = 1

// tooBusy is how many connections of a busy host end at once.
const tooBusy = 2

func (f *Fleet) trouble(host int) Trouble {
	if f.Trouble == nil {
		return Well
	}
	return f.Trouble(host)
}

// Deadlines are options of ssh_config for a host in this trouble: of seconds where nothing else ends the wait for it.
// All others have minutes, for a busy machine makes each of its hosts slow, and none of them silent.
func (trouble Trouble) Deadlines() []string {
	connect, alive := 300, 100
	switch trouble {
	case Silent:
		connect = 3
	case SilentAfterLogin, SilentInAnswer:
		alive = 1
	}
	return []string{fmt.Sprint("ConnectTimeout=", connect), fmt.Sprint("ServerAliveInterval=", alive), "ServerAliveCountMax=2"}
}

// before is trouble before SSH. It reports whether that was all.
func (f *Fleet) before(conn net.Conn, host int, trouble Trouble) (over bool) {
	switch trouble {
	case Resets:
		reset(conn)
	case Busy:
		f.mu.Lock()
		f.attempts[host]++
		over = f.attempts[host] <= tooBusy
		f.mu.Unlock()
		return over
	case Silent:
		io.Copy(io.Discard, conn)
	case NoSSH:
		io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		conn.Read(make([]byte, 1024)) // what is left unread makes a reset of the end, which may go before what was said
	case EndlessBanner:
		endlessly(conn)
	default:
		return false
	}
	return true
}

// inAnswer is trouble with the answer to a command. It reports whether that was all.
func (trouble Trouble) inAnswer(conn net.Conn, channel ssh.Channel, answer Answer) (over bool) {
	begin, rest := answer.Output[:len(answer.Output)/2], answer.Output[len(answer.Output)/2:]
	switch trouble {
	case SilentInAnswer, StuckInAnswer, ResetsInAnswer:
		io.WriteString(channel.Stderr(), answer.Errors)
		io.WriteString(channel, begin)
	case EndsInAnswer: // with what the wrapper says at the end
		io.WriteString(channel.Stderr(), answer.Errors)
		io.WriteString(channel, begin+answer.end())
	case Garbage:
		io.WriteString(channel.Stderr(), answer.Errors)
		io.WriteString(channel, answer.start()+strings.Repeat("Segmentation fault\x00", len(rest)/20)+answer.end())
	case EndlessAnswer:
		io.WriteString(channel.Stderr(), answer.Errors)
		io.WriteString(channel, answer.start())
		endlessly(channel)
	case EndlessNoise:
		endlessly(channel)
	}
	switch trouble {
	case ResetsInAnswer:
		reset(conn)
	case EndsInAnswer, Garbage:
		channel.CloseWrite()
		channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{}))
		channel.Close()
	}
	return trouble != Well && trouble != Busy
}

// start and end are what stands around the output of provision's commands (internal/remote, wrap.go).
func (a Answer) start() string { return a.Output[:2*32+1] }

func (a Answer) end() string { return a.Output[len(a.Output)-(2*33+4):] }

// endlessly writes until nobody takes it any more.
func endlessly(to io.Writer) {
	line := bytes.Repeat([]byte(strings.Repeat("y", 79)+"\n"), 400)
	for {
		if _, err := to.Write(line); err != nil {
			return
		}
	}
}

// reset ends a connection without the end that TCP has for it.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
