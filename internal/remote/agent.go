package remote

import (
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentAnswers is how long an agent has to list its keys. One that is stopped, or behind a
// connection that is gone (ssh -A), never does.
const agentAnswers = 5 * time.Second

// agentKeys lists the agent's keys. An agent that does not answer is a warning.
func (c Config) agentKeys(s settings) ([]key, io.Closer) {
	if s.agentSocket == "" {
		return nil, nil
	}
	conn, err := net.Dial("unix", s.agentSocket)
	if err != nil {
		c.warn("ssh agent: " + err.Error())
		return nil, nil
	}
	// To list its keys asks nobody; to sign with one may (ssh-add -c), and has no deadline.
	conn.SetDeadline(time.Now().Add(agentAnswers))
	signers, err := agent.NewClient(conn).Signers()
	conn.SetDeadline(time.Time{})
	if err != nil {
		conn.Close()
		c.warn("ssh agent: " + err.Error())
		return nil, nil
	}
	var keys []key
	for _, signer := range signers {
		held, ok := signer.(ssh.AlgorithmSigner)
		if !ok {
			continue
		}
		name := "agent"
		if k, ok := held.PublicKey().(*agent.Key); ok {
			name = "agent " + k.Comment
		}
		name += " " + ssh.FingerprintSHA256(held.PublicKey())
		watched := &agentSigner{AlgorithmSigner: held, name: name}
		keys = append(keys, key{watched, name, &watched.failure})
	}
	return keys, conn
}

// agentSigner remembers why the agent would not sign: it may ask a person first (ssh-add -c),
// or want a key to be touched.
type agentSigner struct {
	ssh.AlgorithmSigner
	name    string
	failure error
}

// SignWithAlgorithm implements ssh.AlgorithmSigner.
func (a *agentSigner) SignWithAlgorithm(random io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	signature, err := a.AlgorithmSigner.SignWithAlgorithm(random, data, algorithm)
	if err != nil {
		a.failure = &Error{What: "ssh agent", Problem: "does not sign with " + a.name + ": " + err.Error(), Hint: "ssh-add -l shows what it holds",
			Kinds: []error{ErrAuthentication, err}}
	}
	return signature, err
}
