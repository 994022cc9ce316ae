package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/http"
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
	// Taken before the body is read: else many who hold theirs back are one try.
	from := s.sessions.triedFrom(r)
	if !s.sessions.attempts.take(from, s.sessions.now()) {
		w.Header().Set("Retry-After", "300")
		dashboard.Login(w, http.StatusTooManyRequests, "Too many attempts. Wait five minutes.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if !s.sessions.password.matches(r.PostFormValue("password")) {
		s.Counters.Unauthorized()
		dashboard.Login(w, http.StatusUnauthorized, "That is not the password.")
		return
	}
	s.sessions.attempts.giveBack(from)
	setCookie(w, r, cookieName, s.sessions.issue(), int(sessionLifetime.Seconds()))
	if !from.isDevice {
		setCookie(w, r, deviceName, s.sessions.issueDevice(), int(deviceLifetime.Seconds()))
	}
	http.Redirect(w, r, "/dashboard/", http.StatusSeeOther)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, cookieName, "", -1)
	http.Redirect(w, r, "/dashboard/login", http.StatusSeeOther)
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
		SameSite: http.SameSiteStrictMode,
	})
}
