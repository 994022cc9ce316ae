package server

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const form = "application/x-www-form-urlencoded"

func (s *site) login(password string, headers ...string) answer {
	s.t.Helper()
	return s.do("POST", "/dashboard/login", "password="+password, append([]string{"Content-Type", form}, headers...)...)
}

func cookieOf(t *testing.T, got answer) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: got.header}).Cookies()
	for _, cookie := range cookies {
		if cookie.Name == cookieName {
			return cookie
		}
	}
	t.Fatalf("cookies = %v", cookies)
	return nil
}

func TestTheDashboardIsBehindALogin(t *testing.T) {
	s := newSite(t)
	s.track("button color", "blue", "participate", "u")
	for _, path := range []string{"/dashboard/", "/dashboard/experiment?name=button+color", "/dashboard/calculator",
		"/dashboard/?key=" + testPassword, "/dashboard/../dashboard/"} {
		got := s.do("GET", strings.ReplaceAll(path, " ", "+"), "", "X-Api-Key", testKey)
		if got.status < 300 || got.status > 399 || strings.Contains(got.body, "button color") {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if got := s.do("GET", "/dashboard/login", ""); got.status != 200 || !strings.Contains(got.body, "password") {
		t.Errorf("login page: %+v", got)
	}
	if got := s.do("GET", "/dashboard/assets/style.css", ""); got.status != 200 {
		t.Errorf("style: %d", got.status)
	}
	if got := s.login("wrong"); got.status != 401 || len(got.header["Set-Cookie"]) != 0 {
		t.Errorf("wrong password: %+v", got)
	}
	got := s.login(strings.ReplaceAll(testPassword, " ", "+"))
	if got.status != 303 || got.header.Get("Location") != "/dashboard/" {
		t.Fatalf("login: %+v", got)
	}
	cookie := cookieOf(t, got)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || cookie.Path != "/" {
		t.Errorf("cookie = %+v", cookie)
	}
	list := s.do("GET", "/dashboard/", "", "Cookie", cookie.Name+"="+cookie.Value)
	if list.status != 200 || !strings.Contains(list.body, "button color") {
		t.Errorf("list: %+v", list)
	}
	page := s.do("GET", "/dashboard/experiment?namespace=alephbet&name=button+color", "", "Cookie", cookie.Name+"="+cookie.Value)
	if page.status != 200 || !strings.Contains(page.body, "button color") {
		t.Errorf("page: %+v", page)
	}
	missing := s.do("GET", "/dashboard/experiment?name=none", "", "Cookie", cookie.Name+"="+cookie.Value)
	if missing.status != 404 {
		t.Errorf("missing: %+v", missing)
	}
	export := s.do("GET", "/api/v1/export?format=csv", "", "Cookie", cookie.Name+"="+cookie.Value)
	if export.status != 200 {
		t.Errorf("export with a session: %+v", export)
	}
	out := s.do("POST", "/dashboard/logout", "", "Cookie", cookie.Name+"="+cookie.Value)
	if out.status != 303 || cookieOf(t, out).MaxAge >= 0 {
		t.Errorf("logout: %+v", out)
	}
}

func TestBehindTLSTheCookieIsSecure(t *testing.T) {
	s := newSite(t)
	if cookie := cookieOf(t, s.login(strings.ReplaceAll(testPassword, " ", "+"), "X-Forwarded-Proto", "https")); !cookie.Secure {
		t.Errorf("cookie = %+v", cookie)
	}
}

func TestAForgedOrExpiredCookieIsNoSession(t *testing.T) {
	s := newSessions([]byte("key"), []byte("password"), []byte("viewer's"))
	begin := time.Now()
	s.now = func() time.Time { return begin }
	token := s.issue(&s.entrances[0])
	flipped := "A" + token[1:]
	if strings.HasPrefix(token, "A") {
		flipped = "B" + token[1:]
	}
	tests := map[string]struct {
		token string
		by    *sessions
		later time.Duration
		want  bool
	}{
		"fresh":            {token: token, by: s, want: true},
		"almost expired":   {token: token, by: s, later: sessionLifetime - 2*time.Second, want: true},
		"expired":          {token: token, by: s, later: sessionLifetime},
		"another expiry":   {token: flipped, by: s},
		"cut":              {token: token[:len(token)-4], by: s},
		"empty":            {by: s},
		"no base64":        {token: "!", by: s},
		"another key":      {token: token, by: newSessions([]byte("other"), []byte("password"), nil)},
		"another password": {token: token, by: newSessions([]byte("key"), []byte("other"), []byte("viewer's"))},
	}
	for name, test := range tests {
		test.by.now = func() time.Time { return begin.Add(test.later) }
		request := &http.Request{Header: http.Header{"Cookie": {cookieName + "=" + test.token}}}
		if got := test.by.roleOf(request).may(admin); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOtherSitesCannotPost(t *testing.T) {
	s := newSite(t)
	cookie := cookieOf(t, s.login(strings.ReplaceAll(testPassword, " ", "+")))
	session := cookie.Name + "=" + cookie.Value
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		headers = append(headers, "Cookie", session)
		for _, route := range []string{"POST /dashboard/logout", "POST /dashboard/login",
			"POST /api/v1/experiment/archive?name=e", "DELETE /api/v1/experiment?name=e", "PUT /api/v1/experiment?name=e"} {
			method, path, _ := strings.Cut(route, " ")
			if got := s.do(method, path, "", headers...); got.status != 403 {
				t.Errorf("%s %v: %+v", route, headers, got)
			}
		}
	}
	if got := s.do("PUT", "/api/v1/experiment?name=e", `{}`, "Cookie", session, "Sec-Fetch-Site", "same-origin"); got.status != 201 {
		t.Errorf("same origin: %+v", got)
	}
}
