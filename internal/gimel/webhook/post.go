package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// Target is who is told.
type Target struct {
	URL    string // often a secret by itself
	Secret []byte // signs what is posted
	client *http.Client
}

// CheckURL says why a target cannot be one. Its text does not quote it.
func CheckURL(text string) error {
	address, err := url.Parse(text)
	switch {
	case err != nil || address.Host == "":
		return errors.New("is no URL")
	case address.User != nil:
		return errors.New("has a user in it: the signature says who calls")
	case address.Scheme == "https", address.Scheme == "http" && isLoopback(address.Hostname()):
		return nil
	}
	return errors.New("must be https, or http to this host")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// NewTarget makes a target of a URL that CheckURL passes.
func NewTarget(address string, secret []byte) *Target {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if len(address) > 5 && address[:5] == "http:" {
		dialer.Control = onlyLoopback // whatever localhost is said to be
	}
	return &Target{URL: address, Secret: secret, client: &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second,
			ResponseHeaderTimeout: 10 * time.Second, DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func onlyLoopback(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("%s: is not this host, and http is for this host only", address)
	}
	return nil
}

// refused is an answer other than 2xx.
type refused struct{ status string }

func (r refused) Error() string { return "the webhook answers " + r.status }

// post sends one message, signed as "Standard Webhooks" 1.0 says
// (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body.
func (t *Target) post(ctx context.Context, m Message, now time.Time) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's URL is none")
	}
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, t.Secret)
	fmt.Fprintf(mac, "%s.%s.%s", m.ID(), at, body)
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"gimel"},
		"Webhook-Id": {m.ID()}, "Webhook-Timestamp": {at},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
	response, err := t.client.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if response.StatusCode/100 != 2 {
		return refused{response.Status}
	}
	return nil
}

// withoutURL takes the URL out of an error of net/http, for it goes to the log.
func withoutURL(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("the webhook does not answer: %w", inner.Err)
	}
	return err
}
