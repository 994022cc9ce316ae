package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"sync"
	"time"
)

// origin is where a login is tried from: an address, or a browser that has
// signed in before.
type origin struct {
	name   string
	device role // that the browser has signed in with; nobody for an address
}

// A browser that signed in gets a cookie that says so and opens nothing. What
// it tries is counted by itself, so strangers who guess cannot lock its owner
// out, from whatever address (OWASP, "Slow Down Online Guessing Attacks with
// Device Cookies"). Those who may only look get as many of them as they like, so
// what they try is bounded as that of strangers is, and beside it: it may be the
// other password.
const (
	deviceName     = "gimel_device"
	deviceLifetime = 365 * 24 * time.Hour
)

func (e *entrance) issueDevice() string {
	var random [16]byte
	rand.Read(random[:]) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(append(random[:], sign(e.device, random[:])...))
}

func (s *sessions) triedFrom(r *http.Request) origin {
	if cookie, err := r.Cookie(deviceName); err == nil {
		token, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		for _, one := range s.entrances {
			if err == nil && len(token) == 16+sha256.Size && hmac.Equal(token[16:], sign(one.device, token[:16])) {
				return origin{name: cookie.Value, device: one.role}
			}
		}
	}
	return origin{name: visitor(r)}
}

// visitor is the address that a login comes from. Behind a proxy on the same
// host (a Unix socket or loopback) it is the one in X-Real-IP.
func visitor(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err == nil && !net.ParseIP(host).IsLoopback() {
		return network(host)
	}
	return network(r.Header.Get("X-Real-IP"))
}

// network is the address itself, or an IPv6 address's /64: one visitor has as
// many addresses as he likes in it.
func network(address string) string {
	ip := net.ParseIP(address)
	if ip == nil {
		return ""
	}
	if ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return ip.String()
}

// attempts bounds logins that fail: five in five minutes from one origin, and
// a hundred from all addresses together, and from all browsers of viewers. Not x/time/rate: a limiter cannot be
// given back what the right password has taken.
type attempts struct {
	mu    sync.Mutex
	since time.Time
	by    map[origin]int
	total map[role]int // of an origin's device
}

const (
	attemptsWindow = 5 * time.Minute
	attemptsEach   = 5
	attemptsAll    = 100
)

func newAttempts() *attempts { return &attempts{by: map[origin]int{}, total: map[role]int{}} }

// take says whether one more may be tried, and counts it.
func (a *attempts) take(from origin, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.since) >= attemptsWindow {
		a.since, a.by, a.total = now, map[origin]int{}, map[role]int{}
	}
	if a.by[from] >= attemptsEach || from.device != admin && a.total[from.device] >= attemptsAll {
		return false
	}
	a.by[from]++
	a.total[from.device]++
	return true
}

// giveBack is for the right password.
func (a *attempts) giveBack(from origin) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by[from] == 0 {
		return // a new window has begun
	}
	a.by[from]--
	a.total[from.device]--
}
