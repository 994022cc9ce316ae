package simulated

import (
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Answer is what a command printed, and how it ended.
type Answer struct {
	Output, Errors string
	Status         int
}

func (f *Fleet) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.open[conn] = true
		f.mu.Unlock()
		go func() {
			f.host(conn)
			f.mu.Lock()
			delete(f.open, conn)
			f.mu.Unlock()
		}()
	}
}

// host is one connection to a host.
func (f *Fleet) host(conn net.Conn) {
	host := number(conn.LocalAddr())
	trouble := f.trouble(host)
	if f.before(conn, host, trouble) {
		conn.Close()
		return
	}
	config := &ssh.ServerConfig{ServerVersion: "SSH-2.0-simulated", PublicKeyCallback: f.lets}
	config.AddHostKey(hostKey(host))
	far := away(conn, f.Delay)
	defer far.Close()
	server, channels, requests, err := ssh.NewServerConn(far, config)
	if err != nil {
		return
	}
	if trouble == SilentAfterLogin {
		server.Wait()
		return
	}
	go func() {
		for request := range requests {
			if trouble != SilentInAnswer {
				request.Reply(false, nil)
			}
		}
	}()
	for offered := range channels {
		if offered.ChannelType() != "session" {
			offered.Reject(ssh.UnknownChannelType, "a simulated host has sessions alone")
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go f.session(conn, channel, requests, trouble)
	}
}

// lets in whoever has the one key.
func (f *Fleet) lets(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	if string(key.Marshal()) != string(f.login.PublicKey().Marshal()) {
		return nil, errors.New("not this key")
	}
	return nil, nil
}

// session runs one command.
func (f *Fleet) session(conn net.Conn, channel ssh.Channel, requests <-chan *ssh.Request, trouble Trouble) {
	for request := range requests {
		var command struct{ Line string }
		good := request.Type == "exec" && ssh.Unmarshal(request.Payload, &command) == nil
		request.Reply(good, nil)
		if good {
			go f.run(conn, channel, command.Line, trouble)
		}
	}
}

func (f *Fleet) run(conn net.Conn, channel ssh.Channel, line string, trouble Trouble) {
	answer, err := f.answer(line)
	if err != nil {
		answer = Answer{Errors: fmt.Sprintf("simulated: %v\n", err), Status: 1}
	}
	if trouble.inAnswer(conn, channel, answer) {
		return
	}
	io.WriteString(channel.Stderr(), answer.Errors)
	io.WriteString(channel, answer.Output)
	channel.CloseWrite()
	channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(answer.Status)}))
	channel.Close()
}

// token is what provision tells its own output by: each connection has another.
var token = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

// AskedLast is a command that prints the question that the hosts were asked last, as if it had a token.
const AskedLast = "what was asked last"

// answer is what a real host answered. What stands on standard input is not part of the question, so
// none of it can be in what is simulated.
func (f *Fleet) answer(line string) (Answer, error) {
	its := token.FindString(line)
	f.mu.Lock()
	if line == AskedLast {
		defer f.mu.Unlock()
		return Answer{Output: strings.ReplaceAll(f.last, "TOKEN", strings.Repeat("0", 32))}, nil
	}
	question := line
	if its != "" {
		question = strings.ReplaceAll(line, its, "TOKEN")
	}
	if f.answers[question] == nil {
		f.answers[question] = sync.OnceValues(func() (Answer, error) {
			answer, err := f.Real(line)
			if its != "" {
				answer.Output, answer.Errors = strings.ReplaceAll(answer.Output, its, "TOKEN"), strings.ReplaceAll(answer.Errors, its, "TOKEN")
			}
			return answer, err
		})
	}
	ask := f.answers[question]
	f.last = question
	f.mu.Unlock()
	answer, err := ask()
	answer.Output, answer.Errors = strings.ReplaceAll(answer.Output, "TOKEN", its), strings.ReplaceAll(answer.Errors, "TOKEN", its)
	return answer, err
}
