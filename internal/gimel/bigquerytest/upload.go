package bigquerytest

import (
	"fmt"
	"io"
	"net/http"
)

// upload is a resumable one (cloud.google.com/bigquery/docs/reference/api-uploads).
type upload struct {
	description, content []byte
}

// session is the answer while more is to come.
type session struct {
	location string // of a new one
	received int
}

func (s *session) tell(w http.ResponseWriter) {
	if s.location != "" {
		w.Header().Set("Location", s.location)
		return
	}
	// Google's clients say X-GUploader-No-308, for proxies take 308 for a redirect.
	w.Header().Set("X-Http-Status-Code-Override", "308")
	w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", s.received-1))
}

func (s *Server) beginUpload(r *http.Request) (any, error) {
	description, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprint("upload-", len(s.uploads))
	s.uploads[id] = &upload{description: description}
	return &session{location: s.URL + r.URL.Path + "?uploadType=resumable&upload_id=" + id}, nil
}

func (s *Server) continueUpload(r *http.Request) (any, error) {
	chunk, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	u := s.uploads[r.FormValue("upload_id")]
	s.mu.Unlock()
	if u == nil {
		return nil, notFound("Upload", r.FormValue("upload_id"))
	}
	var from, to, all int
	span := r.Header.Get("Content-Range")
	whole := true
	if _, err := fmt.Sscanf(span, "bytes %d-%d/%d", &from, &to, &all); err != nil {
		if _, err := fmt.Sscanf(span, "bytes %d-%d/*", &from, &to); err != nil {
			return nil, fmt.Errorf("Content-Range: %q", span)
		}
		whole = false
	}
	if from != len(u.content) || to-from+1 != len(chunk) {
		return nil, fmt.Errorf("Content-Range: %q, and %d bytes are here", span, len(u.content))
	}
	u.content = append(u.content, chunk...)
	if !whole {
		return &session{received: len(u.content)}, nil
	}
	return s.run(u.description, u.content)
}
