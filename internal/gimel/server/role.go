package server

import (
	"context"
	"net/http"
)

// role is what a key or a password lets its bearer do.
type role int

const (
	nobody  role = iota
	tracker      // sends events
	reader       // sees experiments
	admin        // all of it, and changes them
)

func (r role) may(what role) bool { return r == admin || r == what && r != nobody }

// key is a secret and its bearer's role.
type key struct {
	secret secret
	role   role
}

// keys are those that are there; an empty one would be anybody's.
func keysOf(settings Settings) (all []key) {
	for _, one := range []struct {
		text []byte
		role role
	}{{settings.APIKey, admin}, {settings.ReadKey, reader}, {settings.TrackKey, tracker}} {
		if len(one.text) > 0 {
			all = append(all, key{newSecret(one.text), one.role})
		}
	}
	return all
}

// roleOf is what a key gives. Each is compared, so the time tells nothing.
func roleOf(text string, keys []key) role {
	found := nobody
	for _, one := range keys {
		if one.secret.matches(text) {
			found = one.role
		}
	}
	return found
}

// bearer is the role of a request: of its key, or without one of its session.
func (s *Server) bearer(r *http.Request) role {
	if text := r.Header.Get("X-Api-Key"); text != "" {
		return roleOf(text, s.keys)
	}
	return s.sessions.roleOf(r)
}

// authorized lets those pass who may.
func (s *Server) authorized(what role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		switch found := s.bearer(r); {
		case found.may(what):
			next.ServeHTTP(w, r)
		case found == nobody:
			s.Counters.Unauthorized()
			writeError(w, http.StatusUnauthorized, "header X-Api-Key: missing or wrong")
		default:
			s.Counters.Unauthorized()
			writeError(w, http.StatusForbidden, "this key or session may not do that")
		}
	})
}

type roleKey struct{}

// withRole notes the role of a session for the pages.
func withRole(r *http.Request, found role) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), roleKey{}, found))
}

// mayChange says whether the pages offer what changes an experiment.
func mayChange(r *http.Request) bool {
	found, _ := r.Context().Value(roleKey{}).(role)
	return found.may(admin)
}
