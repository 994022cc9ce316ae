// Package dashboard shows experiments in a browser: a list, a page for each,
// and a sample-size calculator. Everything is rendered on the server, charts
// included; there is no script, and no request to any other site.
//
// Who may see it is not decided here: mount the handler behind a session, with
// the prefix stripped, and only Assets in front of it (the login page needs
// its style sheet). All links are relative, so the prefix is free.
//
//	mux.Handle("/dashboard/assets/", http.StripPrefix("/dashboard/", dashboard.Assets()))
//	mux.Handle("/dashboard/", session(http.StripPrefix("/dashboard", dashboard.Handler(source, changes, mayChange))))
package dashboard

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"provision/internal/gimel/results"
)

// DefaultNamespace is shown when the address names none; it is the default of
// the AlephBet client.
const DefaultNamespace = "alephbet"

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"count": formatCount, "date": formatDate, "percent": formatPercent, "moment": formatMoment,
	"position": func(index int) int { return index + 1 }, "add": func(a, b float64) float64 { return a + b },
}).ParseFS(templateFiles, "templates/*.html"))

// page is what the layout needs besides the content of a page.
type page struct {
	Title     string
	Section   string // "experiments" or "calculator": marks the navigation
	Namespace string
	SignedIn  bool // shows the navigation and the sign-out button
	MayChange bool // shows what changes an experiment
	// Root leads from the address asked for to the dashboard's own ("" or
	// "../"s): only a wrong address lies deeper.
	Root    string
	Content any
}

type handler struct {
	source    Source
	changes   Changes
	mayChange func(*http.Request) bool
	now       func() time.Time
}

// Handler serves the pages for paths below "/". Its forms post to themselves;
// who mounts it sees to it that other sites' do not, and says of each request
// whether it may change something. What "export" answers is its own too.
func Handler(source Source, changes Changes, mayChange func(*http.Request) bool) http.Handler {
	h := handler{source: source, changes: changes, mayChange: mayChange, now: time.Now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.list)
	mux.HandleFunc("GET /experiment", h.experiment)
	mux.HandleFunc("GET /calculator", h.calculator)
	mux.HandleFunc("GET /declare", h.changing(h.declareForm))
	mux.HandleFunc("POST /declare", h.changing(h.declare))
	mux.HandleFunc("GET /delete", h.changing(h.askDelete))
	mux.HandleFunc("POST /delete", h.changing(h.remove))
	mux.HandleFunc("POST /state", h.changing(h.setState))
	mux.HandleFunc("POST /notes", h.changing(h.annotate))
	mux.Handle("GET /assets/", Assets())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, http.StatusNotFound, "There is no such page.")
	})
	return mux
}

// Assets serves the style sheet and the icon for paths that start with
// "assets/". They hold nothing secret.
func Assets() http.Handler {
	files := http.FileServerFS(assetFiles)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := r.URL.Path; len(name) == 0 || name[len(name)-1] == '/' {
			http.NotFound(w, r) // no directory listing
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		files.ServeHTTP(w, r)
	})
}

// Login writes the sign-in page: a form that posts the field "password" to the
// relative address "login". The message says what went wrong, or is empty.
func Login(w http.ResponseWriter, status int, message string) {
	render(w, status, "login", page{Title: "Sign in", Content: message})
}

func (h handler) list(w http.ResponseWriter, r *http.Request) {
	namespace := namespaceOf(r)
	namespaces, err := h.source.Namespaces(r.Context())
	var details []results.Detail
	if err == nil {
		details, err = h.source.Experiments(r.Context(), namespace)
	}
	if err != nil {
		h.failed(w, r, err)
		return
	}
	view := newListView(details, h.now())
	view.TurnedAway = turnedAwayNotice(h.source.TurnedAway(namespace))
	view.Namespaces = choices(namespaces, namespace)
	h.render(w, r, http.StatusOK, "list", page{Title: "Experiments", Section: "experiments",
		Namespace: namespace, Content: view})
}

func (h handler) experiment(w http.ResponseWriter, r *http.Request) {
	namespace, name := namespaceOf(r), r.URL.Query().Get("name")
	detail, err := h.source.Experiment(r.Context(), namespace, name)
	if err != nil {
		h.failed(w, r, err)
		return
	}
	h.render(w, r, http.StatusOK, "experiment", page{Title: detail.Name, Section: "experiments",
		Namespace: namespace, Content: newExperimentView(detail, h.now())})
}

func (h handler) calculator(w http.ResponseWriter, r *http.Request) {
	h.render(w, r, http.StatusOK, "calculator", page{Title: "Sample size", Section: "calculator",
		Namespace: namespaceOf(r), Content: newCalculatorView(r.URL.Query())})
}

func namespaceOf(r *http.Request) string {
	for _, values := range []url.Values{r.URL.Query(), r.PostForm} {
		if namespace := values.Get("namespace"); namespace != "" {
			return namespace
		}
	}
	return DefaultNamespace
}

func (h handler) fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	h.render(w, r, status, "error", page{Title: http.StatusText(status), Namespace: namespaceOf(r),
		Root: strings.Repeat("../", max(0, strings.Count(r.URL.Path, "/")-1)), Content: message})
}

// render is for who has signed in.
func (h handler) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.SignedIn, p.MayChange = true, h.mayChange(r)
	render(w, status, name, p)
}

// contentSecurityPolicy allows our own style sheet and icon, forms to
// ourselves, and nothing else: no script at all.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// render writes the whole page or, should the template fail, a plain 500.
func render(w http.ResponseWriter, status int, name string, p page) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name+".html", p); err != nil {
		http.Error(w, "the page could not be rendered", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: a form's own Origin would be "null" then (Fetch, "append a
	// request Origin header"), by which browsers without Sec-Fetch-Site are judged.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the client has gone; nothing is left to say to it
}
