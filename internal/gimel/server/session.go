package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/http"
	"sync"
	"time"

	"provision/internal/gimel/dashboard"
)

// secret compares without telling by its time how much was right.
type secret struct{ sum [sha256.Size]byte }

func newSecret(text []byte) secret { return secret{sha256.Sum256(text)} }

func (s secret) matches(text string) bool {
	sum := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(sum[:], s.sum[:]) == 1
}

const (
	cookieName      = "gimel_session"
	sessionLifetime = 12 * time.Hour
)

// sessions signs and checks the dashboard's cookies: expiry (8 bytes, Unix
// time), 16 random bytes, and the HMAC of both. The key depends on the
// password, so that a new password ends all sessions.
type sessions struct {
	key      []byte
	password secret
	attempts *attempts
	now      func() time.Time
}

func newSessions(key, password []byte) *sessions {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("gimel dashboard session\x00"))
	mac.Write(password)
	return &sessions{key: mac.Sum(nil), password: newSecret(password), attempts: newAttempts(), now: time.Now}
}

func (s *sessions) sign(payload []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(payload)
	return mac.Sum(nil)
}

func (s *sessions) issue() string {
	payload := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(sessionLifetime).Unix()))
	var random [16]byte
	rand.Read(random[:]) // never fails (crypto/rand since Go 1.24)
	payload = append(payload, random[:]...)
	return base64.RawURLEncoding.EncodeToString(append(payload, s.sign(payload)...))
}

func (s *sessions) valid(r *http.Request) bool {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	token, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(token) != 8+16+sha256.Size {
		return false
	}
	payload, mac := token[:24], token[24:]
	return hmac.Equal(mac, s.sign(payload)) &&
		s.now().Unix() < int64(binary.BigEndian.Uint64(payload))
}

func (s *Server) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.sessions.valid(r) {
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, "/dashboard/login", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	if s.sessions.valid(r) {
		http.Redirect(w, r, "/dashboard/", http.StatusSeeOther)
		return
	}
	dashboard.Login(w, http.StatusOK, "")
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	from := visitor(r)
	if !s.sessions.attempts.allowed(from, s.sessions.now()) {
		w.Header().Set("Retry-After", "300")
		dashboard.Login(w, http.StatusTooManyRequests, "Too many attempts. Wait five minutes.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if !s.sessions.password.matches(r.PostFormValue("password")) {
		s.sessions.attempts.failed(from, s.sessions.now())
		s.Counters.Unauthorized()
		dashboard.Login(w, http.StatusUnauthorized, "That is not the password.")
		return
	}
	setCookie(w, r, s.sessions.issue(), int(sessionLifetime.Seconds()))
	http.Redirect(w, r, "/dashboard/", http.StatusSeeOther)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, "", -1)
	http.Redirect(w, r, "/dashboard/login", http.StatusSeeOther)
}

func setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
		SameSite: http.SameSiteStrictMode,
	})
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

// attempts bounds failed logins: five in five minutes from one address, and a
// hundred from all of them.
type attempts struct {
	mu    sync.Mutex
	since time.Time
	by    map[string]int
	total int
}

const (
	attemptsWindow = 5 * time.Minute
	attemptsEach   = 5
	attemptsAll    = 100
)

func newAttempts() *attempts { return &attempts{by: map[string]int{}} }

func (a *attempts) roll(now time.Time) {
	if now.Sub(a.since) >= attemptsWindow {
		a.since, a.by, a.total = now, map[string]int{}, 0
	}
}

func (a *attempts) allowed(from string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	return a.by[from] < attemptsEach && a.total < attemptsAll
}

func (a *attempts) failed(from string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	a.by[from]++
	a.total++
}
