package main

import (
	"fmt"
	"sync"

	"provision/internal/report"
)

// person is somebody at the terminal, who is asked one thing at a time, however many hosts
// want to know something at once.
type person struct {
	io         console
	passphrase func(file string) ([]byte, error)

	mu        sync.Mutex
	passwords map[string]given
}

// given is what was answered, so that nobody is asked twice.
type given struct {
	text []byte
	err  error
}

func (p *person) openKey(file string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passphrase(file)
}

// password asks for the password that a prompt names: once for each.
func (p *person) password(prompt string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if got, asked := p.passwords[prompt]; asked {
		return got.text, got.err
	}
	text, err := p.io.secret(prompt + ": ")
	if p.passwords == nil {
		p.passwords = map[string]given{}
	}
	p.passwords[prompt] = given{text, err}
	return text, err
}

// answer asks what a host wants to know, in the host's words: each time, for a code is good
// for one login.
func (p *person) answer(question string, echo bool) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ask := p.io.secret
	if echo {
		ask = p.io.open
	}
	return ask(report.Sanitize(question))
}

func (p *person) trust(host, fingerprint string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.io.err, "%s is not known yet. Its key's fingerprint is %s.\n", host, fingerprint)
	return p.io.yes("Trust it from now on?", nil)
}
