package project

import (
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// check makes a word of a kind of checks.
func check(w Word, made func(*call) (recipe.Check, error)) *Word {
	w.Group = Checks
	w.Parameters = append(w.Parameters,
		byName(or(duration("within", "It is tried again until then."), "once")),
		byName(text("name", "What it proves, in a few words.")),
		byName(text("after", "The name of an earlier check: when that fails, this one is left out.")),
	)
	w.returns = func(c *call) (starlark.Value, error) {
		check, err := made(c)
		if err != nil {
			return nil, c.refused(err)
		}
		if c.has("name") {
			check.Name = given[string](c, "name")
		}
		check.At, check.Within, check.Needs = c.at, given[time.Duration](c, "within"), given[string](c, "after")
		return c.make(&thing{check: check}), nil
	}
	return &w
}

// outside is the parameter of a check that can be made from the controller.
func outside() Parameter {
	return byName(truth("outside", "It is made from where provision runs, to $HOST; else on the host itself."))
}

func (c *call) vantage() recipe.Vantage {
	if given[bool](c, "outside") {
		return recipe.FromController
	}
	return recipe.FromHost
}

const filledIn = " In its texts $HOST is the host's address as provision reaches it, $NOW the time in seconds, $NONCE a number that is new in each verify."

// checkWords are the checks that verify returns.
func checkWords() []*Word {
	return []*Word{
		check(Word{
			Name: "http", Manual: "RFC 9110",
			About:   "A request, and what its answer must be." + filledIn,
			Example: "http(\"http://127.0.0.1/health\", host = v.domain, status = 200, contains = \"ok\", within = \"10s\")",
			Parameters: []Parameter{
				required(text("url", "Where it goes: http://127.0.0.1/health, or http://$HOST/ from outside.")),
				byName(or(number("status", "Its answer's."), "200")),
				byName(text("contains", "Is in the answer's body.")),
				byName(text("lacks", "Is not in the answer's body.")),
				byName(text("type", "How the answer's Content-Type begins.")),
				byName(text("host", "The name that it is addressed to, where that is not the URL's.")),
				byName(or(text("method", "GET, POST or another."), `"GET"`)),
				byName(named("header", "Further headers.")),
				byName(text("body", "What is sent.")),
				byName(text("user", "Who logs in (basic authentication), with password.")),
				byName(contentOf("password", "The password; it may be a secret.")),
				byName(truth("insecure", "Any certificate is taken: the task made it itself.")),
				outside(),
			},
		}, httpCheck),
		check(Word{
			Name: "tcp", Manual: "RFC 9293",
			About:   "A connection: it must be made, and a line that is sent must be answered; or, with closed, it must not." + filledIn,
			Example: "tcp(\"127.0.0.1:6379\", send = \"PING\\r\\n\", expect = \"+PONG\", within = \"10s\")",
			Parameters: []Parameter{
				required(text("address", "127.0.0.1:2003, $HOST:2003 from outside, or a socket's path.")),
				byName(text("send", "What is sent.")),
				byName(text("expect", "What must come back.")),
				byName(truth("closed", "Nobody answers there.")),
				outside(),
			},
		}, tcpCheck),
		check(Word{
			Name: "runs", Manual: "sh(1)",
			About:   "A script that is run on the host as root, and what it must end with and print. In it NOW and NONCE are variables of the shell.",
			Example: "runs(\"systemctl is-active shop.service\", contains = \"active\")",
			Parameters: []Parameter{
				required(text("script", "POSIX sh that changes nothing, or takes back what it changed.")),
				byName(or(number("status", "What it ends with."), "0")),
				byName(text("contains", "Is in what it prints.")),
			},
		}, func(c *call) (recipe.Check, error) {
			script := given[string](c, "script")
			first, _, _ := strings.Cut(strings.TrimSpace(script), "\n")
			return recipe.Check{
				Name: first, From: recipe.FromHost,
				Command: &recipe.CommandCheck{Script: script, Exit: given[int](c, "status"), Contains: given[string](c, "contains")},
			}, nil
		}),
	}
}

func httpCheck(c *call) (recipe.Check, error) {
	url := given[string](c, "url")
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return recipe.Check{}, plain(fmt.Sprintf("%q is no URL", url), "http://127.0.0.1/health")
	}
	header := given[map[string]string](c, "header")
	if c.has("host") {
		if header == nil {
			header = map[string]string{}
		}
		header["Host"] = given[string](c, "host")
	}
	want := given[int](c, "status")
	if want == 0 {
		want = 200
	}
	return recipe.Check{
		Name: fmt.Sprintf("%s answers %d", url, want), From: c.vantage(),
		HTTP: &recipe.HTTPCheck{
			Method: given[string](c, "method"), URL: url, Header: header, Body: given[string](c, "body"),
			User: given[string](c, "user"), Password: recipe.NewSecret(given[content](c, "password").text), Insecure: given[bool](c, "insecure"),
			Status: want, Contains: given[string](c, "contains"), Lacks: given[string](c, "lacks"), Type: given[string](c, "type"),
		},
	}, nil
}

func tcpCheck(c *call) (recipe.Check, error) {
	t := &recipe.TCPCheck{Address: given[string](c, "address"), Send: given[string](c, "send"), Expect: given[string](c, "expect"), Closed: given[bool](c, "closed")}
	name := t.Address + " answers"
	switch {
	case t.Closed && (t.Send != "" || t.Expect != ""):
		return recipe.Check{}, plain("closed, yet with something to send or expect", "leave out one of the two")
	case t.Closed:
		name = t.Address + " is closed"
	}
	return recipe.Check{Name: name, From: c.vantage(), TCP: t}, nil
}
