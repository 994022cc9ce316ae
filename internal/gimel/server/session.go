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
// time), 16 random bytes, and the HMAC of both.
type sessions struct {
	entrances []entrance
	attempts  *attempts
	now       func() time.Time
}

// entrance is a password and the role that it gives. Its key depends on it, so
// that a new password ends all sessions of the old one, and no others.
type entrance struct {
	password secret
	role     role
	key      []byte
	device   []byte // signs the cookies of browsers that have signed in
}

func newSessions(key, password, viewer []byte) *sessions {
	s := &sessions{attempts: newAttempts(), now: time.Now}
	s.entrances = append(s.entrances, entrance{newSecret(password), admin, derive(key, "session", password), derive(key, "device", password)})
	if len(viewer) > 0 { // an empty one would be anybody's
		s.entrances = append(s.entrances, entrance{newSecret(viewer), reader, derive(key, "viewer's session", viewer), derive(key, "viewer's device", viewer)})
	}
	return s
}

func derive(key []byte, purpose string, password []byte) []byte {
	return sign(key, append([]byte("gimel dashboard "+purpose+"\x00"), password...))
}

func sign(key, payload []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(payload)
	return mac.Sum(nil)
}

// enter finds the entrance that a password opens; each is compared.
func (s *sessions) enter(password string) (found *entrance) {
	for i := range s.entrances {
		if s.entrances[i].password.matches(password) {
			found = &s.entrances[i]
		}
	}
	return found
}

func (s *sessions) issue(by *entrance) string {
	payload := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(sessionLifetime).Unix()))
	var random [16]byte
	rand.Read(random[:]) // never fails (crypto/rand since Go 1.24)
	payload = append(payload, random[:]...)
	return base64.RawURLEncoding.EncodeToString(append(payload, sign(by.key, payload)...))
}

// roleOf is the role of a request's session.
func (s *sessions) roleOf(r *http.Request) role {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nobody
	}
	token, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(token) != 8+16+sha256.Size {
		return nobody
	}
	payload, mac := token[:24], token[24:]
	if s.now().Unix() >= int64(binary.BigEndian.Uint64(payload)) {
		return nobody
	}
	for _, one := range s.entrances {
		if hmac.Equal(mac, sign(one.key, payload)) {
			return one.role
		}
	}
	return nobody
}

func (s *Server) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := s.sessions.roleOf(r)
		if !found.may(reader) {
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, "/dashboard/login", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, withRole(r, found))
	})
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	if s.sessions.roleOf(r).may(reader) {
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
	entered := s.sessions.enter(r.PostFormValue("password"))
	if entered == nil {
		s.Counters.Unauthorized()
		dashboard.Login(w, http.StatusUnauthorized, "That is not the password.")
		return
	}
	s.sessions.attempts.giveBack(from)
	setCookie(w, r, cookieName, s.sessions.issue(entered), int(sessionLifetime.Seconds()))
	if from.device < entered.role { // an owner who looks as a viewer keeps what he has
		setCookie(w, r, deviceName, entered.issueDevice(), int(deviceLifetime.Seconds()))
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
