package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
)

// ErrVerify says that a check failed: the thing does not do what its users need of it.
var ErrVerify = errors.New("verify failed")

// ErrLeftOut says that a check was not made: another one failed that it needs.
var ErrLeftOut = errors.New("was not made")

// Dialer opens a connection: from the host, or from here.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Reach is how checks reach a host.
type Reach struct {
	Host    string // its address as the controller reaches it
	Through Dialer // from the host, through the connection that is there
	Outside Dialer // as others reach the host
	// Run runs a script on the host and returns its exit status and output.
	Run func(ctx context.Context, script string) (int, string, error)
}

// checkTimeout bounds one try of one check, and dialTimeout its connection: a port that
// does not answer until then is closed.
const (
	checkTimeout = 15 * time.Second
	dialTimeout  = 5 * time.Second
)

// Verify runs checks in order and tells of each. All are run, also after one that fails,
// but for those that need it, or that one which was left out for it. Where the context ends, the rest is left out.
func Verify(ctx context.Context, checks []recipe.Check, reach Reach, observe Observer) error {
	number, err := rand.Int(rand.Reader, big.NewInt(1e9))
	if err != nil {
		return err
	}
	nonce := number.String()
	var failed, leftOut []string
	for _, check := range checks {
		if check.Needs != "" && slices.Contains(slices.Concat(failed, leftOut), check.Needs) {
			leftOut = append(leftOut, check.Name)
			observe(Checked{Check: check, Err: fmt.Errorf("%w: it needs %q", ErrLeftOut, check.Needs)})
			continue
		}
		began := time.Now()
		err := attempt(ctx, check, again(checks, check), reach, nonce)
		if err != nil && ctx.Err() != nil { // it says nothing of the host
			return ctx.Err()
		}
		observe(Checked{Check: check, Elapsed: time.Since(began), Err: err})
		if err != nil {
			failed = append(failed, check.Name)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%w: %s", ErrVerify, strings.Join(failed, ", "))
	}
	return nil
}

// again returns the check that has to be made again before a further try of one: none for
// most.
func again(checks []recipe.Check, check recipe.Check) []recipe.Check {
	at := slices.IndexFunc(checks, func(earlier recipe.Check) bool { return earlier.Name == check.Again })
	if check.Again == "" || at < 0 {
		return nil
	}
	return checks[at : at+1]
}

// attempt tries a check until it passes or its time is over, and makes others again before
// each further try.
func attempt(ctx context.Context, check recipe.Check, before []recipe.Check, reach Reach, nonce string) error {
	deadline := time.Now().Add(check.Within)
	for {
		words := words{Now: fmt.Sprint(time.Now().Unix()), Nonce: nonce, Host: bracketed(reach.Host)}
		err := once(ctx, check, reach, words)
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
		for _, earlier := range before {
			_ = once(ctx, earlier, reach, words) // what matters is what comes of it
		}
	}
}

// words are what a check's texts are filled in with.
type words struct{ Now, Nonce, Host string }

func (w words) fill() *strings.Replacer {
	return strings.NewReplacer("$NOW", w.Now, "$NONCE", w.Nonce, "$HOST", w.Host)
}

// shell gives them to a script, where $HOSTNAME is another word. They are digits.
func (w words) shell(script string) string {
	return "NOW=" + w.Now + " NONCE=" + w.Nonce + "\n" + script
}

// bracketed writes an IPv6 address as it stands in a URL.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// zoned writes the zone of an IPv6 address as a URL has it: %25 for the % (RFC 6874).
func zoned(address string) string {
	if zone := strings.Index(address, "%"); zone >= 0 && zone < strings.Index(address, "]") {
		return address[:zone] + "%25" + address[zone+1:]
	}
	return address
}

func once(ctx context.Context, check recipe.Check, reach Reach, words words) error {
	fill := words.fill()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	dial := reach.Through
	if check.From == recipe.FromController {
		dial = reach.Outside
	}
	switch {
	case check.HTTP != nil:
		return checkHTTP(ctx, *check.HTTP, dial, fill)
	case check.TCP != nil:
		return checkTCP(ctx, *check.TCP, dial, fill)
	case check.Command != nil:
		status, output, err := reach.Run(ctx, words.shell(check.Command.Script))
		switch {
		case err != nil:
			return err
		case status != check.Command.Exit:
			return fmt.Errorf("exit status %d, want %d: %s", status, check.Command.Exit, excerpt(output))
		case !strings.Contains(output, fill.Replace(check.Command.Contains)):
			return fmt.Errorf("output has no %q: %s", fill.Replace(check.Command.Contains), excerpt(output))
		}
		return nil
	}
	return errors.New("the check asks nothing")
}

func checkTCP(ctx context.Context, check recipe.TCPCheck, dial Dialer, fill *strings.Replacer) error {
	address := fill.Replace(check.Address)
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dial(dialing, network, address)
	if check.Closed {
		if err == nil {
			conn.Close()
			return fmt.Errorf("%s is open", address)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	if _, err := io.WriteString(conn, fill.Replace(check.Send)); err != nil {
		return err
	}
	if check.Expect == "" {
		return nil
	}
	answer := make([]byte, 4096)
	read := 0
	for read < len(answer) && !strings.Contains(string(answer[:read]), fill.Replace(check.Expect)) {
		n, err := conn.Read(answer[read:])
		read += n
		if err != nil {
			return fmt.Errorf("no %q in the answer: %s", check.Expect, excerpt(string(answer[:read])))
		}
	}
	return nil
}

func checkHTTP(ctx context.Context, check recipe.HTTPCheck, dial Dialer, fill *strings.Replacer) error {
	method := check.Method
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, zoned(fill.Replace(check.URL)), strings.NewReader(fill.Replace(check.Body)))
	if err != nil {
		return err
	}
	for name, value := range check.Header {
		if name == "Host" {
			request.Host = fill.Replace(value)
		}
		request.Header.Set(name, fill.Replace(value))
	}
	if check.User != "" {
		request.SetBasicAuth(check.User, check.Password.Reveal())
	}
	client := http.Client{
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: check.Insecure}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return err
	}
	return judge(check, response, string(body), fill)
}

// judge compares an answer with what it must be.
func judge(check recipe.HTTPCheck, response *http.Response, body string, fill *strings.Replacer) error {
	status := check.Status
	if status == 0 {
		status = http.StatusOK
	}
	kind := response.Header.Get("Content-Type")
	switch {
	case response.StatusCode != status:
		return fmt.Errorf("status %d, want %d: %s", response.StatusCode, status, excerpt(body))
	case !strings.HasPrefix(kind, check.Type):
		return fmt.Errorf("content type %q, want %q", kind, check.Type)
	case !strings.HasPrefix(body, check.Prefix):
		return fmt.Errorf("the body does not start with %q: %s", check.Prefix, excerpt(body))
	case !strings.Contains(body, fill.Replace(check.Contains)):
		return fmt.Errorf("no %q in the body: %s", fill.Replace(check.Contains), excerpt(body))
	case check.Lacks != "" && strings.Contains(body, fill.Replace(check.Lacks)):
		return fmt.Errorf("%q is in the body: %s", fill.Replace(check.Lacks), excerpt(body))
	}
	return nil
}

// excerpt is the start of a text in one line, and says so where there is none.
func excerpt(text string) string {
	text = cmp.Or(strings.Join(strings.Fields(text), " "), "(empty)")
	if runes := []rune(text); len(runes) > 160 {
		return string(runes[:160]) + "…"
	}
	return text
}
