package dashboard

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"provision/internal/gimel/results"
	"provision/internal/gimel/store"
)

// Changes are what the forms do. An error that is a Mistake is shown beside the
// form; store.ErrNotFound is answered 404, store.ErrUnreadable 500, and any other
// 503.
type Changes interface {
	Declare(ctx context.Context, d store.Declaration) error
	SetState(ctx context.Context, namespace, name, state string) error
	Annotate(ctx context.Context, namespace, name string, a store.Annotation) error
	Delete(ctx context.Context, namespace, name string) error
}

// Mistake is an error of who filled in a form.
type Mistake string

func (m Mistake) Error() string { return string(m) }

// longestForm is in bytes: all fields of the longest declaration and its notes.
const longestForm = 256 << 10

// changing lets those pass who may change something. That the request is one of
// our own pages' is the mounting's to see (http.CrossOriginProtection).
func (h handler) changing(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !h.mayChange(r) {
			h.fail(w, r, http.StatusForbidden, "You have signed in to look. Whoever knows the other password can change experiments.")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, longestForm)
		if err := r.ParseForm(); err != nil {
			h.fail(w, r, http.StatusBadRequest, "This form could not be read.")
			return
		}
		next(w, r)
	}
}

// setState archives an experiment or lets it run again.
func (h handler) setState(w http.ResponseWriter, r *http.Request) {
	state := r.PostForm.Get("state")
	if state != store.Running && state != store.Archived {
		h.fail(w, r, http.StatusBadRequest, "An experiment runs or is archived.")
		return
	}
	h.changed(w, r, h.changes.SetState(r.Context(), r.PostForm.Get("namespace"), r.PostForm.Get("name"), state))
}

func (h handler) annotate(w http.ResponseWriter, r *http.Request) {
	field := func(name string) *string {
		if !r.PostForm.Has(name) {
			return nil
		}
		text := paragraphs(r.PostForm.Get(name))
		return &text
	}
	h.changed(w, r, h.changes.Annotate(r.Context(), r.PostForm.Get("namespace"), r.PostForm.Get("name"), store.Annotation{
		Hypothesis: field("hypothesis"), Owner: field("owner"), Decision: field("decision"), Entry: paragraphs(r.PostForm.Get("entry")),
	}))
}

// paragraphs is a text as a browser sends it (HTML, "constructing the form data
// set": CR LF), with line feeds alone.
func paragraphs(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

// changed leads back to the experiment, or says what kept it as it was.
func (h handler) changed(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		h.failed(w, r, err)
		return
	}
	seeOther(w, "experiment", r.PostForm.Get("namespace"), r.PostForm.Get("name"))
}

// unreadable is an experiment of which there is a name alone.
type unreadable struct{ Name, Why string }

// failed is the page for an error of Source or Changes.
func (h handler) failed(w http.ResponseWriter, r *http.Request, err error) {
	mistake, isMistake := errors.AsType[Mistake](err)
	switch {
	case isMistake:
		h.fail(w, r, http.StatusUnprocessableEntity, sentence(string(mistake))+".")
	case errors.Is(err, store.ErrNotFound), errors.Is(err, results.ErrNotFound):
		h.fail(w, r, http.StatusNotFound, "This namespace has no experiment of that name.")
	case errors.Is(err, store.ErrUnreadable):
		name := cmp.Or(r.URL.Query().Get("name"), r.PostForm.Get("name"))
		h.render(w, r, http.StatusInternalServerError, "unreadable", page{Title: name, Section: "experiments", Namespace: namespaceOf(r),
			Content: unreadable{name, err.Error()}})
	case store.IsFull(err):
		h.fail(w, r, http.StatusServiceUnavailable, "Redis is full (maxmemory), and takes deletions alone. Delete an experiment, or give it more memory.")
	default:
		h.fail(w, r, http.StatusServiceUnavailable, "Redis does not answer. Try again in a moment.")
	}
}

// seeOther leads to another page by a relative address (RFC 9110, 10.2.2):
// http.Redirect would make it absolute without the prefix that was stripped.
func seeOther(w http.ResponseWriter, page, namespace, name string) {
	query := url.Values{"namespace": {namespace}}
	if name != "" {
		query.Set("name", name)
	}
	w.Header().Set("Location", page+"?"+query.Encode())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}

// deletion is the page that asks once more.
type deletion struct {
	results.Detail
	Participants   int64
	Unreadable     bool // how many is not known
	Typed, Problem string
}

func (h handler) askDelete(w http.ResponseWriter, r *http.Request) {
	h.showDelete(w, r, namespaceOf(r), r.URL.Query().Get("name"), "", "")
}

func (h handler) showDelete(w http.ResponseWriter, r *http.Request, namespace, name, typed, problem string) {
	detail, err := h.source.Experiment(r.Context(), namespace, name)
	isUnreadable := errors.Is(err, store.ErrUnreadable)
	if isUnreadable { // that is a reason to delete it
		detail.Namespace, detail.Name, err = namespace, name, nil
	}
	if err != nil {
		h.failed(w, r, err)
		return
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	h.render(w, r, status, "delete", page{Title: "Delete " + detail.Name, Section: "experiments", Namespace: namespace,
		Content: deletion{detail, participants(detail.Variants), isUnreadable, typed, problem}})
}

// remove deletes what was named twice: an experiment's counts cannot be had back.
func (h handler) remove(w http.ResponseWriter, r *http.Request) {
	namespace, name, typed := r.PostForm.Get("namespace"), r.PostForm.Get("name"), r.PostForm.Get("confirm")
	if typed != name {
		h.showDelete(w, r, namespace, name, typed, "This is not the name of the experiment")
		return
	}
	if err := h.changes.Delete(r.Context(), namespace, name); err != nil {
		h.failed(w, r, err)
		return
	}
	seeOther(w, "./", namespace, "")
}
